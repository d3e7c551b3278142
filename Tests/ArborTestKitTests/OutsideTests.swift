import ArborPrimitives
import ArborProcesses
import Testing

@testable import ArborTestKit

/// What is not the simulation's: other threads, other simulations, ordinary tasks and nodes.
@Suite struct OutsideTests {
  @Test("simulations on several threads at the same time do not mix")
  func parallel() async throws {
    @Sendable func run(_ seed: UInt64) throws -> [SimulationStep] {
      try simulate(seed: seed) { sim in
        await withTaskGroup { group in
          for _ in 0..<5 {
            group.addTask {
              await Task.detached { await Task.yield() }.value
              try? await Task.sleep(for: .milliseconds(10))
              await Task { await Task.yield() }.value
            }
          }
        }
        #expect(sim.arrivals == 0)
        return sim.trace
      }
    }
    let alone = try (0..<4).map { try run($0) }
    let together = await withTaskGroup { group in
      for seed in 0..<4 as Range<UInt64> {
        let (stream, source) = AsyncStream.makeStream(of: Bool.self)
        let started = SystemThread.start(named: "simulation") {
          for _ in 0..<25 {
            source.yield((try? run(seed)) == alone[Int(seed)])
          }
          source.finish()
        }
        #expect(started)
        group.addTask { await stream.reduce(into: [Bool]()) { $0.append($1) } }
      }
      return await group.reduce(into: []) { $0 += $1 }
    }
    #expect(together == Array(repeating: true, count: 100))
  }

  @Test("what another thread brings is taken, and counted")
  func foreignThread() throws {
    let arrivals = try simulate(seed: 1, options: .patient) { sim in
      await withCheckedContinuation { continuation in
        Task {
          // Not before the body has suspended: it would go on by itself.
          await sim.settle()
          let started = SystemThread.start(named: "foreign") { continuation.resume() }
          #expect(started)
        }
      }
      #expect(SimulationThread.current != nil)
      return sim.arrivals
    }
    #expect(arrivals > 0)
  }

  @Test("a body that waits for the main actor comes back from it")
  func mainActor() async throws {
    let arrivals = try await inThread {
      try simulate(seed: 1, options: .patient) { sim in
        let parker = Parker()
        Task {
          // Not before the body has gone over: its way back would count as its own.
          await sim.settle()
          parker.unpark()
        }
        await MainActor.run {
          #expect(SimulationThread.current == nil)
          parker.park()
        }
        #expect(SimulationThread.current != nil)
        return sim.arrivals
      }
    }
    #expect(arrivals > 0)
  }

  @Test("what is outside a simulation is left alone while one runs")
  func bystanders() async throws {
    // On a thread of its own, since the pool's may all be busy with other tests' simulations.
    let (start, go) = AsyncStream.makeStream(of: Void.self)
    let simulation = Task {
      try await inThread {
        try simulate(seed: 1, options: .patient) { _ in
          await withCheckedContinuation { continuation in
            Outside.resumeLater(continuation)
            go.finish()
          }
        }
      }
    }
    for await _ in start {}
    await Task.detached {
      #expect(SimulationThread.current == nil)
      await Task.yield()
      try? await Task.sleep(for: .milliseconds(1))
      #expect(SimulationThread.current == nil)
    }.value
    Outside.resume()
    try await simulation.value
  }

  @Test("what runs on after its simulation is over does so elsewhere")
  func stragglers() async throws {
    let (stream, source) = AsyncStream.makeStream(of: Void.self)
    let task = try await inThread {
      try simulate(seed: 1) { _ in
        Task {
          for await _ in stream {}
          await Task.yield()
          return SimulationThread.current == nil
        }
      }
    }
    source.finish()
    #expect(await task.value)
  }

  @Test("processes of an ordinary node sleep by its real clock")
  func ordinaryNode() async throws {
    let node = Node(workers: 1)
    let before = ContinuousClock.now
    try await withProcess(on: node) { _ in try await Task.sleep(for: .milliseconds(2)) }
    #expect(ContinuousClock.now - before >= .milliseconds(2))
  }

  /// Runs blocking code on a thread of its own.
  private func inThread<Value: Sendable>(
    _ body: @escaping @Sendable () throws -> Value
  ) async throws -> Value {
    try await withCheckedThrowingContinuation { continuation in
      let started = SystemThread.start(named: "simulation") {
        continuation.resume(with: Result { try body() })
      }
      #expect(started)
    }
  }

  /// A continuation that is resumed from outside.
  private enum Outside {
    private static let waiting = Lock<CheckedContinuation<Void, Never>?>(nil)
    static func resumeLater(_ continuation: CheckedContinuation<Void, Never>) {
      waiting.withLock { $0 = continuation }
    }
    static func resume() { waiting.withLock { $0 }?.resume() }
  }
}

extension SimulationOptions {
  /// For what comes from Swift's own threads, which all the other tests may be before.
  fileprivate static var patient: Self { Self(patience: .seconds(1200)) }
}
