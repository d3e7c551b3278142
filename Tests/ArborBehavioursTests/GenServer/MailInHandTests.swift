import ArborBehaviours
import ArborProcesses
import ArborTestKit
import Testing

/// A server takes all its mail at once. To everybody else what it has not come to is in its mailbox.
@Suite struct MailInHandTests {
  /// Has a server take a message, and with it what `others` sends it.
  private static func take(
    _ server: ServerRef<Scripted>, _ sim: Simulation, first: @escaping Scripted.Act,
    others: () async throws -> Void
  ) async throws {
    server.act { try await $0.process.sleep(for: .milliseconds(1)) }
    await sim.settle()
    server.act(first)
    try await others()
    try await withProcess { try await $0.sleep(for: .milliseconds(2)) }
    await sim.settle()
  }

  private static let goOn: Scripted.Act = { try await $0.process.sleep(for: .seconds(1)) }

  @Test("length, ledger and what is handled are as one by one; a kill takes the rest along")
  func looksTheSame() throws {
    try simulate(seeds: 0..<100) { sim in
      let server = try await Scripted.start { Scripted() }
      try await Self.take(server, sim, first: Self.goOn) {
        for _ in 0..<4 { server.act { $0.notes.append("handled") } }
      }
      let pid = try #require(server.pid)
      let info = try #require(pid.info)
      try #require(info.queueLength == 4 && info.messagesHandled == 2)
      try #require(pid.mailbox.queued == 4 && pid.mailbox.handled == 2)
      server.act { _ in }
      try #require(pid.mailbox.queued == 5 && pid.mailbox.highWater == 5)
      try await withProcess { context in
        let ref = context.monitor(pid)
        context.sendExit(.kill, to: pid)
        let down = try await context.receive(Down.self, where: { $0.ref == ref })
        try #require(down.reason == .killed)
      }
      let ledger = pid.mailbox
      try #require(ledger.queued == 0 && ledger.handled == 2 && ledger.droppedByExit == 5)
    }
  }

  @Test("all that it has taken is handled, in its order, and counted one by one")
  func inOrder() throws {
    try simulate(seeds: 0..<100) { sim in
      let server = try await Scripted.start { Scripted() }
      let seen = Heard<Int>()
      try await Self.take(server, sim, first: { _ in }) {
        for number in 0..<300 {  // more than it handles in one turn
          server.act { server in
            seen.add(number)
            try #require(server.process.mailbox.queued == 299 - number)
          }
        }
      }
      try #require(seen.all == Array(0..<300))
      try #require(server.pid?.mailbox.handled == 302)
    }
  }

  @Test("what it handles is told of each")
  func handling() throws {
    try simulate(seeds: 0..<100) { sim in
      let server = try await Scripted.start { Scripted() }
      let pid = try #require(server.pid)
      let kinds = Heard<PID.Handling.Kind?>()
      let tells: Scripted.Act = { kinds.add($0.process.pid.info?.handling?.kind) }
      var request: PendingRequest<Int>?
      try await Self.take(server, sim, first: { _ in }) {
        request = server.sendRequest {
          .ask(
            { server, from in
              try await tells(server)
              from.reply(0)
            }, $0)
        }
        server.act(tells)
      }
      _ = try await request?.waitResponse()
      try #require(kinds.all == [.call, .cast])
      try #require(pid.info?.handling == nil)
    }
  }

  @Test("where messages are timed, of each is known since when it is handled")
  func since() throws {
    try simulate(seeds: 0..<100) { sim in
      sim.node.timesMessages = true
      let server = try await Scripted.start { Scripted() }
      let began = Heard<UInt64>()
      try await Self.take(server, sim, first: { _ in }) {
        server.act { server in
          began.add(server.process.node.clock.now())
          try await Self.goOn(server)
        }
      }
      try await withProcess { try await $0.sleep(for: .milliseconds(500)) }
      let handling = try #require(server.pid?.info?.handling)
      try #require([handling.since] == began.all)
    }
  }

  @Test("a step that a handler asks for comes before the rest, and the rest after it")
  func steps() throws {
    try simulate(seeds: 0..<100) { sim in
      let server = try await Scripted.start { Scripted() }
      let goesOn: Scripted.Act = { $0.process.continueWith(Scripted.Continue("step")) }
      try await Self.take(server, sim, first: goesOn) {
        server.act { $0.note("one") }
        server.act { $0.note("two") }
      }
      server.act { $0.note("three") }
      let notes = try await server.notes
      try #require(notes == ["step", "one", "two", "three"])
    }
  }

  @Test("an end is not put down to one that the server was told of before its last message")
  func forgets() throws {
    try simulate(seeds: 0..<100) { sim in
      let server = try await Scripted.start { Scripted() }
      let pid = try #require(server.pid)
      let peer = spawn { _ = try await $0.receive() }
      server.act { server in
        server.process.trapExit()
        try server.process.link(peer)
      }
      await sim.settle()
      try await Self.take(server, sim, first: { _ in }) {
        peer.send("end")
        await sim.settle()
        server.act { _ in throw Broken() }
      }
      let fate = try #require(pid.fate)
      try #require(fate.reason == .error(Broken()) && fate.causes.isEmpty)
    }
  }

  @Test("who waits for an answer of a server that fails hears why, taken or not")
  func failure() throws {
    try simulate(seeds: 0..<100) { sim in
      let server = try await Scripted.start { Scripted() }
      var requests: [PendingRequest<Int>] = []
      let fails: Scripted.Act = { server in
        try await Self.goOn(server)
        throw Broken()
      }
      try await Self.take(server, sim, first: fails) {
        for number in 0..<3 {
          requests.append(server.sendRequest { .ask({ _, from in from.reply(number) }, $0) })
        }
      }
      requests.append(server.sendRequest { .ask({ _, from in from.reply(3) }, $0) })
      for request in requests {
        let error = await #expect(throws: CallError.self) { try await request.waitResponse() }
        try #require(error == .exit(.error(Broken())))
      }
      try #require(server.mailbox?.queued == 0 && server.mailbox?.droppedByExit == 4)
    }
  }

  @Test("a demonitor with flush finds the DOWN")
  func flush() throws {
    try simulate(seeds: 0..<100) { sim in
      let server = try await Scripted.start { Scripted() }
      let child = spawn { _ = try await $0.receive() }
      let refs = Heard<MonitorRef>()
      server.act { refs.add($0.process.monitor(child)) }
      await sim.settle()
      try await Self.take(
        server, sim,
        first: { server in
          for ref in refs.all { server.process.demonitor(ref, flush: true) }
        }
      ) {
        child.send("end")
        await sim.settle()
        server.act { $0.notes.append("later") }
      }
      try #require(server.mailbox?.flushed == 1)
      let notes = try await server.notes
      try #require(notes == ["later"])
    }
  }

  @Test(
    "a receive in a task of the handler's finds what it looks for, and leaves the rest in its order"
  )
  func receive() throws {
    try simulate(seeds: 0..<100) { sim in
      let server = try await Scripted.start { Scripted() }
      let pid = try #require(server.pid)
      let receives: Scripted.Act = { server in
        let process = server.process
        async let found = process.receive(Int.self, timeout: .zero)
        server.notes.append("found \(try await found)")
      }
      try await Self.take(server, sim, first: receives) {
        server.act { $0.notes.append("one") }
        pid.send(7)
        server.act { $0.notes.append("two") }
      }
      let notes = try await server.notes
      try #require(notes == ["found 7", "one", "two"])
    }
  }
}

private struct Broken: Error, Equatable {}
