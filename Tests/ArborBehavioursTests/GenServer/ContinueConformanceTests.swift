import ArborBehaviours
import ArborProcesses
import ArborTestKit
import Testing

/// What a handler asks for beside its return: cases of gen_server_SUITE.
@Suite struct ContinueConformanceTests {
  @Test("GS:continue: from the start, before any mail")
  func fromStart() throws {
    try simulate(seeds: 0..<500) { sim in
      spawn { context in
        // Perhaps before it starts, perhaps while it does.
        while (try? context.node.send("mail", to: "scripted")) == nil { await Task.yield() }
      }
      let server = try await Scripted.start(named: "scripted") {
        try await Scripted { server in
          server.process.continueWith(Scripted.Continue("first") { $0.note("in first") })
          server.process.continueWith(Scripted.Continue("second"))
          for _ in 0..<3 { await Task.yield() }
        }
      }
      await sim.settle()
      let notes = try await server.notes
      try #require(notes == ["first", "in first", "second", "mail"])
    }
  }

  @Test("GS:continue: from every callback, chained, before queued mail")
  func fromCallbacks() throws {
    try simulate(seeds: 0..<100) { sim in
      let server = try await Scripted.start { Scripted() }
      let go: Scripted.Act = { server in
        server.note("handler")
        server.process.continueWith(
          Scripted.Continue("one") { $0.process.continueWith(Scripted.Continue("two")) })
      }
      let expected = ["handler", "one", "two", "queued"]
      server.act(go)
      server.act { $0.note("queued") }
      var notes = try await server.notes
      try #require(notes == expected)

      server.act { $0.notes = [] }
      let call = server.sendRequest { (from: From<Int>) in
        .ask(
          { server, from in
            from.reply(1)
            try await go(server)
          }, from)
      }
      server.act { $0.note("queued") }
      let answer = try await call.receiveResponse()
      notes = try await server.notes
      try #require(answer == 1 && notes == expected)

      server.act { server in
        server.notes = []
        server.onInfo(go)
      }
      server.pid?.send("info")
      server.act { $0.note("queued") }
      notes = try await server.notes
      try #require(notes == ["info"] + expected)

      // An idle timeout is a callback too.
      server.act { server in
        server.notes = []
        server.process.idleTimeout(.seconds(1))
      }
      try await sim.context.sleep(for: .seconds(2))
      notes = try await server.notes
      try #require(notes == ["timeout", "handler", "one", "two"])
    }
  }

  @Test("GS:continue: one that throws ends the server, one that is none of its names itself")
  func failing() throws {
    try simulate(seeds: 0..<50) { _ in
      try await withProcess { context in
        let last = Heard<ExitReason>()
        let make = { @Sendable in Scripted { last.add($0) } }
        let (first, ref) = try await Scripted.startMonitor(make)
        first.act { server in
          server.process.continueWith(Scripted.Continue("boom") { _ in throw Boom() })
        }
        var down = try await context.receive(Down.self)
        try #require(down.ref == ref && down.reason == .error(Boom()))
        try #require(last.all == [.error(Boom())])
        let (second, _) = try await Scripted.startMonitor(make)
        second.act { $0.process.continueWith("a string") }
        down = try await context.receive(Down.self)
        try #require(
          down.reason == .error(ContinueError(given: "String", expected: "Continue")))
        // Asked by a handler that then fails, it is not done.
        let (third, _) = try await Scripted.startMonitor(make)
        third.act { server in
          server.process.continueWith(Scripted.Continue("never") { _ in last.add(.kill) })
          throw Boom()
        }
        _ = try await context.receive(Down.self)
        try #require(!last.all.contains(.kill))
      }
    }
  }

  @Test("idle timeout: after that time, once, and from the start too")
  func idle() throws {
    try simulate(seeds: 0..<50) { sim in
      let server = try await Scripted.start {
        try await Scripted { $0.process.idleTimeout(.seconds(3)) }
      }
      try await sim.context.sleep(for: .milliseconds(2900))
      var state = server.pid?.info?.messagesHandled
      try #require(state == 0)
      try await sim.context.sleep(for: .seconds(60))
      let notes = try await server.notes
      try #require(notes == ["timeout"])
      // Any mail takes it back.
      server.act { $0.process.idleTimeout(.seconds(1)) }
      try await sim.context.sleep(for: .milliseconds(500))
      server.pid?.send("mail")
      try await sim.context.sleep(for: .seconds(60))
      let later = try await server.notes
      try #require(later == ["timeout", "mail"])
      state = nil
    }
  }

  @Test("idle timeout: a system message has it begin anew, in full")
  func systemMessage() throws {
    try simulate(seeds: 0..<50) { sim in
      let fired = Heard<Duration>()
      let server = try await Scripted.start { Scripted() }
      server.act { server in
        server.onInfo { _ in fired.add(sim.now) }
        server.process.idleTimeout(.seconds(1))
      }
      try await sim.context.sleep(for: .milliseconds(600))
      let pid = try #require(server.pid)
      let status: SystemStatus = try await pid.ask(timeout: nil) { .status($0) }
      try #require(status.queueLength == 0)
      try await sim.context.sleep(for: .seconds(10))
      try #require(fired.all == [.milliseconds(1600)])
    }
  }

  @Test("idle timeout: zero is up on an empty mailbox, and only then")
  func zero() throws {
    try simulate(seeds: 0..<200) { sim in
      let server = try await Scripted.start { Scripted() }
      server.act { server in
        server.note("asks")
        server.process.idleTimeout(.zero)
      }
      let isBehind = sim.random(in: 0..<2) == 0
      if isBehind { server.act { $0.note("queued") } }
      await sim.settle()
      let notes = try await server.notes
      try #require(notes == (isBehind ? ["asks", "queued"] : ["asks", "timeout"]))
      try #require(sim.now == .zero)
    }
  }

  @Test("idle timeout: one of zero is up before anybody else has a turn")
  func zeroAtOnce() throws {
    try simulate(seeds: 0..<500) { sim in
      let server = try await Scripted.start { Scripted() }
      server.act { server in
        let pid = server.process.pid
        spawn { _ in pid.send("mail") }
        server.process.idleTimeout(.zero)
      }
      await sim.settle()
      let notes = try await server.notes
      try #require(notes == ["timeout", "mail"])
    }
  }

  @Test("idle timeout: a negative one ends the server, and says so")
  func negative() throws {
    try simulate(seed: 1) { _ in
      try await withProcess { context in
        let (server, _) = try await Scripted.startMonitor { Scripted() }
        server.act { $0.process.idleTimeout(.seconds(-1)) }
        let down = try await context.receive(Down.self)
        try #require(down.reason == .error(TimerError.negativeTime(.seconds(-1))))
      }
    }
  }

  @Test("GS:hibernate: the state is kept, the next message answered, whatever it is")
  func hibernate() throws {
    try simulate(seeds: 0..<100) { sim in
      let server = try await Scripted.start {
        try await Scripted { server in
          server.state = 7
          server.process.hibernate()
        }
      }
      let pid = try #require(server.pid)
      await sim.settle()
      try #require(pid.info?.status == .hibernating)
      // A system message wakes it for itself only.
      let status: SystemStatus = try await pid.ask(timeout: nil) { .status($0) }
      try #require(status.state as? Int == 7)
      await sim.settle()
      try #require(pid.info?.status == .hibernating)
      let state = try await server.ask { server, from in from.reply(server.state) }
      try #require(state == 7)
      await sim.settle()
      try #require(pid.info?.status == .waiting)
      for wake in [{ server.act { $0.note("cast") } }, { pid.send("info") }] {
        server.act { $0.process.hibernate() }
        await sim.settle()
        try #require(pid.info?.status == .hibernating)
        wake()
      }
      let notes = try await server.notes
      try #require(notes == ["cast", "info"])
      // An exit wakes it for good.
      server.act { $0.process.hibernate() }
      await sim.settle()
      pid.sendExit(.shutdown)
      await sim.settle()
      try #require(pid.fate?.reason == .shutdown)
    }
  }

  @Test("GS:auto_hibernate: by itself, after it was idle for so long")
  func autoHibernate() throws {
    try simulate(seeds: 0..<50) { sim in
      let server = try await Scripted.start(hibernateAfter: .seconds(1)) { Scripted() }
      let pid = try #require(server.pid)
      for _ in 0..<3 {
        let answer = try await server.ask { server, from in
          server.state += 1
          from.reply(server.state)
        }
        try await sim.context.sleep(for: .milliseconds(900))
        try #require(pid.info?.status == .waiting)
        try await sim.context.sleep(for: .milliseconds(200))
        try #require(pid.info?.status == .hibernating)
        try #require(answer > 0)
      }
      // A handler's own timeout goes before.
      server.act { $0.process.idleTimeout(.seconds(5)) }
      try await sim.context.sleep(for: .seconds(4))
      try #require(pid.info?.status == .waiting)
      try await sim.context.sleep(for: .seconds(60))
      let notes = try await server.notes
      try #require(notes == ["timeout"])
    }
  }
}
