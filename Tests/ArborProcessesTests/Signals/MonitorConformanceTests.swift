import ArborProcesses
import ArborTestKit
import Testing

private struct Boom: Error, Equatable { var text = "boom" }
private struct Tag: Sendable, Equatable { let number: Int }

/// Monitors: cases of monitor_SUITE and process_SUITE.
@Suite struct MonitorConformanceTests {
  let node = Node(workers: 2)

  /// A process that ends with `reason` as soon as it is told to.
  private func waiting(for reason: ExitReason = .error(Boom())) -> PID {
    spawn(on: node) { context in
      _ = try await context.receive(String.self)
      throw reason
    }
  }

  @Test("MON:mon_1")
  func reasonsAndIdentifiers() async throws {
    try await withProcess(on: node) { context in
      let pid = waiting()
      try node.register("target", for: pid)
      let byPID = context.monitor(pid)
      let byName = context.monitor("target")
      pid.send("go")
      for _ in 0..<2 {
        let down = try await context.receive(Down.self)
        #expect(down.pid == pid && down.reason == .error(Boom()) && down.tag == nil)
        #expect(down.name == (down.ref == byName ? "target" : nil))
        #expect(down.ref == byPID || down.ref == byName)
      }
      let ofDead = context.monitor(pid)
      let dead = try await context.receive(Down.self)
      #expect(dead.ref == ofDead && dead.pid == pid && dead.reason == .noproc)
      let ofDeadName = context.monitor("target")
      let deadName = try await context.receive(Down.self)
      #expect(deadName.ref == ofDeadName && deadName.name == "target")
      #expect(deadName.reason == .noproc)
      let ofNobody = context.monitor("nobody")
      let nobody = try await context.receive(Down.self)
      #expect(nobody.ref == ofNobody && nobody.pid == nil && nobody.name == "nobody")
      #expect(nobody.reason == .noproc)
      let ofMyself = context.monitor(context.pid)
      #expect(Set([byPID, byName, ofDead, ofDeadName, ofNobody, ofMyself]).count == 6)
      #expect(context.core.bonds == ProcessCore.Bonds())
    }
  }

  @Test("MON:named_down")
  func namedDown() throws {
    try simulate(seeds: 0..<500) { sim in
      let node = sim.node
      try await withProcess { context in
        let pid = spawn { inner in _ = try await inner.receive(String.self) }
        try node.register("name", for: pid)
        let ref = context.monitor("name")
        if sim.random(in: 0..<2) == 0 { await Task.yield() }
        pid.sendExit(.error(Boom()))
        let down = try await context.receive(Down.self)
        try #require(down.ref == ref && down.name == "name" && down.reason == .error(Boom()))
        // Its DOWN does not come before the name is free.
        try context.register("name")
        try node.unregister("name")
      }
    }
  }

  @Test("MON:named_down, of a name that moves on: the monitor is of the process")
  func movedName() async throws {
    try await withProcess(on: node) { context in
      let pid = waiting()
      try node.register("moving", for: pid)
      let ref = context.monitor("moving")
      // What becomes of the name is nothing to it.
      try node.unregister("moving")
      let other = waiting()
      try node.register("moving", for: other)
      pid.send("go")
      let down = try await context.receive(Down.self)
      #expect(down.ref == ref && down.pid == pid && down.name == "moving")
      other.sendExit(.kill)
    }
  }

  @Test("MON:demonitor_flush")
  func fourRefs() throws {
    try simulate(seeds: 0..<500) { sim in
      try await withProcess { context in
        let pid = spawn { context in _ = try await context.receive(String.self) }
        let refs = (0..<4).map { _ in context.monitor(pid) }
        try #require(context.demonitor(refs[0]))
        try #require(!context.demonitor(refs[0]))
        pid.send("go")
        // The DOWNs arrive at any of these points.
        for _ in 0..<sim.random(in: 0..<3) { await Task.yield() }
        context.demonitor(refs[1], flush: true)
        for _ in 0..<sim.random(in: 0..<3) { await Task.yield() }
        let wasSet = context.demonitor(refs[2])
        await sim.settle()
        var told: [MonitorRef] = []
        while let down = try? await context.receive(Down.self, timeout: .zero) {
          told.append(down.ref)
        }
        try #require(told == (wasSet ? [refs[3]] : [refs[2], refs[3]]))
        let ledger = context.core.ledger
        try #require(ledger.queued == 0 && ledger.flushed <= 1)
        try #require(context.core.bonds == ProcessCore.Bonds())
      }
    }
  }

  @Test("MON:list_cleanup, step by step: watched by PID and by name, each side ends")
  func lists() async throws {
    try await withProcess(on: node) { context in
      let me = context.pid
      try context.register("me")
      func expect(
        _ pid: PID, _ monitors: [PID], _ monitoredBy: [PID],
        _ location: SourceLocation = #_sourceLocation
      ) {
        #expect(pid.info?.monitors == monitors, sourceLocation: location)
        #expect(pid.info?.monitoredBy == monitoredBy, sourceLocation: location)
      }
      let first = waiting(for: .normal)
      try node.register("first", for: first)
      expect(me, [], [])
      let byPID = context.monitor(first)
      expect(me, [first], [])
      expect(first, [], [me])
      context.demonitor(byPID)
      expect(me, [], [])
      expect(first, [], [])
      let byName = context.monitor("first")
      expect(me, [first], [])
      expect(first, [], [me])
      first.send("stop")
      let down = try await context.receive(Down.self)
      #expect(down.ref == byName && down.reason == .normal)
      expect(me, [], [])
      // The other way round: the watcher ends.
      let second = spawn { inner in
        _ = inner.monitor("me")
        me.send("watching")
        _ = try await inner.receive(String.self)
      }
      _ = try await context.receive(String.self)
      expect(me, [], [second])
      expect(second, [me], [])
      let ref = context.monitor(second)
      second.send("stop")
      _ = try await context.receive(Down.self, where: { $0.ref == ref })
      expect(me, [], [])
    }
  }

  @Test("MON:list_cleanup, any end of any of many")
  func listsAreEmptyAfterAnyEnd() throws {
    try simulate(seeds: 0..<500) { sim in
      try await withProcess { context in
        let reasons: [ExitReason] = [.normal, .shutdown, .kill, .error(Boom())]
        let processes = (0..<6).map { _ in
          spawn { context in
            if context.pid.id % 2 == 0 { context.trapExit() }
            while true { try await Self.act(context, try await context.receive(Order.self)) }
          }
        }
        for _ in 0..<20 {
          let who = processes[sim.random(in: 0..<6)]
          let whom = processes[sim.random(in: 0..<6)]
          switch sim.random(in: 0..<4) {
          case 0: who.send(Order.monitor(whom))
          case 1: who.send(Order.demonitor)
          case 2: who.send(Order.link(whom))
          default: await Task.yield()
          }
        }
        for pid in processes {
          let reason = reasons[sim.random(in: 0..<4)]
          if sim.random(in: 0..<2) == 0 {
            pid.send(Order.end(reason))
          } else {
            pid.sendExit(reason)
          }
          if sim.random(in: 0..<2) == 0 { await Task.yield() }
        }
        // Those whom it did not end.
        for pid in processes { pid.sendExit(.kill) }
        await sim.settle()
        for pid in processes {
          try #require(pid.fate != nil)
          try #require(pid.core.bonds == ProcessCore.Bonds())
        }
        try #require(sim.node.processCount == 1)
      }
    }
  }

  private enum Order: Sendable {
    case monitor(PID)
    case demonitor
    case link(PID)
    case end(ExitReason)
  }

  /// What the processes of `list_cleanup` do when they are told to; some monitors are left set.
  private static func act(_ context: ProcessContext, _ order: Order) async throws {
    switch order {
    case .monitor(let pid): _ = context.monitor(pid, tag: Tag(number: 1), alias: .demonitor)
    case .demonitor:
      if let down = try? await context.receive(Down.self, timeout: .zero) {
        context.demonitor(down.ref, flush: true)
      }
    case .link(let pid): try context.link(pid)
    case .end(let reason): throw reason
    }
  }

  @Test("PR:monitor_tag")
  func tags() async throws {
    try await withProcess(on: node) { context in
      let pid = waiting()
      try node.register("tagged", for: pid)
      var expected: [MonitorRef: Tag] = [:]
      for number in 0..<3 {
        expected[context.monitor(pid, tag: Tag(number: number))] = Tag(number: number)
      }
      expected[context.monitor("tagged", tag: Tag(number: 3))] = Tag(number: 3)
      pid.send("go")
      for _ in 0..<4 {
        let down = try await context.receive(Down.self, where: { $0.tag is Tag })
        let tag = try #require(down.tag as? Tag)
        #expect(expected.removeValue(forKey: down.ref) == tag)
        #expect(down.name == (tag.number == 3 ? "tagged" : nil))
      }
      // From the first moment of a process, linked as well or not.
      context.trapExit()
      for isLinked in [false, true] {
        let (child, ref) = context.spawnMonitor(tag: Tag(number: 6), isLinked: isLinked) { _ in
          throw Boom()
        }
        if isLinked {
          let exit = try await context.receive(Exit.self)
          #expect(exit.pid == child && exit.reason == .error(Boom()))
        }
        let down = try await context.receive(Down.self)
        #expect(down.ref == ref && down.tag as? Tag == Tag(number: 6))
      }
      // At once, where there is nobody.
      _ = context.monitor(pid, tag: Tag(number: 4))
      _ = context.monitor("nobody", tag: Tag(number: 5))
      for number in 4...5 {
        let down = try await context.receive(Down.self)
        #expect(down.tag as? Tag == Tag(number: number) && down.reason == .noproc)
      }
    }
  }
}
