import ArborProcesses
import ArborTestKit
import Synchronization
import Testing

@testable import ArborTracing

/// The same races on real threads: under load, and often.
@Suite struct SpanStressTests {
  /// A client that opens and closes spans of both kinds until it is told to stop.
  @Sendable private static func work(_ context: ProcessContext) async throws {
    while true {
      try await Trace.withSpan("outer", ["a": 1]) {
        let loose = Trace.startSpan("loose")
        async let child: Void = Trace.withSpan("child") { await Task.yield() }
        Trace.withSpan("inner") {}
        Trace.endSpan(loose)
        await child
        if try await context.receive(String.self, timeout: .zero) == "stop" {
          throw ExitReason.normal
        }
      }
    }
  }

  /// A client that dies in the middle of it.
  @Sendable private static func die(_ context: ProcessContext) async throws {
    Trace.startSpan("left open")
    await Trace.withSpan("half done") { await Task.yield() }
    Trace.startSpan("left open too")
    throw ExitReason.shutdown
  }

  /// Kills one of `names` again and again while clients work and others die.
  private func run(killing names: [ProcessName], times: Int) async throws -> TraceCounts {
    let node = Node(workers: 3)
    defer { node.shutdown() }
    Tracing.of(node).maxRestarts.store(.max, ordering: .relaxed)
    let balance = try SpanBalance(node)
    try await withProcess(on: node) { context in
      let clients = (0..<4).map { _ in context.spawnMonitor(Self.patient) }
      for turn in 0..<times {
        let name = names[turn % names.count]
        var pid = node.pid(named: name)
        while pid == nil {
          try await context.sleep(for: .microseconds(50))
          pid = node.pid(named: name)
        }
        let (_, dying) = context.spawnMonitor(Self.die)
        if let pid {
          let killed = context.monitor(pid)
          pid.sendExit(.kill)
          _ = try await context.receive(Down.self, where: { $0.ref == killed })
        }
        _ = try await context.receive(Down.self, where: { $0.ref == dying })
      }
      for client in clients {
        #expect(client.pid.isAlive)
        client.pid.send("stop")
        let down = try await context.receive(Down.self, where: { $0.ref == client.ref })
        #expect(down.reason == .normal)
      }
      try await SpanManager.settle(on: node)
      try await SpanManager.settle(on: node)
      #expect(SpanManager.rowCount(on: node) == 0)
      #expect(try await SpanManager.watchedCount(on: node) == 0)
      #expect(balance.started > times)
    }
    try balance.check()
    return SpanManager.counts(on: node)
  }

  /// As `work`; that nothing came yet is no error.
  @Sendable private static func patient(_ context: ProcessContext) async throws {
    while true {
      do {
        try await work(context)
      } catch ReceiveError.timeout {}
    }
  }

  @Test("the manager killed 200 times under load loses no span and crashes no client")
  func manager() async throws {
    let counts = try await run(killing: ["arbor.tracing.manager"], times: effort(of: 200))
    #expect(counts.lost == 0 && counts.unrecorded == 0)
  }

  @Test("nor does the holder's death, in turns with the manager's")
  func holder() async throws {
    // Some may come when there is no table, and are in the next one.
    let counts = try await run(
      killing: ["arbor.tracing.manager", "arbor.tracing.table"], times: effort(of: 200))
    #expect(counts.lost == 0)
  }
}
