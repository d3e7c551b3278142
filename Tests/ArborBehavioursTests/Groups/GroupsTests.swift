import ArborBehaviours
import ArborProcesses
import ArborTestKit
import Testing

/// OTP's `pg_SUITE`, as far as it needs no second node.
@Suite struct GroupsTests {
  /// Runs one case with a scope of its own.
  private func run(
    _ body: @escaping @Sendable (Groups<String>, Simulation) async throws -> Void
  ) throws {
    try simulate(seed: 3) { sim in
      let groups = Groups<String>(named: "scope")
      try await groups.start()
      try await body(groups, sim)
    }
  }

  private func waiting() -> PID { spawn { _ in try await forever() } }

  @Test("PG:single: joins are counted, a member's end takes it out")
  func single() throws {
    try run { groups, sim in
      let me = sim.context.pid
      try await groups.join("single")
      try await groups.join("single", [me, me])
      #expect(groups.members(of: "single") == [me, me, me])
      #expect(try await !groups.leave("missing"))
      #expect(try await groups.leave("single", [me, me]))
      #expect(groups.members(of: "single") == [me] && groups.whichGroups == ["single"])
      #expect(try await groups.leave("single"))
      #expect(groups.whichGroups.isEmpty && groups.members(of: "single").isEmpty)
      #expect(try await !groups.leave("single"))
      let other = waiting()
      try await groups.join("single")
      try await groups.join("single", other)
      #expect(groups.members(of: "single") == [me, other])
      other.sendExit(.kill)
      try await sim.context.waitUntilDown(other)
      #expect(groups.members(of: "single") == [me])
      try await groups.leave("single")
    }
  }

  @Test("PG:leave_exit_race: leaving and dying at once loses nothing and leaves nothing")
  func leaveExitRace() throws {
    try simulate(seeds: 0..<500) { sim in
      let groups = Groups<String>()
      try await groups.start()
      let scope = try #require(groups.pid)
      for _ in 0..<3 {
        let pid = spawn { context in try await context.sleep(for: .zero) }
        try await groups.join("race", pid)
        if sim.random(in: 0..<2) == 0 { try await groups.join("race", pid) }
        if sim.random(in: 0..<2) == 0 { pid.sendExit(.kill) }
        try await groups.leave("race", pid)
      }
      try await sim.context.sleep(for: .milliseconds(1))
      await sim.settle()
      try #require(scope.isAlive)
      let (_, all) = try await groups.monitorScope()
      try #require(all.isEmpty && groups.whichGroups.isEmpty)
      try #require(scope.core.bonds.monitors == 1)  // of the one that watches the scope
    }
  }

  @Test("PG:group_leave: one of many joins at a time; PG:double")
  func groupLeave() throws {
    try run { groups, _ in
      let pid = waiting()
      try await groups.join("two", Array(repeating: pid, count: 16))
      try await groups.leave("two", Array(repeating: pid, count: 4))
      #expect(groups.members(of: "two") == Array(repeating: pid, count: 12))
      try await groups.join("two", [pid])
      #expect(groups.members(of: "two").count == 13)
      try await groups.join("two", [])
      #expect(groups.members(of: "two").count == 13)
    }
  }

  @Test(
    "PG:scope_restart: members are lost with the scope's process, and the handle finds the new one")
  func scopeRestart() throws {
    try simulate(seed: 5) { sim in
      let groups = Groups<Int>(named: "numbers")
      let tree = try await Supervisor.start(.oneForOne) { Child(groups) }
      let first = try #require(groups.pid)
      let pid = spawn { _ in try await forever() }
      try await groups.join(1, [pid, pid])
      first.sendExit(.kill)
      try await sim.context.waitUntilDown(first)
      await sim.settle()
      #expect(groups.pid != first && groups.pid != nil && pid.isAlive)
      #expect(groups.members(of: 1).isEmpty && groups.whichGroups.isEmpty)
      try await groups.join(1, pid)
      #expect(groups.members(of: 1) == [pid])
      await #expect(throws: StartError.alreadyStarted(try #require(groups.pid))) {
        try await groups.start()
      }
      try await tree.stop(.shutdown)
    }
  }

  @Test("PG:missing_scope_join, process_owner_check")
  func refused() throws {
    try simulate(seed: 6) { sim in
      let groups = Groups<String>(named: "missing")
      let me = sim.context.pid
      await #expect(throws: GroupsError.notRunning("missing")) { try await groups.join("a") }
      await #expect(throws: GroupsError.notRunning("missing")) { try await groups.leave("a") }
      await #expect(throws: GroupsError.notRunning("missing")) { _ = try await groups.monitor("a") }
      #expect(groups.members(of: "a").isEmpty && groups.whichGroups.isEmpty)
      try await groups.start()
      let elsewhere = Node(workers: 1)
      let stranger = spawn(on: elsewhere) { _ in }
      await #expect(throws: GroupsError.otherNode(stranger)) {
        try await groups.join("a", stranger)
      }
      await #expect(throws: GroupsError.otherNode(stranger)) {
        try await groups.join("a", [me, stranger])
      }
      #expect(groups.members(of: "a").isEmpty)
      elsewhere.shutdown()
      await Task.detached {
        _ = await #expect(throws: GroupsError.notInProcess) { try await groups.join("a") }
      }.value
      // One that has ended is a member for no longer than it takes to notice.
      let dead = spawn { _ in }
      try await sim.context.waitUntilDown(dead)
      try await groups.join("a", dead)
      await sim.settle()
      #expect(groups.whichGroups.isEmpty)
      try await groups.stop()
      await #expect(throws: CallError.noproc) { try await groups.stop() }
    }
  }

  @Test(
    "PG:monitor, monitor_scope: joins and leaves arrive, in order, until demonitor",
    arguments: [true, false])
  func monitor(ofScope: Bool) throws {
    try run { groups, sim in
      let me = sim.context.pid
      let watch = { @Sendable () async throws -> (MonitorRef, [PID]) in
        guard ofScope else { return try await groups.monitor("group") }
        let (ref, all) = try await groups.monitorScope()
        return (ref, all["group"] ?? [])
      }
      let next = { @Sendable (ref: MonitorRef) async throws -> GroupEvent<String> in
        try await sim.context.receive(GroupEvent<String>.self, where: { $0.ref == ref })
      }
      let (ref, members) = try await watch()
      #expect(members.isEmpty)
      try await groups.join("group")
      var event = try await next(ref)
      #expect(event.kind == .join && event.group == "group" && event.pids == [me])
      // Another one watches, with one member at its start, and ends.
      let second = spawn { _ in
        let (_, members) = try await watch()
        me.send(members)
      }
      #expect(try await sim.context.receive([PID].self) == [me])
      try await sim.context.waitUntilDown(second)
      let other = waiting()
      try await groups.join("group", [other, other])
      // That one is not written to any more.
      #expect(second.mailbox.droppedByExit == 0)
      event = try await next(ref)
      #expect(event.kind == .join && event.pids == [other, other])
      try await groups.leave("group")
      event = try await next(ref)
      #expect(event.kind == .leave && event.pids == [me])
      other.sendExit(.kill)
      for _ in 0..<2 {
        event = try await next(ref)
        #expect(event.kind == .leave && event.pids == [other])
      }
      try await groups.join("another")  // of no interest to who watches one group
      if ofScope { #expect(try await next(ref).group == "another") }
      try await groups.join("group")
      #expect(try await groups.demonitor(ref))
      #expect(try await !groups.demonitor(ref))
      try await groups.leave("group")
      #expect(await sim.context.flush().isEmpty)
      #expect(try #require(groups.pid).core.bonds.monitors == 1)  // of the one member
    }
  }

  @Test("scopes have nothing to do with each other")
  func scopes() throws {
    try run { groups, sim in
      let other = Groups<String>(named: "other")
      try await other.start()
      try await groups.join("a")
      #expect(other.members(of: "a").isEmpty)
      #expect(groups.members(of: "a") == [sim.context.pid])
    }
  }
}
