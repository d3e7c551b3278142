import ArborProcesses
import ArborTestKit
import Testing

private struct Boom: Error, Equatable {}

/// Aliases: what process_SUITE asserts of their modes, and what a real node answered.
@Suite struct AliasConformanceTests {
  let node = Node(workers: 2)

  /// How the life of an alias is told: what arrives in the end, in order.
  private func mail(_ context: ProcessContext) async -> [String] {
    var seen: [String] = []
    while let next = try? await context.receive(timeout: .zero) {
      seen.append(next as? String ?? (next is Down ? "DOWN" : "?"))
    }
    return seen
  }

  private func end(_ pid: PID, seenBy context: ProcessContext) async throws {
    let ref = context.monitor(pid)
    pid.send("go")
    _ = try await context.receive(Down.self, where: { $0.ref == ref })
  }

  private func waiting() -> PID {
    spawn(on: node) { context in _ = try await context.receive(String.self) }
  }

  @Test("PR:monitor_alias, explicit: through DOWN and demonitor, until unalias")
  func explicit() async throws {
    try await withProcess(on: node) { context in
      let pid = waiting()
      let (ref, alias) = context.monitor(pid, alias: .explicit)
      alias.send("one")
      try await end(pid, seenBy: context)
      alias.send("two")
      context.demonitor(ref, flush: true)
      alias.send("three")
      #expect(context.unalias(alias))
      alias.send("four")
      #expect(!context.unalias(alias))
      let seen = await mail(context)
      #expect(seen == ["one", "two", "three"])
      #expect(context.core.ledger.droppedByAlias == 1)
    }
  }

  @Test(
    "PR:monitor_alias, demonitor and reply-demonitor end with the monitor",
    arguments: [AliasMode.demonitor, .replyDemonitor])
  func endsWithMonitor(mode: AliasMode) async throws {
    try await withProcess(on: node) { context in
      let first = waiting()
      let (_, byDown) = context.monitor(first, alias: mode)
      try await end(first, seenBy: context)
      byDown.send("after DOWN")
      #expect(!context.unalias(byDown))
      let second = waiting()
      let (ref, byDemonitor) = context.monitor(second, alias: mode)
      #expect(context.demonitor(ref))
      byDemonitor.send("after demonitor")
      let third = waiting()
      let (_, byUnalias) = context.monitor(third, alias: mode)
      #expect(context.unalias(byUnalias))
      byUnalias.send("after unalias")
      try await end(third, seenBy: context)  // the monitor is still set
      let seen = await mail(context)
      #expect(seen == ["DOWN", "DOWN"])
      #expect(context.core.ledger.droppedByAlias == 3)
      #expect(context.core.bonds == ProcessCore.Bonds())
      second.sendExit(.kill)
    }
  }

  @Test("PR:monitor_alias, reply-demonitor: the first reply ends alias and monitor")
  func firstReply() async throws {
    try await withProcess(on: node) { context in
      let pid = waiting()
      let (ref, alias) = context.monitor(pid, alias: .replyDemonitor)
      alias.send("one")
      alias.send("two")
      #expect(context.core.bonds == ProcessCore.Bonds() && pid.core.bonds == ProcessCore.Bonds())
      try await end(pid, seenBy: context)
      let seen = await mail(context)
      #expect(seen == ["one"])
      #expect(!context.unalias(alias) && !context.demonitor(ref))
      #expect(context.core.ledger.droppedByAlias == 1)
    }
  }

  @Test("PR:monitor_alias, plain aliases, and another's")
  func plain() async throws {
    try await withProcess(on: node) { context in
      let lasting = context.alias()
      let once = context.alias(untilReply: true)
      for text in ["a1", "a2"] { lasting.send(text) }
      for text in ["b1", "b2"] { once.send(text) }
      let me = context.pid
      spawn { other in me.send("unaliased: \(other.unalias(lasting))") }
      let answer = try await context.receive(String.self, where: { $0.hasPrefix("un") })
      #expect(answer == "unaliased: false")
      lasting.send("a3")
      #expect(context.unalias(lasting) && !context.unalias(once))
      let seen = await mail(context)
      #expect(seen == ["a1", "a2", "b1", "a3"])
    }
  }

  @Test(
    "PR:monitor_alias, of the dead and of nobody",
    arguments: [(AliasMode.explicit, true), (.demonitor, false), (.replyDemonitor, false)])
  func ofTheDead(mode: AliasMode, stays: Bool) async throws {
    try await withProcess(on: node) { context in
      let pid = waiting()
      try await end(pid, seenBy: context)
      let (_, ofDead) = context.monitor(pid, alias: mode)
      let (_, ofNobody) = context.monitor("nobody", alias: mode)
      ofDead.send("dead")
      ofNobody.send("nobody")
      let seen = await mail(context)
      #expect(seen == (stays ? ["DOWN", "DOWN", "dead", "nobody"] : ["DOWN", "DOWN"]))
    }
  }

  @Test("PR:monitor_alias, a reply and a DOWN race: one of the two arrives, never both")
  func race() throws {
    try simulate(seeds: 0..<500) { sim in
      try await withProcess { context in
        let (gate, _) = context.spawnMonitor { inner in
          let alias = try await inner.receive(Alias.self)
          await Task.yield()
          alias.send("reply")
        }
        let (ref, alias) = context.monitor(gate, alias: .replyDemonitor)
        gate.send(alias)
        for _ in 0..<sim.random(in: 0..<4) { await Task.yield() }
        gate.sendExit(.error(Boom()))
        await sim.settle()
        var answers = 0
        while let next = try? await context.receive(timeout: .zero) {
          if next is String || (next as? Down)?.ref == ref { answers += 1 }
        }
        try #require(answers == 1)
        try #require(context.core.bonds == ProcessCore.Bonds())
      }
    }
  }
}
