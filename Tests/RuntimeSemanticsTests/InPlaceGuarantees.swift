import ArborBehaviours
import ArborPrimitives
import ArborProcesses
import Testing

/// Servers that answer on their callers' stacks. The other suites run with them too, see ``BothModes``.
@Suite struct InPlaceGuarantees {
  // One worker: whoever has a turn finds all other processes at the end of theirs, so idle.
  let node = Node(workers: 1)

  private func startScript() async throws -> ServerRef<Script> {
    try await BothModes.$answersInPlace.withValue(true) {
      try await withProcess(on: node) { context in
        let me = context.pid
        return try await Script.start { Script(reader: me) }
      }
    }
  }

  /// Runs a process that calls in place, and waits for its end.
  private func run(
    _ body: @escaping @Sendable (ProcessContext) async throws -> Void
  ) async throws -> ExitReason {
    try await BothModes.$answersInPlace.withValue(true) {
      try await withProcess(on: node) { context in try await context.end(of: spawn(body)) }
    }
  }

  @Test("PLACE-1: an idle server answers on its caller's thread, as itself")
  func thread() async throws {
    let server = try await startScript()
    let node = node
    try await BothModes.$answersInPlace.withValue(true) {
      // From a plain task the thread is none of the node's; but the server may still be on its way
      // to being idle, and then has a turn of its own.
      for _ in 0..<1000 {
        let wasOnNode = try await server.ask { from in
          #expect(ProcessCore.current?.pid == server.pid)
          from.reply(node.isOnOwnThread ? 1 : 0)
        }
        if wasOnNode == 0 { return }
      }
      Issue.record("the server always had a turn of its own")
    }
  }

  @Test("PLACE-2: a deadline takes effect when the handler suspends, not before")
  func deadline() async throws {
    let server = try await startScript()
    let clock = node.clock
    let reason = try await run { _ in
      let answer = try await server.ask(timeout: .milliseconds(1)) { from in
        let late = clock.now() + 3_000_000
        while clock.now() < late {}
        from.reply(1)
      }
      #expect(answer == 1)
      await #expect(throws: CallError.timeout) {
        try await server.ask(timeout: .milliseconds(1)) { from in
          try await Task.sleep(for: .seconds(1000))
          from.reply(2)
        }
      }
    }
    #expect(reason == .normal)
  }

  @Test("PLACE-2: so does an exit signal to the caller", arguments: [false, true])
  func killedCaller(suspends: Bool) async throws {
    let server = try await startScript()
    let heard = Notes<CallError?>()
    let reason = try await run { context in
      let me = context.pid
      do throws(CallError) {
        _ = try await server.ask(timeout: nil) { from in
          me.sendExit(.kill)
          if suspends { try await Task.sleep(for: .seconds(1000)) }
          from.reply(1)
        }
        heard.add(nil)
      } catch {
        heard.add(error)
      }
    }
    #expect(reason == .killed)
    #expect(heard.all == [suspends ? .cancelled : nil])
  }

  @Test("PLACE-3: never on the main thread, and not too deep")
  func limits() async throws {
    let server = try await startScript()
    let isMain = try await callFromMain(server)
    #expect(isMain == 0)
    let reason = try await run { context in
      let me = context.pid
      var chain: [ServerRef<Script>] = []
      for _ in 0..<200 { chain.append(try await Script.start { Script(reader: me) }) }
      let servers = chain
      @Sendable func descend(_ index: Int, _ from: From<Int>) async throws {
        guard index < servers.count else { return from.reply(index) }
        from.reply(try await servers[index].ask { try await descend(index + 1, $0) })
      }
      let deepest = try await servers[0].ask { try await descend(1, $0) }
      #expect(deepest == 200)
    }
    #expect(reason == .normal)
  }

  @MainActor
  private func callFromMain(_ server: ServerRef<Script>) async throws -> Int {
    try await BothModes.$answersInPlace.withValue(true) {
      try await server.ask { $0.reply(SystemThread.isMain ? 1 : 0) }
    }
  }
}
