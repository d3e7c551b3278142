import ArborProcesses
import ArborTestKit
import Testing

@Suite struct ManyProcessesTests {
  @Test("100 000 processes, linked, monitored and killed, leave nothing behind")
  func many() async throws {
    // So many at once may wait for their turn for longer than a handler should, on a slow machine.
    let node = Node(workers: 2, exitGrace: .seconds(1200))
    let count = effort(of: 100_000)
    try await withProcess(on: node) { context in
      context.trapExit()
      var refs: Set<MonitorRef> = []
      for _ in 0..<count {
        let pid = context.spawnLink { inner in _ = try await inner.receive(Int.self) }
        refs.insert(context.monitor(pid))
      }
      #expect(node.processCount == count + 1)
      #expect(context.core.bonds.links == count && context.core.bonds.monitors == count)
      for pid in node.allProcesses where pid != context.pid { pid.sendExit(.kill) }
      var exits = 0
      var downs = 0
      while exits < count || downs < count {
        switch try await context.receive() {
        case let exit as Exit:
          if exit.reason == .killed { exits += 1 }
        case let down as Down:
          if down.reason == .killed, refs.remove(down.ref) != nil { downs += 1 }
        default: Issue.record("not what was expected")
        }
      }
      #expect(context.core.bonds == ProcessCore.Bonds() && context.core.ledger.queued == 0)
    }
    #expect(node.processCount == 0)
    #expect(node.zombies.isEmpty && node.registered.isEmpty)
  }

  @Test("a chain of processes, each of which starts the next and ends, is not kept by the last")
  func generations() async throws {
    let node = Node(workers: 2)
    try await withProcess(on: node) { context in
      let me = context.pid
      await Self.generation(10_000, context, reader: me)
      let ancestors = try await context.receive([Ancestor].self)
      #expect((32...64).contains(ancestors.count))
    }
  }

  @Sendable private static func generation(
    _ left: Int, _ context: ProcessContext, reader: PID
  ) async {
    if left == 0 { return reader.send(context.ancestors) }
    spawn { next in await generation(left - 1, next, reader: reader) }
  }
}
