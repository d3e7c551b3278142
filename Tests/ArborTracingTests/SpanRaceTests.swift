import ArborBehaviours
import ArborPrimitives
import ArborProcesses
import ArborTelemetry
import ArborTestKit
import ArborTracing
import Testing

/// Whoever dies when: no open span is lost, none is closed twice, nothing leaks. Over many orders of
/// one scenario each; a failure names the seed that repeats it.
@Suite struct SpanRaceTests {
  private func check(_ balance: SpanBalance, _ sim: Simulation) async throws {
    try await SpanManager.settle(on: sim.node)
    try balance.check()
    let rows = SpanManager.rowCount(on: sim.node)
    if rows != 0 { throw SpanBalance.Unbalanced(what: "\(rows) rows are left") }
    let watched = try await SpanManager.watchedCount(on: sim.node)
    if watched != 0 { throw SpanBalance.Unbalanced(what: "\(watched) processes are still watched") }
  }

  /// A process that opens and closes spans, of both kinds, with other processes' turns in between.
  @Sendable private static func trace(_ context: ProcessContext) async throws {
    while true {
      try await Trace.withSpan("outer") {
        Trace.startSpan("loose")
        await Task.yield()
        try await Trace.withSpan("inner") { try await context.sleep(for: .milliseconds(1)) }
        Trace.endSpan()
      }
    }
  }

  @Test("a traced process that is killed at any moment leaves nothing open")
  func killed() throws {
    try simulate(seeds: 0..<500) { sim in
      let balance = try SpanBalance(sim.node)
      let clients = (0..<3).map { _ in sim.context.spawnMonitor(Self.trace) }
      for client in clients {
        try await sim.context.sleep(for: .microseconds(sim.random(in: 0..<3_000)))
        client.pid.sendExit(sim.random(in: 0..<2) == 0 ? .kill : .shutdown)
      }
      for client in clients {
        _ = try await sim.context.receive(Down.self, where: { $0.ref == client.ref })
      }
      try await check(balance, sim)
    }
  }

  @Test("the manager may die at any moment too")
  func managerKilled() throws {
    try simulate(seeds: 0..<500) { sim in
      let balance = try SpanBalance(sim.node)
      let clients = (0..<3).map { _ in sim.context.spawnMonitor(Self.trace) }
      for client in clients {
        try await sim.context.sleep(for: .microseconds(sim.random(in: 0..<2_000)))
        sim.node.pid(named: "arbor.tracing.manager")?.sendExit(.kill)
        try await sim.context.sleep(for: .microseconds(sim.random(in: 0..<100)))
        client.pid.sendExit(.kill)
      }
      for client in clients {
        _ = try await sim.context.receive(Down.self, where: { $0.ref == client.ref })
      }
      try await check(balance, sim)
    }
  }

  @Test("the table's holder may die too, and both at once")
  func holderKilled() throws {
    try simulate(seeds: 0..<500) { sim in
      let balance = try SpanBalance(sim.node)
      // Apart, so that nobody keeps the PIDs of the dead.
      func run() async throws {
        let clients = (0..<3).map { _ in sim.context.spawnMonitor(Self.trace) }
        for client in clients {
          for _ in 0..<2 {
            try await sim.context.sleep(for: .microseconds(sim.random(in: 0..<1_500)))
            let dice = sim.random(in: 0..<4)
            if dice != 0 { sim.node.pid(named: "arbor.tracing.manager")?.sendExit(.kill) }
            // From the same moment to long enough for a new one to have come up in between.
            for _ in 0..<sim.random(in: 0..<40) * (dice % 2) { await Task.yield() }
            if dice != 1 { sim.node.pid(named: "arbor.tracing.table")?.sendExit(.kill) }
          }
          client.pid.sendExit(.kill)
        }
        for client in clients {
          _ = try await sim.context.receive(Down.self, where: { $0.ref == client.ref })
        }
      }
      try await run()
      await sim.advance(by: .milliseconds(50))
      try await check(balance, sim)
      if SpanManager.counts(on: sim.node).lost != 0 {
        throw SpanBalance.Unbalanced(what: "spans are said to be lost")
      }
    }
  }

  @Test("a task that goes on after its process died leaves no row, and closes what it opens")
  func straggler() throws {
    try simulate(seeds: 0..<500) { sim in
      let balance = try SpanBalance(sim.node)
      let me = sim.context.pid
      let (pid, ref) = sim.context.spawnMonitor { context in
        Task {
          for _ in 0..<5 {
            Trace.withSpan("straggling") {}
            await Task.yield()
          }
          me.core.deliver(Mail.make(.message, "straggler done", context: nil))
        }
        Trace.startSpan("left open")
        await Task.yield()
        throw ExitReason.shutdown
      }
      _ = try await sim.context.receive(Down.self, where: { $0.ref == ref })
      _ = try await sim.context.receive(String.self)
      #expect(pid.fate?.reason == .shutdown)
      try await check(balance, sim)
    }
  }
}
