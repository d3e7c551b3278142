import ArborProcesses
import ArborTestKit
import Testing

private struct Boom: Error, Equatable {}

/// Links that are made and taken back while the other end does the same, or dies: cases of
/// erl_link_SUITE and signal_SUITE.
@Suite struct LinkRaceConformanceTests {
  @Test("LINK:otp_5772_link: after unlink no EXIT comes that is not there already")
  func lateExit() throws {
    try simulate(seeds: 0..<500) { sim in
      try await withProcess { context in
        context.trapExit()
        let pid = context.spawnLink { inner in _ = try await inner.receive(String.self) }
        for _ in 0..<sim.random(in: 0..<3) { await Task.yield() }
        pid.sendExit(.error(Boom()))
        for _ in 0..<sim.random(in: 0..<3) { await Task.yield() }
        context.unlink(pid)
        _ = try? await context.receive(Exit.self, timeout: .zero)
        await sim.settle()
        try #require(context.mailbox.queued == 0 && !pid.isAlive)
      }
    }
  }

  @Test("LINK:otp_5772_monitor: after demonitor no DOWN comes that is not there already")
  func lateDown() throws {
    try simulate(seeds: 0..<500) { sim in
      try await withProcess { context in
        let (pid, ref) = context.spawnMonitor { inner in _ = try await inner.receive(String.self) }
        for _ in 0..<sim.random(in: 0..<3) { await Task.yield() }
        pid.sendExit(.error(Boom()))
        for _ in 0..<sim.random(in: 0..<3) { await Task.yield() }
        context.demonitor(ref)
        _ = try? await context.receive(Down.self, timeout: .zero)
        await sim.settle()
        try #require(context.mailbox.queued == 0 && !pid.isAlive)
      }
    }
  }

  private enum Step: Sendable { case link, unlink, yield }

  /// Two processes that link and unlink each other at once; in the end both say the same.
  private func race(_ sim: Simulation, _ first: [Step], _ second: [Step]) async throws {
    try await withProcess { context in
      let me = context.pid
      let pair = [first, second].map { steps in
        spawn { inner in
          let other = try await inner.receive(PID.self)
          for step in steps {
            switch step {
            case .link: try inner.link(other)
            case .unlink: inner.unlink(other)
            case .yield: await Task.yield()
            }
            if sim.random(in: 0..<4) == 0 { await Task.yield() }
          }
          me.send("done")
          _ = try await inner.receive(String.self)
        }
      }
      pair[0].send(pair[1])
      pair[1].send(pair[0])
      for _ in pair { _ = try await context.receive(String.self) }
      try #require(pair.allSatisfy { $0.isAlive })
      let links = try pair.map { try #require($0.info).links }
      let isLinked = !links[0].isEmpty
      try #require(links == (isLinked ? [[pair[1]], [pair[0]]] : [[], []]))
      // And it works as it says.
      pair[0].sendExit(.error(Boom()))
      await sim.settle()
      try #require(pair[1].isAlive == !isLinked)
      pair[1].sendExit(.kill)
    }
  }

  @Test("LINK:otp_17127_local_link_with_simultaneous_link_unlink")
  func simultaneous() throws {
    try simulate(seeds: 0..<500) { sim in try await race(sim, [.link], [.link, .unlink]) }
  }

  @Test("LINK:otp_17127_local_random")
  func random() throws {
    try simulate(seeds: 0..<500) { sim in
      let steps = (0..<2).map { _ in
        (0..<20).map { _ in [Step.link, .unlink, .yield][sim.random(in: 0..<3)] }
      }
      try await race(sim, steps[0], steps[1])
    }
  }

  @Test("LINK:otp_17127_local_random, on threads")
  func threads() async throws {
    let node = Node(workers: 2)
    try await withProcess(on: node) { context in
      let me = context.pid
      for _ in 0..<effort(of: 50) {
        let pair = (0..<2).map { side in
          spawn { inner in
            let other = try await inner.receive(PID.self)
            for number in 0..<200 {
              if (number &* 7 &+ side) % 3 == 0 {
                inner.unlink(other)
              } else {
                try inner.link(other)
              }
            }
            me.send("done")
            _ = try await inner.receive(String.self)
          }
        }
        pair[0].send(pair[1])
        pair[1].send(pair[0])
        for _ in pair { _ = try await context.receive(String.self) }
        let links = try pair.map { try #require($0.info).links }
        #expect(links == [[pair[1]], [pair[0]]] || links == [[], []])
        for pid in pair { pid.sendExit(.kill) }
      }
    }
  }

  @Test("LINK:process_monitors: of oneself, by PID and by name, there is none")
  func ofMyself() throws {
    try simulate(seed: 1) { sim in
      try await withProcess { context in
        let byPID = context.monitor(context.pid)
        try context.register("myself")
        let byName = context.monitor("myself")
        let info = try #require(context.pid.info)
        try #require(info.monitors.isEmpty && info.monitoredBy.isEmpty && byPID != byName)
        await sim.advance(by: .seconds(1))
        try #require(context.mailbox.sent == 0)
        context.demonitor(byPID)
        context.demonitor(byName)
      }
    }
  }

  @Test("SIG:unlink_exit: who links again hears noproc, or why the other ended, and once")
  func linkedAgain() throws {
    try simulate(seeds: 0..<500) { sim in
      try await withProcess { context in
        let (child, ref) = context.spawnMonitor { child in
          child.trapExit()
          let parent = try await child.receive(PID.self)
          parent.send("go")
          _ = try await child.receive(String.self)  // unlinked by now
          for _ in 0..<sim.random(in: 0..<4) { await Task.yield() }
          let wasAlive = parent.isAlive
          try child.link(parent)
          let exit = try await child.receive(Exit.self)
          try #require(exit.reason == .noproc || wasAlive && exit.reason == .shutdown("bye"))
          let another = try? await child.receive(timeout: .seconds(1))
          try #require(another == nil)
        }
        let parent = spawn { parent in
          try parent.link(child)
          child.send(parent.pid)
          _ = try await parent.receive(String.self)
          parent.unlink(child)
          child.send("unlinked")
          throw ExitReason.shutdown("bye")
        }
        let down = try await context.receive(Down.self, where: { $0.ref == ref })
        try #require(down.reason == .normal && !parent.isAlive)
      }
    }
  }
}
