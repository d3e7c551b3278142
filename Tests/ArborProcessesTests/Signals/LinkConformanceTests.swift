import ArborProcesses
import ArborTestKit
import Testing

private struct Boom: Error, Equatable {}

/// Links: cases of erl_link_SUITE.
@Suite struct LinkConformanceTests {
  let node = Node(workers: 2)

  private enum Order: Sendable {
    case link(PID)
    case unlink(PID)
    case end(ExitReason)
  }

  /// A process that traps exits, does as it is told, and says which EXITs it got.
  @Sendable private static func follow(_ context: ProcessContext, reader: PID) async throws {
    context.trapExit()
    while true {
      switch try await context.receive() {
      case let order as Order:
        switch order {
        case .link(let pid): try context.link(pid)
        case .unlink(let pid): context.unlink(pid)
        case .end(let reason): throw reason
        }
      case let exit as Exit:
        if let pid = exit.pid { reader.send(Heard(by: context.pid, of: pid, reason: exit.reason)) }
      default: break
      }
    }
  }

  private struct Heard: Sendable {
    let by: PID, of: PID, reason: ExitReason
  }

  private struct Pair: Hashable {
    let first: PID, second: PID
    init(_ one: PID, _ other: PID) { (first, second) = (min(one, other), max(one, other)) }
  }

  @Test("LINK:links")
  func property() throws {
    // Any sequence of links and unlinks between live processes, against a set of pairs; then each
    // end is heard exactly by those who are linked.
    try simulate(seeds: 0..<500) { sim in
      try await withProcess { context in
        let me = context.pid
        var living = (0..<5).map { _ in
          spawn { context in try await Self.follow(context, reader: me) }
        }
        var model: Set<Pair> = []
        while living.count > 1 {
          for _ in 0..<6 {
            let who = living[sim.random(in: 0..<living.count)]
            let whom = living[sim.random(in: 0..<living.count)]
            if sim.random(in: 0..<3) > 0 {
              who.send(Order.link(whom))
              if who != whom { model.insert(Pair(who, whom)) }
            } else {
              who.send(Order.unlink(whom))
              model.remove(Pair(who, whom))
            }
            await sim.settle()
          }
          for pid in living {
            let count = model.count { $0.first == pid || $0.second == pid }
            try #require(pid.core.bonds.links == count)
          }
          let dying = living.remove(at: sim.random(in: 0..<living.count))
          let reason: ExitReason = sim.random(in: 0..<2) == 0 ? .normal : .error(Boom())
          dying.send(Order.end(reason))
          await sim.settle()
          var heard: [PID] = []
          while let next = try? await context.receive(Heard.self, timeout: .zero) {
            try #require(next.of == dying && next.reason == reason)
            heard.append(next.by)
          }
          let peers = living.filter { model.contains(Pair($0, dying)) }
          try #require(heard.sorted() == peers)
          model = model.filter { $0.first != dying && $0.second != dying }
          try #require(dying.core.bonds.links == 0)
        }
      }
    }
  }

  @Test("LINK:links, made and broken while both die")
  func racing() throws {
    try simulate(seeds: 0..<500) { sim in
      try await withProcess { context in
        let me = context.pid
        let pair = (0..<2).map { _ in
          spawn { context in try await Self.follow(context, reader: me) }
        }
        for _ in 0..<8 {
          let who = sim.random(in: 0..<2)
          switch sim.random(in: 0..<5) {
          case 0, 1: pair[who].send(Order.link(pair[1 - who]))
          case 2: pair[who].send(Order.unlink(pair[1 - who]))
          case 3: pair[who].send(Order.end(.error(Boom())))
          default: await Task.yield()
          }
        }
        for pid in pair { pid.sendExit(.kill) }
        await sim.settle()
        for pid in pair { try #require(pid.core.bonds == ProcessCore.Bonds()) }
        // At most one EXIT of the end, and one noproc for each link made after it.
        var ends = [0, 0]
        while let next = try? await context.receive(Heard.self, timeout: .zero) {
          if next.reason != .noproc { ends[pair[0] == next.by ? 0 : 1] += 1 }
        }
        try #require(ends[0] <= 1 && ends[1] <= 1)
      }
    }
  }

  @Test(
    "LINK:links, a peer that does not trap is taken down by any reason but normal",
    arguments: [
      (ExitReason.normal, ExitReason?.none), (.shutdown, .shutdown),
      (.shutdown("x"), .shutdown("x")), (.kill, .kill), (.error(Boom()), .error(Boom())),
    ])
  func nonTrapping(reason: ExitReason, told: ExitReason?) async throws {
    try await withProcess(on: node) { context in
      let me = context.pid
      let (peer, ref) = context.spawnMonitor { inner in
        let child = inner.spawnLink { child in
          _ = try await child.receive(String.self)
          throw reason
        }
        me.send(child)
        _ = try await inner.receive(String.self)
      }
      let child = try await context.receive(PID.self)
      let childRef = context.monitor(child)
      child.send("go")
      _ = try await context.receive(Down.self, where: { $0.ref == childRef })
      // Its EXIT has been delivered: links are told before monitors.
      #expect(peer.isAlive == (told == nil))
      peer.send("go")
      let down = try await context.receive(Down.self, where: { $0.ref == ref })
      #expect(down.reason == told ?? .normal)
    }
  }

  @Test("LINK:links, the dead: noproc is thrown, or trapped as mail")
  func toTheDead() async throws {
    try await withProcess(on: node) { context in
      let (dead, _) = context.spawnMonitor { _ in }
      _ = try await context.receive(Down.self)
      #expect(throws: LinkError.noproc(dead)) { try context.link(dead) }
      context.trapExit()
      try context.link(dead)
      let exit = try await context.receive(Exit.self)
      #expect(exit.pid == dead && exit.reason == .noproc)
      try context.link(context.pid)  // to oneself: nothing
      #expect(context.core.bonds == ProcessCore.Bonds())
    }
  }

  @Test("LINK:links, two nodes: processes of one id are two")
  func twoNodes() async throws {
    let other = Node(workers: 2)
    try await withProcess(on: node) { context in
      context.trapExit()
      let pids = [node, other].map { node in
        spawn(on: node) { context in _ = try await context.receive(String.self) }
      }
      // Ids count from one on each node: fill up until both have one of the same.
      var twin = pids[1]
      while twin.id < pids[0].id {
        twin.send("go")
        twin = spawn(on: other) { context in _ = try await context.receive(String.self) }
      }
      #expect(twin.id == pids[0].id && twin != pids[0])
      for pid in [pids[0], twin] { try context.link(pid) }
      #expect(context.core.bonds.links == 2)
      for pid in [pids[0], twin] {
        pid.send("go")
        let exit = try await context.receive(Exit.self)
        #expect(exit.pid == pid)
      }
    }
  }

  @Test("LINK:links, a child whose parent is gone before its first turn never runs")
  func orphan() throws {
    try simulate(seeds: 0..<500) { sim in
      try await withProcess { context in
        let me = context.pid
        let (parent, _) = context.spawnMonitor { inner in
          me.send("running")
          do { _ = try await inner.receive(Int.self) } catch {}
          // Told to exit, it starts one that it can no longer be linked to.
          let child = inner.spawnLink { _ in
            me.core.deliver(Mail.make(.message, "ran", context: nil))
          }
          me.core.deliver(Mail.make(.message, child, context: nil))
        }
        _ = try await context.receive(String.self)
        parent.sendExit(.shutdown)
        let child = try await context.receive(PID.self)
        await sim.settle()
        try #require(child.fate?.reason == .killed)
        let ran = try? await context.receive(String.self, timeout: .zero)
        try #require(ran == nil)
      }
    }
  }
}
