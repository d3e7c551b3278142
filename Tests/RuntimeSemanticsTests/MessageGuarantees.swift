import ArborBehaviours
import ArborProcesses
import ArborTestKit
import ArborTracing
import Testing

/// Calls, mailboxes and what surrounds a handler.
@Suite struct MessageGuarantees {
  let node = Node(workers: 2)

  @Test(
    "CALL-1: a call fails with the server's reason",
    arguments: [
      (ExitReason.normal, ExitReason.normal), (.shutdown, .shutdown), (.kill, .killed),
      (.error(Boom()), .error(Boom())),
    ])
  func reason(sent: ExitReason, told: ExitReason) async throws {
    try await withProcess(on: node) { context in
      let me = context.pid
      let thrower = try await Script.start { Script(reader: me) }
      await #expect(throws: CallError.exit(sent)) { try await thrower.ask { _ in throw sent } }
      await #expect(throws: CallError.noproc) { try await thrower.ask { $0.reply(1) } }
      guard sent != .normal else { return }
      let ended = try await Script.start { Script(reader: me) }
      await #expect(throws: CallError.exit(told)) {
        try await ended.ask { _ in
          ended.pid?.sendExit(sent)
          try await Task.sleep(for: .seconds(1000))
        }
      }
    }
  }

  @Test("CALL-2: a late reply is dropped")
  func late() throws {
    try simulate(seeds: 0..<50) { sim in
      try await withProcess { context in
        let me = context.pid
        let server = try await Script.start { Script(reader: me) }
        await #expect(throws: CallError.timeout) {
          try await server.ask(timeout: .milliseconds(10)) { from in
            try await me.node.current.sleep(for: .milliseconds(20))
            from.reply(1)
          }
        }
        await sim.advance(by: .milliseconds(50))
        let rest = await context.drain()
        try #require(rest.isEmpty)
        let two = try await server.ask { $0.reply(2) }
        try #require(two == 2)
      }
    }
  }

  @Test("CALL-3: a cast to nobody succeeds, a send to nobody throws")
  func nobody() async throws {
    await withProcess(on: node) { _ in
      ServerRef<Script>(named: "nobody").act { _ in }
      #expect(throws: NameError.unregistered("nobody")) { try node.send(1, to: "nobody") }
    }
  }

  @Test("CALL-4: a request that is let go of fails its caller")
  func noReply() async throws {
    try await withProcess(on: node) { context in
      let me = context.pid
      let server = try await Script.start { Script(reader: me) }
      await #expect(throws: CallError.noReply) { try await server.ask { _ in } }
    }
  }

  @Test("CALL-5: callingSelf, by the handler's own task")
  func callingSelf() async throws {
    try await withProcess(on: node) { context in
      let me = context.pid
      let server = try await Script.start { Script(reader: me) }
      let answer = try await server.ask { from in
        do throws(CallError) {
          _ = try await server.ask { $0.reply(1) }
        } catch {
          from.reply(error == .callingSelf ? 7 : 0)
        }
      }
      #expect(answer == 7)
      let fromTask = try await server.ask { from in
        Task { from.reply((try? await server.ask { $0.reply(8) }) ?? 0) }
      }
      #expect(fromTask == 8)
    }
  }

  @Test("CALL-6: a CallError that leaves a handler is abnormal")
  func abnormal() async throws {
    try await withProcess(on: node) { context in
      let me = context.pid
      let inner = try await Script.start { Script(reader: me) }
      let outer = try await Script.start { Script(reader: me) }
      let ref = context.monitor(try #require(outer.pid))
      outer.act { _ in _ = try await inner.ask { _ in throw ExitReason.normal } }
      let down = try await context.receive(Down.self, where: { $0.ref == ref })
      #expect(down.reason == .error(CallError.exit(.normal)) && !down.reason.isQuiet)
    }
  }

  @Test("MAIL-1: first in, first out; what does not fit stays in its order")
  func order() async throws {
    try await withProcess(on: node) { context in
      for number in 0..<6 { context.pid.send(number) }
      let three = try await context.receive(Int.self, where: { $0 == 3 })
      context.pid.send(6)
      let rest = await context.drain() as? [Int]
      #expect(three == 3 && rest == [0, 1, 2, 4, 5, 6])
    }
  }

  @Test("MAIL-2: sent = handled + queued + dropped")
  func ledger() async throws {
    try await withProcess(on: node) { context in
      for number in 0..<5 { context.pid.send(number) }
      _ = try await context.receive(Int.self, where: { $0 == 2 })
      let (_, ref) = context.spawnMonitor { _ in }
      while context.core.ledger.queued < 5 { await Task.yield() }
      context.demonitor(ref, flush: true)
      let mine = context.core.ledger
      #expect(mine.sent == 6 && mine.handled == 1 && mine.queued == 4 && mine.flushed == 1)
      let (pid, _) = context.spawnMonitor { inner in
        _ = try await inner.receive(Int.self)
        _ = try await inner.receive(String.self)
      }
      for number in 0..<3 { pid.send(number) }
      while pid.core.ledger.handled < 1 { await Task.yield() }
      pid.sendExit(.kill)
      pid.send(3)
      _ = try await context.receive(Down.self)
      let its = pid.core.ledger
      #expect(its.sent == 4 && its.handled == 1 && its.queued == 0 && its.droppedByExit == 3)
    }
  }

  @Test("MAIL-3: one receive at a time, by its own process")
  func oneReceive() async throws {
    try simulate(seeds: 0..<20) { sim in
      let context = sim.context
      async let first = context.receive(Int.self)
      await sim.settle()  // the child task is waiting in its receive
      let second: ReceiveError?
      do throws(ReceiveError) {
        _ = try await context.receive(String.self, timeout: .zero)
        second = nil
      } catch {
        second = error
      }
      try #require(second == .alreadyReceiving)
      context.pid.send(1)
      let one = try await first
      try #require(one == 1)
    }
    try await withProcess(on: node) { context in
      await #expect(throws: ReceiveError.foreignProcess) {
        try await Task.detached { try await context.receive(Int.self) }.value
      }
      try await context.sleep(for: .zero)
    }
  }

  @Test("CALL-7: one message at a time, whatever the handler awaits")
  func oneAtATime() throws {
    try simulate(seeds: 0..<200) { sim in
      try await withProcess { context in
        let me = context.pid
        let server = try await Script.start { Script(reader: me) }
        for number in 0..<3 {
          server.act { own in
            me.send("in \(number)")
            await Task.yield()
            try await own.sleep(for: .seconds(sim.random(in: 0..<3)))
            me.send("out \(number)")
          }
        }
        for number in 0..<3 {
          for word in ["in", "out"] {
            let next = try await context.receive(String.self)
            try #require(next == "\(word) \(number)")
          }
        }
      }
    }
  }

  @Test(
    "MAIL-4: no more than its capacity",
    arguments: [MailboxOverflow.fail, .dropNewest, .dropOldest, .suspend])
  func bounded(policy: MailboxOverflow) async throws {
    try await withProcess(on: node) { context in
      let (pid, ref) = context.spawnMonitor(mailbox: .bounded(2, policy)) { inner in
        try await inner.sleep(for: .seconds(1000))
      }
      for number in 0..<5 { pid.send(number) }
      let ledger = pid.mailbox
      #expect(ledger.sent == 5 && ledger.queued == 2 && ledger.dropped == 3)
      switch policy {
      case .fail, .suspend: #expect(ledger.refused == 3)
      case .dropNewest: #expect(ledger.droppedNewest == 3)
      case .dropOldest: #expect(ledger.droppedOldest == 3)
      }
      if policy == .dropOldest {
        try pid.trySend(5)
      } else {
        #expect(throws: SendError.full) { try pid.trySend(5) }
      }
      await #expect(throws: SendError.timeout) {
        try await pid.sendWaiting(6, timeout: .milliseconds(1))
      }
      pid.sendExit(.kill)
      _ = try await context.receive(Down.self, where: { $0.ref == ref })
    }
  }

  @Test("MAIL-5: DOWN, EXIT and system messages find room in a full mailbox")
  func exempt() throws {
    try simulate(seeds: 0..<100) { sim in
      try await withProcess { context in
        let me = context.pid
        let (gate, opening) = AsyncStream<Void>.makeStream()
        let server = try await Script.start(mailbox: .bounded(1, .fail)) {
          Script(reader: me, trapsExit: true)
        }
        let pid = try #require(server.pid)
        server.act { own in
          _ = own.spawnMonitor { _ in }
          for await _ in gate { break }
        }
        await sim.settle()
        pid.send("fills it")
        pid.send("refused")
        pid.sendExit(.shutdown("trapped"))
        let stopping = Task { try await server.stop() }  // a system message
        await sim.settle()
        try #require(pid.mailbox.queued == 4 && pid.mailbox.refused == 1)
        opening.yield()
        try await stopping.value
        let text = try await context.receive(String.self)
        _ = try await context.receive(Down.self)
        let exit = try await context.receive(Exit.self)
        try #require(text == "fills it" && exit.reason == .shutdown("trapped"))
      }
    }
  }

  @Test("CTX-1: a handler runs as its own process, and so does what it starts")
  func ownProcess() async throws {
    try await withProcess(on: node) { context in
      let me = context.pid
      let server = try await Script.start { Script(reader: me) }
      let pid = try #require(server.pid)
      server.act { own in
        me.send(ProcessCore.current?.pid == own.pid)
        Task {
          while own.core.ledger.handled < 2 { await Task.yield() }  // the handler is over
          me.send(ProcessCore.current?.pid == own.pid)
        }
      }
      server.act { _ in }
      for _ in 0..<2 {
        let isOwn = try await context.receive(Bool.self)
        #expect(isOwn)
      }
      pid.sendExit(.kill)
    }
  }

  @Test("CTX-2: a handler is in the trace of its message")
  func trace() async throws {
    try await withProcess(on: node) { context in
      let me = context.pid
      let server = try await Trace.withSpan("start") {
        try await Script.start { Script(reader: me) }
      }
      for name in ["first", "second"] {
        try await Trace.withSpan(name) {
          let mine = try #require(Trace.currentTraceID)
          let same = try await server.ask { $0.reply(Trace.currentTraceID == mine ? 1 : 0) }
          #expect(same == 1)
        }
      }
      let none = try await server.ask { $0.reply(Trace.currentTraceID == nil ? 1 : 0) }
      #expect(none == 1)
    }
  }

  @Test("CTX-3: a direct call bypasses the mailbox and runs as its caller")
  func direct() async throws {
    try await withProcess(on: node) { context in
      let me = context.pid
      let made = Notes<Script>()
      let server = try await Script.start {
        let script = Script(reader: me)
        made.add(script)
        return script
      }
      let latch = Latch()
      server.act { _ in await latch.pass() }
      let script = try #require(made.all.first)
      let ran = await script.visit()  // while a handler awaits
      #expect(ran == me)
      latch.open()
    }
  }

  @Test("CTX-4: ancestors, by PID or the name they had")
  func ancestors() async throws {
    try await withProcess(on: node) { context in
      let me = context.pid
      _ = context.spawnMonitor { parent in
        try parent.register("parent")
        let child = parent.spawnLink { child in
          me.send(child.ancestors.map(\.description))
          _ = try await child.receive(String.self)
        }
        _ = try await parent.receive(Down.self, timeout: .seconds(1200))
        _ = child
      }
      let names = try await context.receive([String].self)
      #expect(names == ["parent", "\(me)"])
      node.pid(named: "parent")?.sendExit(.kill)
    }
  }
}

extension Node {
  /// The context of the calling process.
  fileprivate var current: ProcessContext {
    get throws { ProcessContext(try #require(ProcessCore.current)) }
  }
}
