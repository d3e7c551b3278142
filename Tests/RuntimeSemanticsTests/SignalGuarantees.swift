import ArborBehaviours
import ArborProcesses
import ArborTables
import ArborTestKit
import Testing

@Suite(.bothModes) struct SignalGuarantees {
  @Test("SIG-1: signals of one pair keep their order")
  func pairOrder() throws {
    try simulate(seeds: 0..<200) { _ in
      try await withProcess { context in
        context.trapExit()
        let me = context.pid
        let child = context.spawnLink { inner in
          for number in 0..<3 {
            me.send(number)
            await Task.yield()
          }
          me.sendExit(.shutdown("signal"))
          me.send(3)
          throw Boom()
        }
        _ = context.monitor(child)
        var seen: [String] = []
        while seen.count < 7 {
          switch try await context.receive() {
          case let number as Int: seen.append("\(number)")
          case let exit as Exit: seen.append("EXIT \(exit.reason)")
          case let down as Down: seen.append(down.reason == .error(Boom()) ? "DOWN" : "?")
          default: seen.append("?")
          }
        }
        try #require(
          seen == ["0", "1", "2", "EXIT shutdown(signal)", "3", "EXIT Boom()", "DOWN"])
      }
    }
  }

  @Test("SIG-2: queued mail is never handled after an exit signal")
  func queuedMail() throws {
    try simulate(seeds: 0..<200) { sim in
      try await withProcess { context in
        let me = context.pid
        let server = try await Script.start { Script(reader: me) }
        let latch = Latch()
        server.act { _ in await latch.pass() }
        let pid = try #require(server.pid)
        pid.send("queued")
        pid.sendExit(.shutdown)
        pid.send("late")
        latch.open()
        let reason = try await context.end(of: pid)
        try #require(reason == .shutdown)
        let rest = await context.drain()
        try #require(rest.isEmpty)
      }
    }
  }

  @Test("SIG-3: the first reason wins")
  func firstReason() async throws {
    try await withProcess(on: Node(workers: 2)) { context in
      let (pid, _) = context.spawnMonitor { inner in
        do { _ = try await inner.receive(Int.self) } catch { throw Boom() }
      }
      pid.sendExit(.shutdown("first"))
      pid.sendExit(.kill)
      let down = try await context.receive(Down.self)
      #expect(down.reason == .shutdown("first"))
    }
  }

  @Test("SIG-4: normal is ignored, but from oneself or trapped")
  func normal() async throws {
    try await withProcess(on: Node(workers: 2)) { context in
      let me = context.pid
      let (deaf, _) = context.spawnMonitor { inner in
        _ = try await inner.receive(String.self)
        inner.sendExit(.normal, to: inner.pid)
        _ = try await inner.receive(Int.self)
      }
      deaf.sendExit(.normal)
      #expect(deaf.isAlive)
      deaf.send("now oneself")
      let down = try await context.receive(Down.self)
      #expect(down.reason == .normal)
      context.trapExit()
      spawn { _ in me.sendExit(.normal) }
      let exit = try await context.receive(Exit.self)
      #expect(exit.reason == .normal)
    }
  }

  @Test("SIG-5: kill cannot be trapped, and is told on as killed")
  func kill() async throws {
    try await withProcess(on: Node(workers: 2)) { context in
      let me = context.pid
      let (pid, _) = context.spawnMonitor { inner in
        inner.trapExit()
        inner.spawnLink { peer in
          peer.trapExit()
          me.send("ready")
          me.send(try await peer.receive(Exit.self))
        }
        _ = try await inner.receive(Int.self)
      }
      _ = try await context.receive(String.self)
      pid.sendExit(.kill)
      let exit = try await context.receive(Exit.self)
      let down = try await context.receive(Down.self)
      #expect(exit.reason == .killed && exit.pid == pid && down.reason == .killed)
    }
  }

  @Test("SIG-6: a kill through a link can be trapped")
  func linkedKill() async throws {
    try await withProcess(on: Node(workers: 2)) { context in
      context.trapExit()
      let child = context.spawnLink { _ in throw ExitReason.kill }
      let exit = try await context.receive(Exit.self)
      #expect(exit.pid == child && exit.reason == .kill)
    }
  }
}
