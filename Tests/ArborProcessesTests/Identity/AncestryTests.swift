import ArborProcesses
import Testing

@Suite struct AncestryTests {
  let node = Node(workers: 2)

  @Test("ancestors: the parent first, by the names they had; of every kind of start")
  func ancestors() async throws {
    try await withProcess(on: node) { context in
      let me = context.pid
      #expect(context.ancestors.isEmpty && context.parent == nil)
      _ = context.spawnMonitor { parent in
        let early = parent.spawnLink { child in
          _ = try await child.receive(String.self)
          me.send(child.ancestors)
        }
        try parent.register("parent")
        let (_, ref) = parent.spawnMonitor { child in
          me.send(child.ancestors)
          me.send(child.parent == parent.pid)
        }
        _ = try await parent.receive(Down.self, where: { $0.ref == ref })
        early.send("go")
        _ = try await parent.receive(String.self, timeout: .seconds(1200))
      }
      let late = try await context.receive([Ancestor].self)
      let parent = try #require(node.pid(named: "parent"))
      #expect(late.map(\.pid) == [parent, me])
      #expect(late.map(\.description) == ["parent", "\(me)"])
      let isParent = try await context.receive(Bool.self)
      #expect(isParent)
      // Started before the name was given.
      let early = try await context.receive([Ancestor].self)
      #expect(early.map(\.description) == ["\(parent)", "\(me)"])
      parent.send("stop")
      let down = try await context.receive(Down.self)
      #expect(down.pid == parent && down.reason == .normal)
    }
  }

  @Test("callers: whom a task works for; empty for others")
  func callers() async throws {
    try await withProcess(on: node) { context in
      let me = context.pid
      #expect(context.callers.isEmpty)
      let task = ProcessCore(node: node, parent: me, callers: context.core.callersForTask)
      task.launch(under: nil) { core in
        let inner = ProcessCore(node: core.node, parent: core.pid, callers: core.callersForTask)
        inner.launch(under: nil) { core in me.send(core.callers) }
      }
      let callers = try await context.receive([PID].self)
      #expect(callers == [task.pid, me])
    }
  }
}
