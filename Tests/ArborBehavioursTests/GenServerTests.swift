import ArborBehaviours
import ArborProcesses
import Testing

@Suite final class GenServerTests {
  let node = Node(workers: 2)
  deinit { node.shutdown() }

  @Test("casts and calls of one sender are handled in order")
  func callsAndCasts() async throws {
    let counter = try await Counter.start(on: node) { Counter(40) }
    counter.add(1)
    counter.add(1)
    #expect(try await counter.value == 42)
    try await counter.stop()
    #expect(node.processCount == 0)
  }

  @Test("a call ends with the server's reason, also for a request that was not yet handled")
  func serverCrash() async throws {
    let counter = try await Counter.start(on: node) { Counter() }
    async let waiting = counter.call(timeout: nil) { .never($0) }
    // The second request is behind the first, so that the first is being kept when this one fails.
    await #expect(throws: CallError.exit(.error(CounterError.negative(-1)))) {
      try await counter.call(timeout: nil) {
        .fail($0, .error(CounterError.negative(-1)))
      }
    }
    do { _ = try await waiting } catch {
      let error = error as? CallError
      #expect(error == .exit(.error(CounterError.negative(-1))) || error == .noproc)
    }
    await #expect(throws: CallError.noproc) { try await counter.value }
  }

  @Test(
    "GS:calling_self, GS:call: a request that is let go of, one to oneself, one to nobody, one too late"
  )
  func callErrors() async throws {
    let counter = try await Counter.start(on: node) { Counter() }
    await #expect(throws: CallError.noReply) { try await counter.call(timeout: nil) { .letGo($0) } }
    #expect(try await counter.call(timeout: nil) { .callSelf($0) } == .callingSelf)
    await #expect(throws: CallError.timeout) {
      try await counter.call(timeout: .milliseconds(1)) { .never($0) }
    }
    await #expect(throws: CallError.badarg) {
      try await counter.call(timeout: .seconds(-1)) { .value($0) }
    }
    await #expect(throws: CallError.noproc) {
      try await ServerRef<Counter>(named: "nobody", on: node).value
    }
    try await counter.stop()
  }

  @Test("a start that throws leaves nothing, and the name is free", arguments: 0..<20)
  func failedStart(_: Int) async throws {
    let node = node
    await #expect(throws: StartError.failed(.error(CounterError.negative(7)))) {
      try await Counter.start(named: "counter", on: node) { throw CounterError.negative(7) }
    }
    #expect(node.pid(named: "counter") == nil && node.processCount == 0)
    let counter = try await Counter.start(named: "counter", on: node) { Counter() }
    let pid = try #require(counter.pid)
    await #expect(throws: StartError.alreadyStarted(pid)) {
      try await Counter.start(named: "counter", on: node) { Counter() }
    }
    await #expect(throws: StartError.foreignServer) {
      let made = Counter()
      return try await Counter.start(on: node) { made }
    }
    try await ServerRef<Counter>(named: "counter", on: node).stop()
    #expect(node.processCount == 0)
  }

  @Test("terminate is called for an end by itself, not for a signal")
  func terminate() async throws {
    try await withProcess(on: node) { context in
      let me = context.pid
      let make = { @Sendable in Counter { me.send($0) } }
      let first = try await Counter.start(make)
      first.add(-1)
      var reason = try await context.receive(ExitReason.self)
      #expect(reason == .error(CounterError.negative(-1)))
      let second = try await Counter.start(make)
      _ = context.monitor(try #require(second.pid))
      second.pid?.sendExit(.shutdown)
      let down = try await context.receive(Down.self)
      #expect(down.reason == .shutdown)
      await #expect(throws: ReceiveError.timeout) {
        try await context.receive(ExitReason.self, timeout: .zero)
      }
      let third = try await Counter.start(make)
      try await third.stop(.shutdown("enough"))
      reason = try await context.receive(ExitReason.self)
      #expect(reason == .shutdown("enough"))
    }
  }

  @Test("a trapping server ends with its parent, whatever the reason, and says its last words")
  func parentEnds() async throws {
    try await withProcess(on: node) { context in
      let me = context.pid
      spawn { _ in
        let counter = try await Counter.startLink { Counter { me.send($0) } }
        counter.cast(.trapExit)
        _ = try await counter.value
        me.send(try #require(counter.pid))
      }
      let server = try await context.receive(PID.self)
      _ = context.monitor(server)
      let down = try await context.receive(Down.self)
      #expect(down.reason == .normal || down.reason == .noproc)
      let reason = try await context.receive(ExitReason.self)
      #expect(reason == .normal)
    }
  }
}
