import ArborProcesses
import ArborTestKit
import Testing

private struct Boom: Error, Equatable { var text = "boom" }

/// Exits and the list of processes: cases of process_SUITE.
@Suite struct ExitConformanceTests {
  /// A reason that is no word: what it carries arrives whole.
  private let large = ExitReason.error(Boom(text: String(repeating: "x", count: 128_000)))

  @Test("PR:t_exit_1, MON:large_exit: a large reason, by oneself, linked and monitored")
  func largeReason() throws {
    let large = large
    try simulate(seeds: 0..<10) { _ in
      try await withProcess { context in
        context.trapExit()
        let linked = context.spawnLink { _ in throw large }
        let exit = try await context.receive(Exit.self)
        try #require(exit.pid == linked && exit.reason == large)
        let (monitored, _) = context.spawnMonitor { _ in throw large }
        let down = try await context.receive(Down.self)
        try #require(down.pid == monitored && down.reason == large)
      }
    }
  }

  @Test("PR:t_exit_2_other: a large reason, by another")
  func largeReasonByAnother() throws {
    let large = large
    try simulate(seeds: 0..<10) { _ in
      try await withProcess { context in
        context.trapExit()
        let pid = context.spawnLink { inner in _ = try await inner.receive(Int.self) }
        pid.sendExit(large)
        let exit = try await context.receive(Exit.self)
        try #require(exit.pid == pid && exit.reason == large)
      }
    }
  }

  @Test("PR:t_exit_2_other_normal: normal from another ends nobody")
  func normalFromAnother() throws {
    try simulate(seeds: 0..<500) { sim in
      try await withProcess { context in
        context.trapExit()
        let pid = context.spawnLink { inner in _ = try await inner.receive(Int.self) }
        pid.sendExit(.normal)
        await sim.advance(by: .seconds(1))
        try #require(pid.isAlive && pid.info != nil && context.mailbox.queued == 0)
        try #require(pid.mailbox.sent == 0)
        pid.sendExit(.kill)
        let exit = try await context.receive(Exit.self)
        try #require(exit.pid == pid && exit.reason == .killed)
      }
    }
  }

  @Test("PR:processes_default_tab: all that live are listed, in order, and none that has ended")
  func processes() async throws {
    let node = Node(workers: 2)
    try await withProcess(on: node) { context in
      var mine = [context.pid]
      for _ in 0..<500 {
        mine.append(spawn { inner in _ = try await inner.receive(String.self) })
      }
      #expect(node.allProcesses == mine && node.processCount == mine.count)
      for (index, pid) in mine.enumerated() where index % 3 == 1 {
        let ref = context.monitor(pid)
        pid.send("end")
        _ = try await context.receive(Down.self, where: { $0.ref == ref })
      }
      mine = mine.enumerated().filter { $0.offset % 3 != 1 }.map(\.element)
      #expect(node.allProcesses == mine && node.processCount == mine.count)
    }
    node.shutdown()
  }

  @Test("PR:processes_this_tab: who is always there is always listed, while others come and go")
  func listedThroughout() async throws {
    let node = Node(workers: 2)
    try await withProcess(on: node) { context in
      let lasting = (0..<20).map { _ in
        spawn { inner in _ = try await inner.receive(String.self) }
      }
      let (fickle, ref) = context.spawnMonitor { inner in
        for _ in 0..<2000 {
          let (_, ref) = inner.spawnMonitor { _ in }
          _ = try await inner.receive(Down.self, where: { $0.ref == ref })
        }
      }
      while fickle.isAlive {
        let all = node.allProcesses
        #expect(Set(lasting).isSubset(of: all) && all == all.sorted())
        try await context.sleep(for: .zero)
      }
      _ = try await context.receive(Down.self, where: { $0.ref == ref })
    }
    node.shutdown()
  }

  @Test("PR:otp_4725: what a process says of itself is what others say of it")
  func fromBothSides() throws {
    try simulate(seed: 1) { sim in
      try await withProcess { context in
        context.trapExit()
        let me = context.pid
        let pid = context.spawnLink(as: "tester", priority: .high) { inner in
          inner.setLabel("label")
          inner.trapExit()
          me.send(try #require(inner.pid.info))
          _ = try await inner.receive(String.self)
        }
        let inside = try await context.receive(PID.Info.self)
        let outside = try #require(pid.info)
        try #require(inside.initialCall == outside.initialCall && inside.links == outside.links)
        try #require(inside.label == outside.label && inside.trapsExit == outside.trapsExit)
        try #require(inside.parent == outside.parent && inside.spawnTime == outside.spawnTime)
        try #require(outside.links == [me] && outside.parent == me && outside.trapsExit)
        try #require(inside.status == .running)
        await sim.settle()
        try #require(pid.info?.status == .waiting)
        pid.send("end")
      }
    }
  }

  @Test("PR:low_prio: under a load of normal ones a low one still gets its turns")
  func lowPriority() async throws {
    let node = Node(workers: 2)
    try await withProcess(on: node) { context in
      let me = context.pid
      let busy = (0..<4).map { _ in
        spawn { inner in
          inner.pid.send(0)
          while true { inner.pid.send(try await inner.receive(Int.self)) }
        }
      }
      spawn(priority: .low) { inner in
        for number in 0..<100 {
          me.send(number)
          try await inner.sleep(for: .zero)
        }
      }
      for expected in 0..<100 {
        let number = try await context.receive(Int.self)
        #expect(number == expected)
      }
      for pid in busy { pid.sendExit(.kill) }
    }
    node.shutdown()
  }
}
