import ArborPrimitives
import ArborProcesses
import Testing

@testable import ArborTestKit

/// Everything that a body may use runs on the simulation's thread, in the order of the seed.
@Suite struct CoverageTests {
  /// Notes who came by, in order, and whether on the simulation's thread.
  private final class Journal: Sendable {
    private let lines = Lock<[String]>([])
    private let outside = Lock<[String]>([])
    let waiting = Lock<[CheckedContinuation<Void, Never>]>([])
    func note(_ line: String) {
      if SimulationThread.current == nil { outside.withLock { $0.append(line) } }
      lines.withLock { $0.append(line) }
    }
    var all: [String] { lines.withLock { $0 } }
    var strays: [String] { outside.withLock { $0 } }
  }

  private actor Plain {
    func visit(_ name: String, _ journal: Journal) async {
      journal.note(name)
      await Task.yield()
      journal.note(name + "'")
    }
    func nap(_ index: Int, _ journal: Journal) async {
      journal.note("\(index)")
      try? await Task.sleep(for: .milliseconds(10 * (index / 2)))
      journal.note("\(index)'")
    }
  }

  enum Construct: String, CaseIterable, Sendable {
    case taskGroup, asyncLet, actors, stream, continuations, tasks, detached, processes, timers
    case sleeps, sleepsInTasks, sleepsInActors, sleepsInGroups, sleepsInProcesses, cancelledSleeps
  }

  private static func run(_ construct: Construct, _ journal: Journal, _ sim: Simulation)
    async throws
  {
    let names = ["a", "b", "c", "d"]
    @Sendable func visit(_ name: String) async {
      journal.note(name)
      await Task.yield()
      journal.note(name + "'")
    }
    @Sendable func nap(_ index: Int) async {
      journal.note("\(index)")
      try? await Task.sleep(for: .milliseconds(10 * (index / 2)))
      journal.note("\(index)'")
    }
    switch construct {
    case .taskGroup:
      await withTaskGroup { group in
        for name in names { group.addTask { await visit(name) } }
      }
    case .asyncLet:
      async let one: Void = visit("a")
      async let two: Void = visit("b")
      async let three: Void = visit("c")
      _ = await (one, two, three)
    case .actors:
      let actors = [Plain(), Plain(), Plain()]
      await withTaskGroup { group in
        for name in names {
          for actor in actors { group.addTask { await actor.visit(name, journal) } }
        }
      }
    case .stream:
      let (stream, source) = AsyncStream.makeStream(of: String.self)
      await withTaskGroup { group in
        for name in names {
          group.addTask {
            await visit(name)
            source.yield(name)
          }
        }
        group.addTask {
          var left = names.count
          for await name in stream {
            journal.note("got \(name)")
            left -= 1
            if left == 0 { break }
          }
        }
      }
    case .continuations:
      await withTaskGroup { group in
        for name in names {
          group.addTask {
            await withCheckedContinuation { one in journal.waiting.withLock { $0.append(one) } }
            await visit(name)
          }
        }
        await sim.settle()
        for one in journal.waiting.withLock({ $0 }) { one.resume() }
      }
    case .tasks:
      let actor = Plain()
      for task in names.map({ name in
        Task {
          await visit(name)
          await actor.visit(name, journal)
        }
      }) { await task.value }
    case .detached:
      let actor = Plain()
      for task in names.map({ name in
        Task.detached {
          await visit(name)
          await actor.visit(name, journal)
          async let child: Void = visit(name + "child")
          await child
        }
      }) { await task.value }
    case .processes:
      for name in names {
        let pid = spawn { context in
          await visit(name)
          journal.note(try await context.receive(String.self))
        }
        pid.send("for " + name)
      }
      await sim.settle()
    case .timers:
      for index in 0..<4 {
        spawn { context in
          try await context.sleep(for: .milliseconds(10 * (index / 2)))
          await visit("\(index)")
        }
      }
      await sim.advance(by: .milliseconds(10))
    case .sleeps:
      for index in 0..<4 { await nap(index) }
      #expect(sim.now == .milliseconds(20))
    case .sleepsInTasks:
      for task in (0..<4).map({ index in Task { await nap(index) } }) { await task.value }
      for task in (0..<4).map({ index in Task.detached { await nap(index) } }) { await task.value }
      #expect(sim.now == .milliseconds(20))
    case .sleepsInActors:
      let actors = (0..<4).map { _ in Plain() }
      for task in (0..<4).map({ index in Task { await actors[index].nap(index, journal) } }) {
        await task.value
      }
      await actors[0].nap(4, journal)
      #expect(sim.now == .milliseconds(30))
    case .sleepsInGroups:
      await withTaskGroup { group in
        for index in 0..<4 { group.addTask { await nap(index) } }
      }
      #expect(sim.now == .milliseconds(10))
    case .sleepsInProcesses:
      for index in 0..<4 {
        spawn { _ in
          await nap(index)
          async let one: Void = nap(10 + index)
          async let two: Void = nap(20 + index)
          _ = await (one, two)
        }
      }
      await sim.advance(by: .seconds(1))
    case .cancelledSleeps:
      let tasks = (0..<4).map { index in
        Task {
          let result = await Task { try await Task.sleep(for: .seconds(3600)) }.cancelled()
          journal.note("\(index) \(result)")
        }
      }
      for task in tasks { await task.value }
      #expect(sim.now == .zero)
    }
    journal.note("end")
  }

  private static func journal(
    of construct: Construct, seed: UInt64
  ) throws -> (lines: [String], trace: [SimulationStep]) {
    let journal = Journal()
    let trace = try simulate(seed: seed) { sim in
      try await run(construct, journal, sim)
      #expect(sim.arrivals == 0)
      return sim.trace
    }
    #expect(journal.strays == [])
    #expect(journal.all.last == "end")
    return (journal.all, trace)
  }

  @Test("runs on the one thread, and alike for one seed", arguments: Construct.allCases)
  func repeats(construct: Construct) throws {
    for seed in 0..<20 as Range<UInt64> {
      let first = try Self.journal(of: construct, seed: seed)
      let second = try Self.journal(of: construct, seed: seed)
      #expect(first.lines == second.lines)
      let hasSameTrace = first.trace == second.trace
      #expect(hasSameTrace)
    }
  }

  @Test(
    "runs in another order for another seed",
    arguments: Construct.allCases.filter { $0 != .sleeps && $0 != .continuations })
  func varies(construct: Construct) throws {
    let orders = try Set((0..<40).map { try Self.journal(of: construct, seed: $0).lines })
    #expect(orders.count > 3)
  }
}

extension Task where Success == Void, Failure == any Error {
  /// Cancels, and says what came of it.
  fileprivate func cancelled() async -> String {
    await Task<Never, Never>.yield()
    cancel()
    do {
      try await value
      return "slept"
    } catch {
      return "\(type(of: error))"
    }
  }
}
