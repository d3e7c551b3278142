import ArborBehaviours
import ArborProcesses
import ArborTestKit
import Testing

/// Requests that nobody waits for at once, and requests to many: cases of gen_server_SUITE.
@Suite struct RequestConformanceTests {
  @Test("GS:call: replies later, and in any order")
  func deferred() throws {
    try simulate(seeds: 0..<200) { sim in
      let server = try await Scripted.start { Scripted() }
      let calls = (0..<5).map { _ in
        Task { try await server.ask { server, from in server.kept.append(from) } }
      }
      await sim.settle()
      // By itself, and by another process.
      server.act { server in
        for (index, from) in server.kept.enumerated().reversed() {
          if index % 2 == 0 { from.reply(index) } else { spawn { _ in from.reply(index) } }
        }
        server.kept = []
      }
      var answers: Set<Int> = []
      for call in calls { answers.insert(try await call.value) }
      try #require(answers == [0, 1, 2, 3, 4])
    }
  }

  @Test("GS:call: a reply that comes too late is dropped, and the next call is not confused")
  func late() throws {
    try simulate(seeds: 0..<100) { sim in
      try await withProcess { context in
        let server = try await Scripted.start { Scripted() }
        let error = await #expect(throws: CallError.timeout) {
          try await server.ask(timeout: .milliseconds(1)) { server, from in
            try await server.process.sleep(for: .milliseconds(10))
            from.reply(1)
          }
        }
        try #require(error != nil)
        let answer = try await server.ask { _, from in from.reply(2) }
        try #require(answer == 2)
        let mail = try? await context.receive(timeout: .seconds(1))
        try #require(mail == nil)
      }
    }
  }

  @Test("GS:send_request: wait, receive, check; abandoned on timeout")
  func sendRequest() throws {
    try simulate(seeds: 0..<200) { sim in
      let server = try await Scripted.start { Scripted() }
      let delayed = { @Sendable (_ server: isolated Scripted, _ from: From<Int>) async throws in
        try await server.process.sleep(for: .seconds(1))
        from.reply(7)
      }
      let first: PendingRequest<Int> = server.sendRequest { .ask(delayed, $0) }
      try #require(first.checkResponse() == nil)
      let early = await #expect(throws: CallError.timeout) {
        try await first.waitResponse(timeout: .milliseconds(500))
      }
      try #require(early != nil)
      let answer = try await first.waitResponse(timeout: .seconds(1))
      let again = try await first.waitResponse()
      try #require(answer == 7 && again == 7 && first.checkResponse() == .success(7))
      // Given up, it is never answered.
      let second: PendingRequest<Int> = server.sendRequest { .ask(delayed, $0) }
      let late = await #expect(throws: CallError.timeout) {
        try await second.receiveResponse(timeout: .milliseconds(500))
      }
      try #require(late != nil)
      try await sim.context.sleep(for: .seconds(2))
      try #require(second.checkResponse() == .failure(.cancelled))
      // It goes as a call does.
      let third: PendingRequest<Int> = server.sendRequest { .ask({ _, _ in throw Boom() }, $0) }
      let crashed = await #expect(throws: CallError.exit(.error(Boom()))) {
        try await third.receiveResponse()
      }
      try #require(crashed != nil)
      let fourth: PendingRequest<Int> = server.sendRequest { .ask(delayed, $0) }
      try #require(fourth.checkResponse() == .failure(.noproc))
      let nobody: PendingRequest<Int> =
        ServerRef<Scripted>(named: "nobody").sendRequest { .ask(delayed, $0) }
      try #require(nobody.checkResponse() == .failure(.noproc))
    }
  }

  @Test("a request that is let go of unanswered leaves nothing at the server")
  func forgotten() throws {
    try simulate(seeds: 0..<50) { sim in
      let server = try await Scripted.start { Scripted() }
      let pid = try #require(server.pid)
      do {
        let _: PendingRequest<Int> = server.sendRequest {
          .ask({ server, from in server.kept.append(from) }, $0)
        }
      }
      await sim.settle()
      try #require(pid.info?.unansweredCalls == 1)
      server.act { server in
        server.kept[0].reply(1)
        server.kept = []
      }
      await sim.settle()
      try #require(pid.info?.unansweredCalls == 0)
    }
  }

  @Test("a handler that waits for its own server's answer fails at once")
  func oneself() throws {
    try simulate(seed: 1) { _ in
      let server = try await Scripted.start { Scripted() }
      let answer = try await server.ask { server, from in
        let own = ServerRef<Scripted>(server.pid)
        let request: PendingRequest<Int> = own.sendRequest { .ask({ $1.reply(1) }, $0) }
        do {
          _ = try await request.receiveResponse()
        } catch {
          from.reply((error as? CallError) == .callingSelf ? 1 : 2)
        }
      }
      try #require(answer == 1)
    }
  }

  @Test(
    "GS:send_request_receive_reqid_collection, wait_reqid_collection, check_reqid_collection",
    arguments: ["receive", "wait", "check"])
  func collection(way: String) throws {
    try simulate(seeds: 0..<300) { sim in
      let servers = [
        try await Scripted.start { Scripted() }, try await Scripted.start { Scripted() },
        try await Scripted.start { Scripted() },
      ]
      let requests = RequestCollection<String, Int>()
      let none = try await requests.receiveResponse(timeout: .zero)
      try #require(none == nil && requests.isEmpty)
      for (index, delay) in [3, 1, 2].enumerated() {
        servers[index].sendRequest(label: "delay \(delay)", into: requests) {
          .ask(
            { server, from in
              try await server.process.sleep(for: .seconds(delay))
              if delay == 2 { throw Boom() }
              from.reply(delay)
            }, $0)
        }
      }
      // One that has failed before it is put in is the first.
      requests.add(
        ServerRef<Scripted>(named: "nobody").sendRequest { .ask({ _, _ in }, $0) },
        label: "nobody")
      try #require(requests.count == 4 && requests.requests.map(\.label)[3] == "nobody")
      var labels: [String] = []
      var results: [Result<Int, CallError>] = []
      while !requests.isEmpty {
        let response: RequestCollection<String, Int>.Response?
        switch way {
        case "receive": response = try await requests.receiveResponse(timeout: .seconds(100))
        case "wait": response = try await requests.waitResponse()
        default:
          response = requests.checkResponse()
          if response == nil { try await sim.context.sleep(for: .milliseconds(500)) }
        }
        guard let response else { continue }
        labels.append(response.label)
        results.append(response.result)
      }
      try #require(labels == ["nobody", "delay 1", "delay 2", "delay 3"])
      try #require(
        results == [
          .failure(.noproc), .success(1), .failure(.exit(.error(Boom()))), .success(3),
        ])
    }
  }

  @Test("GS:send_request_receive_reqid_collection: a timeout gives all up; with wait all stay")
  func collectionTimeout() throws {
    try simulate(seeds: 0..<100) { sim in
      let server = try await Scripted.start { Scripted() }
      let requests = RequestCollection<Int, Int>()
      for label in 0..<3 {
        server.sendRequest(label: label, into: requests) {
          .ask({ server, from in server.kept.append(from) }, $0)
        }
      }
      let waited = await #expect(throws: CallError.timeout) {
        _ = try await requests.waitResponse(timeout: .seconds(1))
      }
      try #require(waited != nil && requests.count == 3)
      server.act { $0.kept[1].reply(11) }
      let first = try await requests.waitResponse(timeout: .seconds(1))
      try #require(first?.label == 1 && first?.result == .success(11) && requests.count == 2)
      let received = await #expect(throws: CallError.timeout) {
        _ = try await requests.receiveResponse(timeout: .seconds(1))
      }
      try #require(received != nil && requests.isEmpty)
      try #require(server.pid?.info?.unansweredCalls == 0)
      let none = try await requests.receiveResponse()
      try #require(none == nil)
    }
  }

  @Test("a wait for requests ends when its process is told to exit")
  func waiterExits() throws {
    try simulate(seeds: 0..<100) { sim in
      try await withProcess { context in
        let server = try await Scripted.start { Scripted() }
        let (waiter, _) = context.spawnMonitor { _ in
          let request: PendingRequest<Int> = server.sendRequest {
            .ask({ server, from in server.kept.append(from) }, $0)
          }
          _ = try await request.receiveResponse()
        }
        await sim.settle()
        waiter.sendExit(.shutdown)
        let down = try await context.receive(Down.self)
        try #require(down.reason == .shutdown)
        await sim.settle()
        try #require(server.pid?.info?.unansweredCalls == 0)
      }
    }
  }

  @Test("GS:multicall, multicall_down: who answers, who is dead, who is late, who is nobody")
  func multiCall() throws {
    try simulate(seeds: 0..<100) { sim in
      let servers = [
        try await Scripted.start(named: "a") { Scripted() },
        try await Scripted.start(named: "dead") { Scripted() },
        try await Scripted.start(named: "late") { Scripted() },
        try await Scripted.start(named: "b") { Scripted() },
      ]
      servers[2].act { try await $0.process.sleep(for: .seconds(5)) }
      try await servers[1].stop()
      let names: [ProcessName] = ["a", "dead", "late", "b", "nobody"]
      let references = names.map { ServerRef<Scripted>(named: $0) }
      let result = try await Scripted.multiCall(references, timeout: .seconds(2)) {
        .ask({ server, from in from.reply(server.process.pid.info?.names.count ?? 0) }, $0)
      }
      try #require(result.replies.map(\.server) == [references[0], references[3]])
      try #require(result.replies.map(\.reply) == [1, 1])
      try #require(result.failures.map(\.server) == [references[1], references[2], references[4]])
      try #require(result.failures.map(\.error) == [.noproc, .timeout, .noproc])
      try #require(sim.now == .seconds(2))
      let nodes = try await Scripted.multiCall(named: "a", on: [sim.node]) {
        .ask({ _, from in from.reply(1) }, $0)
      }
      try #require(nodes.replies.count == 1 && nodes.failures.isEmpty)
      let empty: MultiCallResult<Scripted, Int> = try await Scripted.multiCall([]) {
        .ask({ _, _ in }, $0)
      }
      try #require(empty.replies.isEmpty && empty.failures.isEmpty)
    }
  }

  @Test("a time for many is one for all of them; who is cancelled hears that, and no result")
  func multiCallEnds() throws {
    try simulate(seeds: 0..<100) { sim in
      let servers = [
        try await Scripted.start { Scripted() }, try await Scripted.start { Scripted() },
      ]
      for (server, time) in zip(servers, [800, 1600]) {
        server.act { try await $0.process.sleep(for: .milliseconds(time)) }
      }
      let result = try await Scripted.multiCall(servers, timeout: .seconds(1)) {
        .ask({ _, from in from.reply(1) }, $0)
      }
      try #require(result.replies.map(\.server) == [servers[0]])
      try #require(result.failures.map(\.error) == [.timeout] && sim.now == .seconds(1))
      let plain = Task {
        try await Scripted.multiCall(servers) { (from: From<Int>) in .ask({ _, _ in }, from) }
          .failures.count
      }
      for _ in 0..<sim.random(in: 0..<3) { await Task.yield() }
      servers[1].act { try await $0.process.sleep(for: .seconds(1)) }
      plain.cancel()
      let error = await #expect(throws: CallError.cancelled) { try await plain.value }
      try #require(error != nil)
    }
  }

  @Test("GS:abcast, cast, info: nobody is missed, and nobody missing is minded")
  func abcast() throws {
    try simulate(seeds: 0..<50) { sim in
      let a = try await Scripted.start(named: "a") { Scripted() }
      let b = try await Scripted.start(named: "b") { Scripted() }
      Scripted.abcast(
        [a, ServerRef(named: "nobody"), ServerRef(named: "b")], .act { $0.note("1") })
      Scripted.abcast(named: "a", on: [sim.node], .act { $0.note("2") })
      let notes = try await (a.notes, b.notes)
      try #require(notes.0 == ["1", "2"] && notes.1 == ["1"])
    }
  }

  @Test("GS:call_with_huge_message_queue: the answer is not looked for among the mail")
  func hugeQueue() throws {
    try simulate(seed: 1, options: SimulationOptions()) { _ in
      try await withProcess { context in
        let server = try await Scripted.start { Scripted() }
        for number in 0..<10_000 { context.pid.send(number) }
        let answer = try await server.ask { _, from in from.reply(1) }
        try #require(answer == 1 && context.mailbox.queued == 10_000)
      }
    }
  }
}
