import ArborBehaviours
import ArborProcesses
import ArborTestKit
import Testing

private struct BadInit: Error, Equatable {}
private struct Die: Error, Equatable {}

/// A server that starts when it is told to.
private actor Slow: GenServer {
  enum Call: Sendable { case ping(From<Bool>) }
  let process = ProcessContext()
  private let lastWords: @Sendable (ProcessContext) async throws -> Void

  init(lastWords: @escaping @Sendable (ProcessContext) async throws -> Void = { _ in }) {
    self.lastWords = lastWords
  }

  /// Says that it is starting, and goes on when it is told to.
  init(telling tester: PID) async throws {
    lastWords = { _ in }
    tester.send(process.pid)
    _ = try await process.receive(String.self)
  }

  func handleCall(_ call: Call) {
    switch call {
    case .ping(let from): from.reply(true)
    }
  }

  func terminate(_ reason: ExitReason) async throws { try await lastWords(process) }
}

/// Starts that wait for their process, and the way to its end: cases of proc_lib_SUITE.
@Suite struct StartConformanceTests {
  @Test("PL:init_dont_hang: a start that dies ends, and all ways of starting say the same")
  func initDies() throws {
    try simulate(seeds: 0..<500) { sim in
      try await withProcess { context in
        context.trapExit()
        var errors: [StartError] = []
        do throws(StartError) { _ = try await Slow.start { throw BadInit() } } catch {
          errors.append(error)
        }
        do throws(StartError) { _ = try await Slow.startLink { throw BadInit() } } catch {
          errors.append(error)
        }
        do throws(StartError) {
          _ = try await Slow.start(timeout: .seconds(1)) { throw BadInit() }
        } catch {
          errors.append(error)
        }
        try #require(errors == Array(repeating: .failed(.error(BadInit())), count: 3))
        // And one that is killed while it starts.
        do throws(StartError) {
          _ = try await Slow.start {
            ProcessCore.current?.pid.sendExit(.kill)
            try await ProcessContext(try #require(ProcessCore.current)).sleep(for: .seconds(9))
            return Slow()
          }
        } catch {
          errors.append(error)
        }
        try #require(errors.last == .failed(.killed) && sim.now < .seconds(1))
        await sim.settle()
        try #require(sim.node.processCount == 1 && context.core.bonds == ProcessCore.Bonds())
      }
    }
  }

  @Test("PL:sync_start_nolink, sync_start_link: no sooner than the server is ready")
  func synchronous() throws {
    try simulate(seeds: 0..<500) { sim in
      try await withProcess { context in
        let me = context.pid
        let isLinked = sim.random(in: 0..<2) == 0
        let (starter, ref) = context.spawnMonitor { inner in
          let server =
            isLinked
            ? try await Slow.startLink { try await Slow(telling: me) }
            : try await Slow.start { try await Slow(telling: me) }
          me.send("started")
          let isUp = try await server.call { .ping($0) }
          try #require(isUp)
          if isLinked { throw Die() }
        }
        let server = try await context.receive(PID.self)
        await sim.settle()
        try #require(context.mailbox.queued == 0 && starter.isAlive)
        server.send("go on")
        let started = try await context.receive(String.self)
        try #require(started == "started")
        _ = try await context.receive(Down.self, where: { $0.ref == ref })
        await sim.settle()
        try #require(server.isAlive == !isLinked)
      }
    }
  }

  @Test(
    "PL:sync_start_timeout, sync_start_link_timeout: who gives up hears nothing of the end",
    arguments: [false, true], [false, true])
  func timeout(isLinked: Bool, traps: Bool) throws {
    try simulate(seeds: 0..<500) { sim in
      try await withProcess { context in
        let me = context.pid
        let (starter, _) = context.spawnMonitor { inner in
          inner.trapExit(traps)
          do {
            _ =
              isLinked
              ? try await Slow.startLink(timeout: .milliseconds(500)) {
                try await Slow(telling: me)
              }
              : try await Slow.start(timeout: .milliseconds(500)) {
                try await Slow(telling: me)
              }
          } catch StartError.timeout {
            try await inner.sleep(for: .seconds(2))
            try #require(inner.mailbox.queued == 0)
            throw ExitReason.shutdown("timed out")
          }
        }
        let server = try await context.receive(PID.self)
        let down = try await context.receive(Down.self)
        try #require(down.pid == starter && down.reason == .shutdown("timed out"))
        try #require(server.fate?.reason == .killed)
      }
    }
  }

  @Test("A negative timeout is refused before anything is started")
  func negativeTimeout() throws {
    try simulate(seeds: 0..<10) { sim in
      try await withProcess { context in
        // Linked: a start that failed would end this process.
        let before = sim.node.processCount
        var errors: [StartError] = []
        func attempt(_ start: () async throws(StartError) -> Void) async {
          do throws(StartError) { try await start() } catch { errors.append(error) }
        }
        await attempt { () async throws(StartError) in
          _ = try await Slow.start(timeout: .nanoseconds(-1)) { Slow() }
        }
        await attempt { () async throws(StartError) in
          _ = try await Slow.startLink(timeout: .seconds(-1)) { Slow() }
        }
        await attempt { () async throws(StartError) in
          _ = try await Slow.startMonitor(timeout: .seconds(-1)) { Slow() }
        }
        await attempt { () async throws(StartError) in
          _ = try await Slow.startLink(hibernateAfter: .seconds(-1)) { Slow() }
        }
        try #require(errors == Array(repeating: .badarg, count: 4))
        await sim.settle()
        try #require(sim.node.processCount == before && context.mailbox.queued == 0)
      }
    }
  }

  @Test("PL:stop: the ways in which it ends")
  func stop() throws {
    try simulate(seeds: 0..<50) { sim in
      try await withProcess { context in
        // As it should, then it is gone.
        let polite = try await Slow.start { Slow() }
        let pid = try #require(polite.pid)
        try await polite.stop()
        try #require(!pid.isAlive && pid.fate?.reason == .normal)
        // One that is gone; nobody.
        for ref in [polite, ServerRef<Slow>(named: "to stop")] {
          await #expect(throws: CallError.noproc) { try await ref.stop() }
        }
        // One that ends for another reason, in the middle.
        let dying = try await Slow.start { Slow { _ in throw Die() } }
        await #expect(throws: CallError.exit(.error(Die()))) { try await dying.stop() }
        // One that does not end in time, but in the end.
        let hanging = try await Slow.start { Slow { try await $0.sleep(for: .seconds(5)) } }
        let ref = context.monitor(try #require(hanging.pid))
        await #expect(throws: CallError.timeout) { try await hanging.stop(timeout: .seconds(1)) }
        let down = try await context.receive(Down.self)
        try #require(down.ref == ref && down.reason == .normal)
        // Not waiting at all asks all the same.
        let last = try await Slow.start { Slow { try await $0.sleep(for: .seconds(5)) } }
        let lastRef = context.monitor(try #require(last.pid))
        await #expect(throws: CallError.timeout) { try await last.stop(timeout: .zero) }
        _ = try await context.receive(Down.self, where: { $0.ref == lastRef })
        // For another reason than normal; by name, which is free then.
        let named = try await Slow.start(named: "to stop") { Slow() }
        let namedPID = try #require(named.pid)
        try await ServerRef<Slow>(named: "to stop").stop(.error(Die()))
        try #require(namedPID.fate?.reason == .error(Die()))
        try #require(sim.node.pid(named: "to stop") == nil)
        // A time that makes no sense.
        let other = try await Slow.start { Slow() }
        await #expect(throws: CallError.badarg) { try await other.stop(timeout: .seconds(-1)) }
        try await other.stop()
        try #require(sim.node.processCount == 1 && context.mailbox.queued == 0)
      }
    }
  }
}
