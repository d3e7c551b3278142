import ArborBehaviours
import ArborProcesses
import ArborTelemetry
import ArborTestKit
import Testing

/// How servers end, who is told, and what: cases of gen_server_SUITE.
@Suite struct EndConformanceTests {
  enum Callback: CaseIterable, Sendable { case call, cast, info, timeout, `continue`, stop }

  @Test(
    "GS:crash: from any callback the reason is the server's, and terminate is called once",
    arguments: Callback.allCases,
    [ExitReason.normal, .shutdown, .shutdown("why"), .error(Boom()), .kill])
  func stops(callback: Callback, reason: ExitReason) throws {
    try simulate(seeds: 0..<10) { sim in
      let logger = Collector()
      sim.node.logger = logger
      try await withProcess { context in
        let last = Heard<ExitReason>()
        let (server, _) = try await Scripted.startMonitor(named: "me") {
          Scripted { last.add($0) }
        }
        let end: Scripted.Act = { _ in throw reason }
        var call: PendingRequest<Int>?
        switch callback {
        case .call: call = server.sendRequest { .ask({ _, _ in throw reason }, $0) }
        case .cast: server.act(end)
        case .info:
          server.act { $0.onInfo(end) }
          server.pid?.send("info")
        case .timeout:
          server.act { server in
            server.onInfo(end)
            server.process.idleTimeout(.seconds(1))
          }
        case .continue: server.act { $0.process.continueWith(Scripted.Continue("c", end)) }
        case .stop: try await server.stop(reason)
        }
        let down = try await context.receive(Down.self)
        try #require(down.reason == reason && last.all == [reason])
        try #require(logger.reports.map(\.reason) == (reason.isQuiet ? [] : [reason]))
        if let call {
          let error = await #expect(throws: CallError.exit(reason)) {
            try await call.receiveResponse()
          }
          try #require(error != nil)
        }
        if let report = logger.reports.first {
          try #require(report.server == "Scripted" && report.name == "me")
          switch callback {
          case .call: try #require(report.lastMessage is Scripted.Call)
          case .cast: try #require(report.lastMessage is Scripted.Cast)
          case .info: try #require(report.lastMessage as? String == "info")
          case .timeout: try #require(report.lastMessage != nil)
          case .continue: try #require(report.lastMessage is Scripted.Continue)
          case .stop: try #require(report.lastMessage == nil)
          }
        }
      }
    }
  }

  @Test("GS:terminate_crash_format: what terminate throws replaces the reason, and is reported")
  func terminateFails() throws {
    try simulate(seeds: 0..<50) { sim in
      let logger = Collector()
      sim.node.logger = logger
      try await withProcess { context in
        let (server, _) = try await Scripted.startMonitor { Scripted { _ in throw Boom() } }
        server.act { $0.state = 5 }
        let error = await #expect(throws: CallError.exit(.error(Boom()))) {
          try await server.stop()
        }
        try #require(error != nil)
        let down = try await context.receive(Down.self)
        try #require(down.reason == .error(Boom()))
        try #require(logger.reports.count == 1 && logger.reports[0].state as? Int == 5)
      }
    }
  }

  @Test("terminate is not called for an untrapped exit, a kill, or a start that fails")
  func noLastWords() throws {
    try simulate(seeds: 0..<200) { sim in
      let logger = Collector()
      sim.node.logger = logger
      try await withProcess { context in
        let last = Heard<ExitReason>()
        let make = { @Sendable in Scripted { last.add($0) } }
        for reason in [ExitReason.shutdown, .kill, .error(Boom())] {
          let (server, _) = try await Scripted.startMonitor(make)
          // Idle, or in a handler that throws for it.
          if sim.random(in: 0..<2) == 0 {
            server.act { try await $0.process.sleep(for: .seconds(10)) }
            await sim.settle()
          }
          server.pid?.sendExit(reason)
          _ = try await context.receive(Down.self)
        }
        _ = try? await Scripted.start { () async throws -> Scripted in
          _ = make()
          throw ExitReason.shutdown
        }
        try #require(last.all.isEmpty && logger.reports.isEmpty)
      }
    }
  }

  @Test("terminate is called when the parent of a trapping server ends", arguments: [true, false])
  func parentEnds(isTrapping: Bool) throws {
    try simulate(seeds: 0..<200) { sim in
      try await withProcess { context in
        let last = Heard<ExitReason>()
        let me = context.pid
        spawn { _ in
          let server = try await Scripted.startLink {
            let server = Scripted { last.add($0) }
            server.process.trapExit(isTrapping)
            return server
          }
          me.send(try #require(server.pid))
          throw ExitReason.shutdown("parent")
        }
        let server = try await context.receive(PID.self)
        _ = context.monitor(server)
        let down = try await context.receive(Down.self)
        try #require(down.reason == .shutdown("parent") || down.reason == .noproc)
        try #require(server.fate?.reason == .shutdown("parent"))
        try #require(last.all == (isTrapping ? [.shutdown("parent")] : []))
      }
    }
  }

  @Test("GS:stop1 to stop10: how it ends, by PID and by name, and who waits")
  func stop() throws {
    try simulate(seeds: 0..<50) { sim in
      for reason in [ExitReason.normal, .shutdown, .shutdown("other"), .error(Boom())] {
        let server = try await Scripted.start(named: "stop") { Scripted() }
        try await (sim.random(in: 0..<2) == 0 ? server : ServerRef(named: "stop")).stop(reason)
        try #require(server.pid?.fate?.reason == reason)
      }
      let nobody = await #expect(throws: CallError.noproc) {
        try await ServerRef<Scripted>(named: "stop").stop()
      }
      try #require(nobody != nil)
      // One that is busy does not stop in time, but then all the same.
      let busy = try await Scripted.start { Scripted() }
      busy.act { try await $0.process.sleep(for: .seconds(10)) }
      let late = await #expect(throws: CallError.timeout) {
        try await busy.stop(timeout: .seconds(1))
      }
      try #require(late != nil)
      try await sim.context.sleep(for: .seconds(20))
      try #require(busy.pid?.fate?.reason == .normal)
    }
  }

  @Test(
    "GS:error_format_status, crash_in_format_status: what the report shows is the server's choice")
  func formatStatus() throws {
    try simulate(seeds: 0..<20) { sim in
      let logger = Collector()
      sim.node.logger = logger
      try await withProcess { context in
        let (first, _) = try await Scripted.startMonitor { Scripted() }
        first.act { server in
          server.state = 42
          server.show { status in
            var status = status
            guard status.state as? Int == 42, status.message is Scripted.Cast,
              status.reason == .error(Boom())
            else { return status }
            status.state = "secret"
            status.message = "hidden"
            return status
          }
        }
        first.act { _ in throw Boom() }
        _ = try await context.receive(Down.self)
        try #require(logger.reports[0].state as? String == "secret")
        try #require(logger.reports[0].lastMessage as? String == "hidden")
        let (second, _) = try await Scripted.startMonitor { Scripted() }
        second.act { $0.show { _ in throw Boom() } }
        second.act { _ in throw ExitReason.kill }
        let down = try await context.receive(Down.self)
        try #require(down.reason == .kill)
        try #require(logger.reports[1].state as? String == "formatStatus failed: Boom()")
        try #require(!(logger.reports[1].lastMessage is Scripted.Cast))
      }
    }
  }

  @Test(
    "GS:format_log_1, PL:crash: the report says who, why, whence, with whom; and so do its lines")
  func report() throws {
    try simulate(seeds: 0..<20) { sim in
      let logger = Collector()
      sim.node.logger = logger
      let heard = Heard<TelemetryValues>()
      try sim.node.telemetry.attach("crashes", to: .processCrash) { _, measurements, metadata in
        heard.add(metadata)
        guard measurements["queue_length", as: Int.self] == 2 else { throw Boom() }
      }
      try await withProcess { context in
        try context.register("parent")
        let (server, _) = try await Scripted.startMonitor(named: "fails") { Scripted() }
        server.act { server in
          server.process.spawnLink(as: "friend") { friend in
            _ = try await friend.receive(String.self)
          }
          try await server.process.sleep(for: .seconds(1))
          throw Boom()
        }
        server.pid?.send("left")
        server.pid?.send("over")
        _ = try await context.receive(Down.self)
        try #require(heard.all.count == 1 && logger.reports.count == 1)
        let report = logger.reports[0]
        try #require(report.info.queueLength == 2 && report.name == "fails")
        try #require(report.info.ancestors.first?.name == "parent")
        try #require(report.neighbours.map(\.info.initialCall) == ["friend"])
        try #require(heard.all[0]["server", as: String.self] == "Scripted")
        let record = logger.records.all[0]
        try #require(record.level == .error && record.pid == server.pid && record.name == "fails")
        for line in "\(record)".split(separator: "\n") {
          try #require(line.contains("[error] \(report.pid) fails "))
        }
        for part in ["server: Scripted", "state: 0", "messages left: 2", "friend", "parent"] {
          try #require("\(record)".contains(part))
        }
      }
    }
  }

  @Test("GS:undef_handle_info: a message that a server does not know is logged, and does no harm")
  func unknown() throws {
    try simulate(seed: 1) { sim in
      let logger = Collector()
      sim.node.logger = logger
      let server = try await Bare.start(named: "bare") { Bare() }
      server.pid?.send("what?")
      server.pid?.send(3)
      let answer = try await server.call { .ping($0) }
      try #require(answer)
      try #require(
        logger.records.all.map(\.message) == [
          "Bare, which has no handleInfo, got an unexpected message: what?",
          "Bare, which has no handleInfo, got an unexpected message: 3",
        ])
      let record = logger.records.all[0]
      try #require(record.level == .warning && record.name == "bare" && record.pid == server.pid)
    }
  }
}

private actor Bare: GenServer {
  enum Call: Sendable { case ping(From<Bool>) }
  let process = ProcessContext()
  func handleCall(_ call: Call) {
    switch call {
    case .ping(let from): from.reply(true)
    }
  }
}
