import ArborPrimitives
import ArborProcesses
import ArborTestKit
import Testing

private struct Boom: Error, Equatable {}

/// Something that a process holds, and that has others look at the process while it is let go of.
private final class Visitor: OwnedResource {
  let visit: @Sendable () -> Void
  init(_ visit: @escaping @Sendable () -> Void) { self.visit = visit }
  func ownerReleased(_ owner: PID, reason: ExitReason) { visit() }
}

/// Monitors that are taken back, and aliases, while the other end dies: cases of monitor_SUITE and
/// signal_SUITE.
@Suite struct MonitorRaceConformanceTests {
  @Test("MON:local_remove_monitor: demonitor says whether there is a DOWN to come")
  func removed() throws {
    try simulate(seeds: 0..<500) { sim in
      try await withProcess { context in
        let refs = (0..<10).map { _ in context.monitor(spawn { _ in }) }
        for _ in 0..<sim.random(in: 0..<12) { await Task.yield() }
        for ref in refs {
          let wasSet = context.demonitor(ref)
          let down = try? await context.receive(Down.self, timeout: .zero) { $0.ref == ref }
          try #require((down == nil) == wasSet)
        }
        await sim.settle()
        try #require(context.mailbox.queued == 0)
        try #require(context.core.bonds == ProcessCore.Bonds())
      }
    }
  }

  @Test("who monitors a process in its release hears of the end once nothing is held any more")
  func monitoredInRelease() async throws {
    try await withProcess(on: Node(workers: 1)) { context in
      let pid = spawn { inner in _ = try await inner.receive(String.self) }
      let heardAtOnce = Lock<(alive: Bool, queued: Int)?>(nil)
      let ref = Lock<MonitorRef?>(nil)
      let visitor = Visitor {
        ref.withLock { $0 = context.monitor(pid) }
        heardAtOnce.withLock { $0 = (pid.isAlive, context.mailbox.queued) }
      }
      #expect(pid.core.adopt(visitor))
      pid.sendExit(.kill)
      let down = try await context.receive(Down.self)
      #expect(down.ref == ref.withLock { $0 } && down.reason == .noproc)
      #expect(heardAtOnce.withLock { $0?.alive } == false)
      #expect(heardAtOnce.withLock { $0?.queued } == 0)
      #expect(pid.core.bonds == ProcessCore.Bonds() && context.core.bonds == ProcessCore.Bonds())
      let later = context.monitor(pid)
      let second = try await context.receive(Down.self)
      #expect(second.ref == later && second.reason == .noproc)
    }
  }

  @Test("a monitor that is taken back while the other is being released brings no DOWN")
  func takenBackInRelease() async throws {
    try await withProcess(on: Node(workers: 1)) { context in
      let pid = spawn { inner in _ = try await inner.receive(String.self) }
      let (early, kept) = (context.monitor(pid), context.monitor(pid))
      let wasSet = Lock(false)
      let visitor = Visitor { wasSet.withLock { $0 = context.demonitor(early) } }
      #expect(pid.core.adopt(visitor))
      pid.sendExit(.kill)
      let down = try await context.receive(Down.self)
      #expect(down.ref == kept && down.reason == .killed)
      #expect(wasSet.withLock { $0 })
      #expect(context.mailbox.queued == 0 && context.core.bonds == ProcessCore.Bonds())
    }
  }

  @Test("MON:unexpected_alias_at_demonitor_gh5310: demonitor ends a reply alias for good")
  func aliasEndsWithDemonitor() throws {
    try simulate(seeds: 0..<500) { sim in
      try await withProcess { context in
        let pid = spawn { inner in try await inner.receive(Alias.self).send("by the alias") }
        let plain = context.monitor(pid)
        let (ref, alias) = context.monitor(pid, alias: .replyDemonitor)
        context.demonitor(ref, flush: true)
        pid.send(alias)
        let down = try await context.receive(Down.self)
        try #require(down.ref == plain && down.reason == .normal)
        await sim.settle()
        try #require(context.mailbox.queued == 0 && context.mailbox.droppedByAlias == 1)
      }
    }
  }

  @Test("MON:down_on_alias_gh5310: an alias that outlives its monitor brings no DOWN")
  func noDownByAlias() throws {
    try simulate(seeds: 0..<500) { sim in
      try await withProcess { context in
        let pid = spawn { inner in
          _ = try await inner.receive(String.self)
          throw Boom()
        }
        let (ref, alias) = context.monitor(pid, alias: .explicit)
        pid.send("go")
        for _ in 0..<sim.random(in: 0..<5) { await Task.yield() }
        context.demonitor(ref, flush: true)
        await sim.settle()
        alias.send("still on")
        try #require(!pid.isAlive)
        let rest = try await context.receive() as? String
        try #require(rest == "still on" && context.mailbox.queued == 0)
      }
    }
  }

  @Test("MON:gh_5225_demonitor_alias: taking back what is only an alias does nothing")
  func demonitorOfAlias() throws {
    try simulate(seed: 1) { sim in
      try await withProcess { context in
        let alias = context.alias()
        try #require(!context.demonitor(alias.ref))
        try #require(!context.demonitor(alias.ref, flush: true))
        let pid = spawn { _ in }
        let (ref, ofMonitor) = context.monitor(pid, alias: .explicit)
        let down = try await context.receive(Down.self)
        try #require(down.ref == ref && !context.demonitor(ref, flush: true))
        let (again, ofDead) = context.monitor(pid, alias: .explicit)
        let noproc = try await context.receive(Down.self)
        try #require(noproc.ref == again && noproc.reason == .noproc)
        try #require(!context.demonitor(again) && !context.demonitor(again, flush: true))
        for alias in [alias, ofMonitor, ofDead] { alias.send(1) }
        try #require(context.mailbox.queued == 3)
        for alias in [alias, ofMonitor, ofDead] { try #require(context.unalias(alias)) }
      }
    }
  }

  @Test(
    "MON:monitor_3_noproc_gh6185: of nobody, with alias, tag, both, by name and by PID",
    arguments: [false, true], [false, true])
  func ofNobody(hasTag: Bool, isByName: Bool) throws {
    try simulate(seed: 2) { sim in
      try await withProcess { context in
        let dead = spawn { _ in }
        await sim.settle()
        let tag = hasTag ? 7 : nil
        let (ref, alias) =
          isByName
          ? context.monitor("nobody", tag: tag, alias: .explicit)
          : context.monitor(dead, tag: tag, alias: .explicit)
        alias.send("first")
        context.pid.send("second")
        guard let down = try await context.receive() as? Down else { throw Boom() }
        try #require(down.ref == ref && down.reason == .noproc && down.tag as? Int == tag)
        try #require(down.name == (isByName ? "nobody" : nil))
        try #require(down.pid == (isByName ? nil : dead))
        for text in ["first", "second"] {
          let next = try await context.receive() as? String
          try #require(next == text)
        }
        try #require(context.unalias(alias))
        alias.send("third")
        try #require(context.mailbox.queued == 0 && context.core.bonds == ProcessCore.Bonds())
      }
    }
  }

  @Test("SIG:monitor_named_order_local: by PID, name and aliases, one pair has one order")
  func oneOrder() throws {
    try simulate(seeds: 0..<500) { sim in
      let node = sim.node
      try await withProcess { context in
        let me = context.pid
        try context.register("tester")
        let plain = context.alias()
        let sender = spawn { inner in
          try inner.register("sender")
          me.send("ready")
          let ofMonitor = try await inner.receive(Alias.self)
          for number in 0..<12 {
            switch number % 4 {
            case 0: me.send(number)
            case 1: try node.send(number, to: "tester")
            case 2: plain.send(number)
            default: ofMonitor.send(number)
            }
            if number % 5 == 0 { await Task.yield() }
          }
        }
        _ = try await context.receive(String.self)
        let (ref, alias) = context.monitor("sender", alias: .explicit)
        sender.send(alias)
        for number in 0..<12 {
          let next = try await context.receive() as? Int
          try #require(next == number)
        }
        let down = try await context.receive() as? Down
        try #require(down?.ref == ref && down?.name == "sender" && down?.reason == .normal)
      }
    }
  }

  @Test("MON:case_1, case_1a: who is watched kills its watcher", arguments: [false, true])
  func watcherDies(atOnce: Bool) throws {
    try simulate(seeds: 0..<500) { sim in
      try await withProcess { context in
        let (watcher, _) = context.spawnMonitor { inner in
          let me = inner.pid
          let body: @Sendable (ProcessContext) async throws -> Void = { watched in
            _ = try await watched.receive(String.self)
            me.sendExit(.error(Boom()))
          }
          let watched: PID
          if atOnce {
            watched = inner.spawnMonitor(body).pid
          } else {
            watched = spawn(body)
            _ = inner.monitor(watched)
          }
          watched.send("go")
          _ = try await inner.receive(Int.self)
        }
        let down = try await context.receive(Down.self)
        try #require(down.reason == .error(Boom()))
        await sim.settle()
        try #require(watcher.core.bonds == ProcessCore.Bonds() && sim.node.processCount == 1)
      }
    }
  }

  @Test("MON:case_2, case_2a, demon_e_1: the watched cannot take the monitor back")
  func byTheWatched() throws {
    try simulate(seeds: 0..<500) { _ in
      try await withProcess { context in
        let me = context.pid
        let (watched, ref) = context.spawnMonitor { inner in
          me.send(inner.demonitor(try await inner.receive(MonitorRef.self), flush: true))
        }
        watched.send(ref)
        let wasSet = try await context.receive() as? Bool
        try #require(wasSet == false)
        let down = try await context.receive() as? Down
        try #require(down?.ref == ref && down?.reason == .normal)
      }
    }
  }

  @Test("MON:demon_1, demon_2: taken back twice, of oneself, before the end")
  func takenBack() throws {
    try simulate(seeds: 0..<500) { sim in
      try await withProcess { context in
        let ofMyself = context.monitor(context.pid)
        context.demonitor(ofMyself)
        context.demonitor(ofMyself)
        let pid = spawn { inner in try await inner.sleep(for: .seconds(100)) }
        let ref = context.monitor(pid)
        if sim.random(in: 0..<2) == 0 { await Task.yield() }
        try #require(context.demonitor(ref))
        pid.sendExit(.error(Boom()))
        await sim.settle()
        try #require(context.mailbox.sent == 0 && context.core.bonds == ProcessCore.Bonds())
      }
    }
  }

  @Test("MON:mixer: both watch each other; the lists say so, from both sides, until the end")
  func mixer() throws {
    try simulate(seeds: 0..<500) { sim in
      try await withProcess { context in
        let me = context.pid
        let others = (0..<5).map { _ in
          spawn { inner in
            var ref = inner.monitor(me)
            while true {
              switch try await inner.receive(String.self) {
              case "demonitor": inner.demonitor(ref)
              case "monitor": ref = inner.monitor(me)
              default: throw Boom()
              }
              me.send("done")
            }
          }
        }
        await sim.settle()
        var info = try #require(me.info)
        try #require(info.monitoredBy == others && info.monitors.isEmpty)
        let mine = others.map { context.monitor($0) }
        info = try #require(me.info)
        try #require(info.monitoredBy == others && info.monitors == others)
        let fickle = sim.random(in: 0..<5)
        others[fickle].send("demonitor")
        _ = try await context.receive(String.self)
        info = try #require(me.info)
        try #require(info.monitoredBy == others.filter { $0 != others[fickle] })
        try #require(info.monitors == others)
        others[fickle].send("monitor")
        _ = try await context.receive(String.self)
        context.demonitor(mine[fickle])
        info = try #require(me.info)
        try #require(info.monitors == others.filter { $0 != others[fickle] })
        for pid in others { pid.send("end") }
        await sim.settle()
        info = try #require(me.info)
        try #require(info.monitoredBy.isEmpty && info.monitors.isEmpty && info.queueLength == 4)
      }
    }
  }
}
