import ArborBehaviours
import ArborIntrospection
import ArborPrimitives
import ArborProcesses
import ArborTestKit
import Testing

private struct Boom: Error, Equatable {}

private actor Adder: StateExposing {
  enum Call: Sendable { case value(From<Int>) }
  enum Cast: Sendable { case add(Int) }

  let process = ProcessContext()
  var state = 0
  private let onTerminate: @Sendable (ExitReason) -> Void

  init(onTerminate: @escaping @Sendable (ExitReason) -> Void = { _ in }) {
    self.onTerminate = onTerminate
  }

  func handleCall(_ call: Call) {
    switch call {
    case .value(let from): from.reply(state)
    }
  }
  func handleCast(_ cast: Cast) {
    switch cast {
    case .add(let number): state += number
    }
  }
  func terminate(_ reason: ExitReason) { onTerminate(reason) }
}

/// One that keeps its state to itself.
private actor Secretive: GenServer {
  let process = ProcessContext()
}

/// One that says itself what is shown of it.
private actor Discreet: StateExposing {
  enum Cast: Sendable { case fail }
  let process = ProcessContext()
  var state = "secret"
  private var fails = false

  func handleCast(_ cast: Cast) { fails = true }
  func formatStatus(_ status: ServerStatus) throws -> ServerStatus {
    if fails { throw Boom() }
    var status = status
    status.state = "\(state.count) letters, \(status.log.count) events"
    status.log = []
    return status
  }
}

private final class Heard<Value: Sendable>: Sendable {
  private let values = Lock<[Value]>([])
  func add(_ value: Value) { values.withLock { $0.append(value) } }
  var all: [Value] { values.withLock { $0 } }
}

private struct Collector: NodeLogger {
  let lines = Heard<String>()
  func log(_ record: LogRecord) { lines.add(record.message) }
}

/// A raw process that hands out numbers, and answers `Sys`: sys_SUITE's special process.
private enum Channels {
  struct Alloc: Sendable { let replyTo: PID }
  struct Free: Sendable { let channel: Int }
  struct State: Sendable, Equatable { var taken: [Int] = [], free: [Int] }

  static func loop(_ context: ProcessContext, _ count: Int) async throws {
    var state = State(free: Array(1...count))
    while true {
      switch try await context.receive() {
      case let message as SystemMessage: try await context.handle(message, state: &state)
      case let alloc as Alloc:
        context.note(.received(.message, alloc))
        let channel = state.free.removeFirst()
        state.taken.append(channel)
        alloc.replyTo.send(channel)
        context.note(.replied(channel))
      case let free as Free:
        context.note(.received(.message, free))
        state.taken.removeAll { $0 == free.channel }
        state.free.insert(free.channel, at: 0)
      default: break
      }
    }
  }
}

/// Cases of sys_SUITE, and those of gen_server_SUITE that go by way of sys.
@Suite struct SysConformanceTests {
  @Test("SYS:suspend: only system messages are taken; twice is once; what waited is handled then")
  func suspend() throws {
    try simulate(seeds: 0..<200) { sim in
      let adder = try await Adder.start { Adder() }
      let pid = try #require(adder.pid)
      adder.cast(.add(1))
      try await Sys.suspend(adder)
      try await Sys.suspend(adder)
      adder.cast(.add(10))
      let call = adder.sendRequest { .value($0) }
      let waits = await #expect(throws: CallError.timeout) {
        try await call.waitResponse(timeout: .seconds(1))
      }
      try #require(waits != nil && pid.info?.status == .suspended)
      let status = try await Sys.getStatus(adder)
      try #require(status.isSuspended && status.queueLength == 2 && status.state as? Int == 1)
      try await Sys.resume(adder)
      try await Sys.resume(adder)
      let value = try await call.receiveResponse()
      try #require(value == 11)
      let resumed = try await Sys.getStatus(adder)
      try #require(!resumed.isSuspended && resumed.queueLength == 0)
    }
  }

  @Test("SYS:suspend: a suspended server ends with its parent, by a signal, and on request")
  func suspendedEnds() throws {
    try simulate(seeds: 0..<200) { sim in
      try await withProcess { context in
        let me = context.pid
        let last = Heard<ExitReason>()
        let (parent, _) = context.spawnMonitor { inner in
          let adder = try await Adder.startLink {
            let adder = Adder { last.add($0) }
            adder.process.trapExit()
            return adder
          }
          me.send(try #require(adder.pid))
          _ = try await inner.receive(String.self)
        }
        let first = try await context.receive(PID.self)
        try await Sys.suspend(first)
        // Another's exit is mail, and waits.
        first.sendExit(.shutdown("other"))
        await sim.settle()
        try #require(first.isAlive)
        let ref = context.monitor(first)
        parent.send("end")
        let down = try await context.receive(Down.self, where: { $0.ref == ref })
        try #require(down.reason == .normal && last.all == [.normal])

        let second = try await Adder.start { Adder { last.add($0) } }
        try await Sys.suspend(second)
        try await second.stop(.shutdown)
        try #require(last.all == [.normal, .shutdown])

        let (third, _) = try await Adder.startMonitor { Adder { last.add($0) } }
        try await Sys.suspend(third)
        third.pid?.sendExit(.error(Boom()))
        let signalled = try await context.receive(Down.self, where: { $0.pid == third.pid })
        try #require(signalled.reason == .error(Boom()) && last.all.count == 2)
      }
    }
  }

  @Test("GS:get_state, replace_state: also while suspended; a failing one leaves the state")
  func state() throws {
    try simulate(seeds: 0..<100) { sim in
      let adder = try await Adder.start(named: "adder") { Adder() }
      for isSuspended in [false, true] {
        if isSuspended { try await Sys.suspend(adder) }
        let new = try await Sys.replaceState(adder) { $0 = 40 }
        let state = try await Sys.getState(adder)
        try #require(new == 40 && state == 40)
        let failing = await #expect(throws: SysError.self) {
          try await Sys.replaceState(adder) { state in
            state = 99
            throw Boom()
          }
        }
        guard case .replacementFailed(let error) = failing else { throw Boom() }
        try #require(error is Boom)
        let kept = try await Sys.getState(ProcessName("adder"), as: Int.self)
        try #require(kept == 40)
        let wrong = await #expect(throws: SysError.self) {
          try await Sys.getState(adder, as: String.self)
        }
        guard case .wrongType("Int") = wrong else { throw Boom() }
      }
      try await Sys.resume(adder)
      let value = try await adder.call { .value($0) }
      try #require(value == 40)
      let secretive = try await Secretive.start { Secretive() }
      let hidden = await #expect(throws: SysError.self) {
        try await Sys.getState(secretive, as: Int.self)
      }
      guard case .notExposed(let pid) = hidden else { throw Boom() }
      try #require(pid == secretive.pid)
      let status = try await Sys.getStatus(secretive)
      try #require(status.state == nil && status.initialCall == "Secretive")
    }
  }

  @Test("GS:call_format_status, format_all_status, throw_in_format_status: the server's choice")
  func formatted() throws {
    try simulate(seed: 1) { sim in
      let server = try await Discreet.start { Discreet() }
      try await Sys.log(server, true)
      server.pid?.send("mail")
      var status = try await Sys.getStatus(server)
      try #require(status.state as? String == "6 letters, 2 events" && status.log.isEmpty)
      server.cast(.fail)
      status = try await Sys.getStatus(server)
      try #require(status.state as? String == "formatStatus failed: Boom()")
      try #require(status.log.isEmpty)
      // It lives on, and shows those its state who may look.
      let state = try await Sys.getState(server)
      let log = try await Sys.getLog(server)
      try #require(state == "secret" && log.count == 4)
    }
  }

  @Test("SYS:log: the last events, as many as asked for")
  func log() throws {
    try simulate(seeds: 0..<50) { _ in
      let adder = try await Adder.start(named: "adder") { Adder() }
      var log = try await Sys.getLog(adder)
      try #require(log.isEmpty)
      try await Sys.log(adder, true)
      adder.cast(.add(1))
      _ = try await adder.call { .value($0) }
      log = try await Sys.getLog(adder)
      let texts = log.map(\.description)
      try #require(
        texts.count == 5 && texts[0] == "adder got cast add(1)" && texts[1] == "adder is done"
          && texts[2].hasPrefix("adder got call value(") && texts[3] == "adder replied 1"
          && texts[4] == "adder is done")
      try await Sys.log(adder, true, keeping: 2)
      for _ in 0..<20 { adder.cast(.add(1)) }
      log = try await Sys.getLog(adder)
      try #require(log.map(\.description) == ["adder got cast add(1)", "adder is done"])
      try await Sys.log(adder, false)
      adder.cast(.add(1))
      log = try await Sys.getLog(adder)
      try #require(log.isEmpty)
      let bad = await #expect(throws: SysError.self) {
        try await Sys.log(adder, true, keeping: 0)
      }
      guard case .call(.badarg) = bad else { throw Boom() }
    }
  }

  @Test("SYS:stats: what comes in and goes out is counted from when it was asked for")
  func stats() throws {
    try simulate(seeds: 0..<50) { sim in
      let adder = try await Adder.start { Adder() }
      _ = try await adder.call { .value($0) }
      var statistics = try await Sys.getStatistics(adder)
      try #require(statistics == nil)
      try await Sys.statistics(adder, true)
      _ = try await adder.call { .value($0) }
      adder.cast(.add(1))
      try await sim.context.sleep(for: .seconds(1))
      statistics = try await Sys.getStatistics(adder)
      let counted = try #require(statistics)
      try #require(counted.messagesIn == 2 && counted.messagesOut == 1)
      try #require(counted.currentTime - counted.startTime == 1_000_000_000)
      try await Sys.statistics(adder, false)
      statistics = try await Sys.getStatistics(adder)
      try #require(statistics == nil)
    }
  }

  @Test("SYS:trace: every event is a line of the node's logger")
  func trace() throws {
    try simulate(seed: 1) { sim in
      let logger = Collector()
      sim.node.logger = logger
      let adder = try await Adder.start(named: "adder") { Adder() }
      try await Sys.trace(adder, true)
      adder.cast(.add(1))
      try await Sys.trace(adder, false)
      adder.cast(.add(1))
      _ = try await Sys.getStatus(adder)
      try #require(
        logger.lines.all == ["*DBG* adder got cast add(1)", "*DBG* adder is done"])
    }
  }

  @Test("SYS:install: a probe sees every event until it is done, fails, or is removed")
  func install() throws {
    try simulate(seeds: 0..<50) { _ in
      let adder = try await Adder.start { Adder() }
      let seen = Heard<Int>()
      let probe = { @Sendable (event: SystemEvent) throws -> ProbeVerdict in
        guard case .received(.cast, let message) = event.what,
          case .add(let number)? = message as? Adder.Cast
        else { return .keep }
        seen.add(number)
        if number == 9 { throw Boom() }
        return number == 7 ? .done : .keep
      }
      for last in [7, 9, 5] {
        try await Sys.install(adder, "probe", probe)
        let twice = await #expect(throws: SysError.self) {
          try await Sys.install(adder, "probe", probe)
        }
        guard case .alreadyInstalled("probe") = twice else { throw Boom() }
        adder.cast(.add(1))
        adder.cast(.add(last))
        if last == 5 {
          let wasThere = try await Sys.remove(adder, "probe")
          try #require(wasThere)
        }
        adder.cast(.add(2))
        let isThere = try await Sys.remove(adder, "probe")
        try #require(!isThere)
      }
      try #require(seen.all == [1, 7, 1, 9, 1, 5])
      try await Sys.install(adder, "a", probe)
      try await Sys.log(adder, true)
      var status = try await Sys.getStatus(adder)
      try #require(status.probes == ["a"])
      try await Sys.noDebug(adder)
      status = try await Sys.getStatus(adder)
      try #require(status.probes.isEmpty && status.statistics == nil && !status.isTracing)
      let value = try await adder.call { .value($0) }
      try #require(value == 30)
    }
  }

  @Test("SYS:special_process: a raw process answers too")
  func specialProcess() throws {
    try simulate(seeds: 0..<100) { sim in
      try await withProcess { context in
        let me = context.pid
        let (pid, _) = context.spawnMonitor { try await Channels.loop($0, 4) }
        try await Sys.statistics(pid, true)
        pid.send(Channels.Alloc(replyTo: me))
        let channel = try await context.receive(Int.self)
        try #require(channel == 1)
        var state = try await Sys.getState(pid, as: Channels.State.self)
        try #require(state == Channels.State(taken: [1], free: [2, 3, 4]))
        state = try await Sys.replaceState(pid, as: Channels.State.self) { $0.free = [2, 3] }
        try #require(state.free == [2, 3])
        try await Sys.suspend(pid)
        pid.send(Channels.Free(channel: 1))
        state = try await Sys.getState(pid, as: Channels.State.self)
        try #require(state.taken == [1])
        try await Sys.resume(pid)
        state = try await Sys.getState(pid, as: Channels.State.self)
        try #require(state == Channels.State(taken: [], free: [1, 2, 3]))
        let statistics = try #require(try await Sys.getStatistics(pid))
        try #require(statistics.messagesIn == 2 && statistics.messagesOut == 1)
        let failing = await #expect(throws: SysError.self) {
          try await Sys.replaceState(pid, as: Channels.State.self) { _ in throw Boom() }
        }
        guard case .replacementFailed = failing else { throw Boom() }
        try await Sys.terminate(pid, .shutdown("enough"))
        let down = try await context.receive(Down.self)
        try #require(down.reason == .shutdown("enough"))
      }
    }
  }

  @Test("who is nobody, who does not answer, who lets the question go")
  func unanswered() throws {
    try simulate(seeds: 0..<50) { sim in
      func error(_ body: () async throws(SysError) -> Void) async -> CallError? {
        do throws(SysError) { try await body() } catch {
          if case .call(let error) = error { return error }
        }
        return nil
      }
      let nobody = await error { () async throws(SysError) in
        try await Sys.suspend(ProcessName("nobody"))
      }
      try #require(nobody == .noproc)
      let deaf = spawn { context in try await context.sleep(for: .seconds(100)) }
      let late = await error { () async throws(SysError) in
        try await Sys.suspend(deaf, timeout: .seconds(1))
      }
      try #require(late == .timeout && sim.now == .seconds(1))
      let careless = spawn { context in while true { _ = try await context.receive() } }
      let dropped = await error { () async throws(SysError) in try await Sys.suspend(careless) }
      try #require(dropped == .noReply)
    }
  }

  @Test("Sys.terminate: last words are said")
  func terminate() throws {
    try simulate(seeds: 0..<50) { _ in
      try await withProcess { context in
        let last = Heard<ExitReason>()
        let (adder, _) = try await Adder.startMonitor { Adder { last.add($0) } }
        try await Sys.terminate(adder, .shutdown)
        let down = try await context.receive(Down.self)
        try #require(down.reason == .shutdown && last.all == [.shutdown])
      }
    }
  }
}
