import ArborBehaviours
import ArborProcesses
import ArborTestKit
import Testing

/// Monitors, aliases and links.
@Suite(.bothModes) struct BondGuarantees {
  let node = Node(workers: 2)

  private func waiting() -> PID {
    spawn(on: node) { context in
      _ = try await context.receive(String.self)
      throw Boom()
    }
  }

  @Test("MON-1: noproc, of the dead and of nobody")
  func noproc() async throws {
    try await withProcess(on: node) { context in
      let (pid, _) = context.spawnMonitor { _ in }
      _ = try await context.receive(Down.self)
      let refs = [context.monitor(pid), context.monitor("nobody")]
      for ref in refs {
        let down = try await context.receive(Down.self)
        #expect(down.ref == ref && down.reason == .noproc)
      }
    }
  }

  @Test("MON-2: a reference, a name, a tag to each")
  func references() async throws {
    try await withProcess(on: node) { context in
      let pid = waiting()
      try node.register("watched", for: pid)
      let plain = context.monitor(pid)
      let tagged = context.monitor(pid, tag: 7)
      let named = context.monitor("watched")
      pid.send("go")
      var downs: [MonitorRef: Down] = [:]
      for _ in 0..<3 {
        let down = try await context.receive(Down.self)
        downs[down.ref] = down
      }
      #expect(downs[plain]?.tag == nil && downs[plain]?.name == nil)
      #expect(downs[tagged]?.tag as? Int == 7 && downs[named]?.name == "watched")
      #expect(downs.values.allSatisfy { $0.pid == pid && $0.reason == .error(Boom()) })
    }
  }

  @Test("MON-3: nothing is left by demonitor with flush")
  func flush() throws {
    try simulate(seeds: 0..<500) { sim in
      try await withProcess { context in
        let (_, ref) = context.spawnMonitor { _ in }
        for _ in 0..<sim.random(in: 0..<4) { await Task.yield() }
        context.demonitor(ref, flush: true)
        await sim.settle()
        let rest = await context.drain()
        try #require(rest.isEmpty)
      }
    }
  }

  @Test("MON-4: mail by an alias that is off is dropped and counted")
  func counted() async throws {
    await withProcess(on: node) { context in
      let alias = context.alias()
      alias.send(1)
      context.unalias(alias)
      alias.send(2)
      let rest = await context.drain() as? [Int]
      #expect(rest == [1])
      #expect(context.core.ledger.droppedByAlias == 1)
    }
  }

  @Test("MON-5: explicit lives until unalias")
  func explicit() async throws {
    try await withProcess(on: node) { context in
      let pid = waiting()
      let (ref, alias) = context.monitor(pid, alias: .explicit)
      pid.send("go")
      _ = try await context.receive(Down.self)
      context.demonitor(ref)
      alias.send(1)
      context.unalias(alias)
      alias.send(2)
      let rest = await context.drain() as? [Int]
      #expect(rest == [1])
    }
  }

  @Test("MON-6: demonitor lives until DOWN, demonitor or unalias")
  func demonitor() async throws {
    try await withProcess(on: node) { context in
      let pids = (0..<3).map { _ in waiting() }
      let made = pids.map { context.monitor($0, alias: .demonitor) }
      for (_, alias) in made { alias.send(1) }
      for (_, alias) in made { alias.send(2) }  // a reply ends nothing
      context.demonitor(made[1].ref)
      context.unalias(made[2].alias)
      for pid in pids { pid.send("go") }
      let first = try await context.receive(Down.self)
      let second = try await context.receive(Down.self)
      #expect(Set([first.ref, second.ref]) == [made[0].ref, made[2].ref])
      for (_, alias) in made { alias.send(3) }
      let rest = await context.drain() as? [Int]
      #expect(rest == [1, 1, 1, 2, 2, 2])
    }
  }

  @Test("MON-7: replyDemonitor gives a reply or a DOWN, never both")
  func replyDemonitor() throws {
    try simulate(seeds: 0..<500) { sim in
      try await withProcess { context in
        let pid = spawn { inner in
          let alias = try await inner.receive(Alias.self)
          await Task.yield()
          alias.send("reply")
          alias.send("second reply")
        }
        let (_, alias) = context.monitor(pid, alias: .replyDemonitor)
        pid.send(alias)
        for _ in 0..<sim.random(in: 0..<5) { await Task.yield() }
        pid.sendExit(.kill)
        await sim.settle()
        let rest = await context.drain()
        try #require(rest.count == 1)
      }
    }
  }

  @Test("LINK-1: one per pair, both ways")
  func onePerPair() async throws {
    try await withProcess(on: node) { context in
      context.trapExit()
      let me = context.pid
      let pid = spawn { inner in
        try inner.link(me)
        try inner.link(me)
        me.send("linked")
        _ = try await inner.receive(String.self)
      }
      _ = try await context.receive(String.self)
      try context.link(pid)
      #expect(context.core.bonds.links == 1 && pid.core.bonds.links == 1)
      context.unlink(pid)
      #expect(context.core.bonds.links == 0 && pid.core.bonds.links == 0)
      try context.link(pid)
      pid.send("go")
      _ = try await context.receive(Exit.self)
      let rest = await context.drain()
      #expect(rest.isEmpty)
    }
  }

  @Test("LINK-2: linking the dead")
  func dead() async throws {
    try await withProcess(on: node) { context in
      let (pid, _) = context.spawnMonitor { _ in }
      _ = try await context.receive(Down.self)
      #expect(throws: LinkError.noproc(pid)) { try context.link(pid) }
      context.trapExit()
      try context.link(pid)
      let exit = try await context.receive(Exit.self)
      #expect(exit.pid == pid && exit.reason == .noproc)
    }
  }

  @Test("LINK-3: shutdown takes peers along", arguments: [ExitReason.shutdown, .shutdown("x")])
  func shutdown(reason: ExitReason) async throws {
    try await withProcess(on: node) { context in
      let (pid, _) = context.spawnMonitor { inner in
        inner.spawnLink { _ in throw reason }
        _ = try await inner.receive(Int.self)
      }
      let down = try await context.receive(Down.self)
      #expect(down.pid == pid && down.reason == reason)
    }
  }

  @Test(
    "LINK-4: the parent's end ends a server that traps exits",
    arguments: [ExitReason.normal, .shutdown, .kill, .error(Boom())])
  func parent(reason: ExitReason) async throws {
    try await withProcess(on: node) { context in
      let me = context.pid
      let parent = spawn { parent in
        let server = try await Script.startLink { Script(reader: me, trapsExit: true) }
        server.act { _ in
          me.send(server)
          // Until both are in the mailbox: the message, then the parent's end.
          while parent.pid.fate == nil { await Task.yield() }
        }
        _ = try await parent.receive(String.self)
        server.pid?.send("before")
        throw reason
      }
      let server = try await context.receive(ServerRef<Script>.self)
      let ref = context.monitor(try #require(server.pid))
      parent.send("go")
      let before = try await context.receive() as? String
      #expect(before == "before")
      let terminated = try await context.receive() as? Script.Terminated
      #expect(terminated?.reason == reason)
      let down = try await context.receive() as? Down
      #expect(down?.ref == ref && down?.reason == reason)
    }
  }

  @Test("LINK-5: unlinked, the other's end is not heard")
  func unlinked() throws {
    try simulate(seeds: 0..<200) { sim in
      try await withProcess { context in
        context.trapExit()
        let pid = context.spawnLink { inner in _ = try await inner.receive(String.self) }
        pid.send("go")
        for _ in 0..<sim.random(in: 0..<4) { await Task.yield() }
        let before = context.core.ledger.queued
        context.unlink(pid)
        await sim.settle()
        let rest = await context.drain()
        try #require(rest.count == before)
      }
    }
  }
}
