import ArborBehaviours
import ArborProcesses
import ArborTestKit
import Testing

/// Servers and supervisors run in a simulation as they are.
@Suite struct ServerTests {
  private struct Negative: Error {}

  private actor Counter: GenServer {
    enum Call: Sendable {
      case value(From<Int>)
      case never(From<Int>)
    }
    enum Cast: Sendable { case add(Int) }

    let process = ProcessContext()
    private var value = 0
    private var kept: [From<Int>] = []

    func handleCall(_ call: Call) {
      switch call {
      case .value(let from): from.reply(value)
      case .never(let from): kept.append(from)
      }
    }
    func handleCast(_ cast: Cast) async throws {
      guard case .add(let number) = cast else { return }
      if number < 0 { throw Negative() }
      let before = value
      await Task.yield()
      value = before + number
    }
  }

  @Test("a server takes one message at a time, in any order of those who send")
  func server() throws {
    try simulate(seeds: 0..<100) { sim in
      let counter = try await Counter.start { Counter() }
      let casters = (0..<4).map { _ in
        sim.context.spawnMonitor { _ in
          for _ in 0..<5 {
            counter.cast(.add(1))
            await Task.yield()
          }
        }.ref
      }
      for ref in casters {
        _ = try await sim.context.receive(Down.self, where: { $0.ref == ref })
      }
      let value = try await counter.call(Counter.Call.value)
      try #require(value == 20)
    }
  }

  @Test("a call that is not answered takes five seconds of nobody's time")
  func timeout() throws {
    try simulate(seed: 1) { sim in
      let counter = try await Counter.start { Counter() }
      await #expect(throws: CallError.timeout) { try await counter.call(Counter.Call.never) }
      #expect(sim.now == .seconds(5))
    }
  }

  @Test("a supervisor starts its child again, whoever comes when")
  func supervisor() throws {
    try simulate(seeds: 0..<100) { sim in
      let tree = try await Supervisor.start(.oneForOne, maxRestarts: 10, within: .seconds(5)) {
        Child("counter", named: "counter") { Counter() }
        Child("other") { Counter() }
      }
      let counter = ServerRef<Counter>(named: "counter", on: sim.node)
      for _ in 0..<sim.random(in: 1..<5) {
        let pid = try #require(counter.pid)
        let ref = sim.context.monitor(pid)
        counter.cast(.add(-1))
        _ = try await sim.context.receive(Down.self, where: { $0.ref == ref })
        await sim.settle()
      }
      let value = try await counter.call(Counter.Call.value)
      try #require(value == 0)
      try await tree.stop(.shutdown)
      try #require(sim.node.allProcesses == [sim.context.pid])
    }
  }

  @Test(
    "a tree under random kills makes the same choices each time", arguments: 0..<10 as Range<UInt64>
  )
  func repeats(seed: UInt64) throws {
    func run() throws -> [SimulationStep] {
      try simulate(seed: seed) { sim in
        let tree = try await Supervisor.start(.oneForOne, maxRestarts: 3, within: .seconds(1)) {
          for number in 0..<5 { Child("\(number)", named: "\(number)") { Counter() } }
        }
        for _ in 0..<10 {
          sim.node.pid(named: "\(sim.random(in: 0..<5))")?.sendExit(.kill)
          await sim.advance(by: .milliseconds(sim.random(in: 0..<500)))
        }
        try? await tree.stop(.shutdown)
        return sim.trace
      }
    }
    let isSame = try run() == run()
    #expect(isSame)
  }
}
