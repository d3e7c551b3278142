import ArborBehaviours
import ArborProcesses
import ArborTestKit
import Testing

/// What becomes of children, and of their supervisors.
@Suite(.bothModes) struct SupervisionGuarantees {
  let node = Node(workers: 2)

  /// A child that traps exits and notes its start, "+id", and its last words, "-id".
  private func child(
    _ id: String, _ notes: Notes<String>, _ reader: PID, restart: Restart = .permanent,
    significant: Bool = false
  ) -> Child {
    Child(id, restart: restart, significant: significant) {
      notes.add("+\(id)")
      return Script(reader: reader, trapsExit: true) { _ in notes.add("-\(id)") }
    }
  }

  /// Ends a child; its supervisor has heard of it by then.
  private func end(_ id: String, of tree: ServerRef<Supervisor>, _ reason: ExitReason) async throws
  {
    let children = try await tree.children
    let pid = try #require(children.first { $0.id == id }?.pid)
    try await withProcess(on: pid.node) { context in
      let ref = context.monitor(pid)
      ServerRef<Script>(pid).act { _ in throw reason }
      _ = try await context.receive(Down.self, where: { $0.ref == ref })
    }
  }

  @Test("SUP-1: started in order, stopped in reverse; a failed start leaves nothing")
  func order() async throws {
    try await withProcess(on: node) { context in
      let me = context.pid
      let notes = Notes<String>()
      let tree = try await Supervisor.start(.oneForOne) {
        for id in ["b", "a", "c"] { child(id, notes, me) }
      }
      try await tree.stop(.shutdown)
      #expect(notes.all == ["+b", "+a", "+c", "-c", "-a", "-b"])
      let failed = Notes<String>()
      let refused = StartError.failed(
        .error(SupervisorError.childFailed("x", .failed(.error(Boom())))))
      await #expect(throws: refused) {
        try await Supervisor.start(.oneForOne) {
          child("b", failed, me)
          child("a", failed, me)
          Child("x") { () async throws -> Script in throw Boom() }
          child("c", failed, me)
        }
      }
      #expect(failed.all == ["+b", "+a", "-a", "-b"] && node.processCount == 1)
    }
  }

  @Test(
    "SUP-2: who is started again after what",
    arguments: [Restart.permanent, .transient, .temporary],
    [ExitReason.normal, .shutdown, .shutdown("x"), .error(Boom())])
  func restarts(restart: Restart, reason: ExitReason) async throws {
    try await withProcess(on: node) { context in
      let me = context.pid
      let tree = try await Supervisor.start(.oneForOne) {
        child("a", Notes(), me, restart: restart)
      }
      let before = try await tree.children.first?.pid
      try await end("a", of: tree, reason)
      let after = try await tree.children.first
      switch (restart, reason) {
      case (.permanent, _), (.transient, .error):
        #expect(after?.pid != nil && after?.pid != before && after?.restarts == 1)
      case (.transient, _): #expect(after?.state == .stopped)
      case (.temporary, _): #expect(after == nil)
      }
      try await tree.stop(.shutdown)
    }
  }

  @Test(
    "SUP-3: whom a failing child takes along, and in which order",
    arguments: [
      (Supervisor.Strategy.oneForOne, ["-b", "+b"]),
      (.oneForAll, ["-b", "-c", "-a", "+a", "+b", "+c"]), (.restForOne, ["-b", "-c", "+b", "+c"]),
    ])
  func strategies(strategy: Supervisor.Strategy, expected: [String]) async throws {
    try await withProcess(on: node) { context in
      let me = context.pid
      let notes = Notes<String>()
      let tree = try await Supervisor.start(strategy) {
        for id in ["a", "b", "c"] { child(id, notes, me) }
      }
      try await end("b", of: tree, .error(Boom()))
      _ = try await tree.children  // which it answers when all are up again
      #expect(Array(notes.all.dropFirst(3)) == expected)
      try await tree.stop(.shutdown)
    }
  }

  @Test("SUP-4: one restart too many is the end, after the children; the window slides")
  func intensity() throws {
    try simulate(seeds: 0..<50) { sim in
      let me = sim.context.pid
      let notes = Notes<String>()
      let tree = try await Supervisor.start(.oneForOne, maxRestarts: 2, within: .seconds(5)) {
        child("a", notes, me)
        child("b", notes, me)
      }
      let pid = try #require(tree.pid)
      for pause in [3, 3, 3, 6] {
        try await end("b", of: tree, .error(Boom()))
        await sim.advance(by: .seconds(pause))
      }
      let ref = sim.context.monitor(pid)
      let before = notes.all.count
      for _ in 0..<3 { try await end("b", of: tree, .error(Boom())) }
      let down = try await sim.context.receive(Down.self, where: { $0.ref == ref })
      try #require(down.reason == .shutdown && sim.node.processCount == 1)
      try #require(Array(notes.all[before...]) == ["-b", "+b", "-b", "+b", "-b", "-a"])
    }
  }

  @Test("SUP-5: a failing restart is tried again, counts, and keeps nobody waiting")
  func failingRestart() throws {
    try simulate(seeds: 0..<20) { sim in
      let me = sim.context.pid
      let starts = Notes<Void>()
      let tree = try await Supervisor.start(.oneForOne, maxRestarts: 300) {
        Child("a") {
          starts.add(())
          if starts.all.count > 1 { throw Boom() }
          return Script(reader: me)
        }
      }
      let pid = try #require(tree.pid)
      let ref = sim.context.monitor(pid)
      try await end("a", of: tree, .error(Boom()))
      for _ in 0..<3 {
        let state = try await tree.children[0].state
        try #require(state == .restarting)
      }
      let down = try await sim.context.receive(Down.self, where: { $0.ref == ref })
      try #require(down.reason == .shutdown && starts.all.count == 301)
    }
  }

  @Test("SUP-6: a significant end ends the supervisor, if it is not the supervisor's own doing")
  func significant() async throws {
    try await withProcess(on: node) { context in
      let me = context.pid
      let notes = Notes<String>()
      let tree = try await Supervisor.start(
        .oneForAll, maxRestarts: 10, autoShutdown: .anySignificant
      ) {
        child("a", notes, me)
        child("b", notes, me, restart: .transient, significant: true)
      }
      let ref = context.monitor(try #require(tree.pid))
      // It is stopped with the other, asked to stop, or started again: none of these counts.
      try await end("a", of: tree, .error(Boom()))
      try await tree.terminateChild("b")
      try await tree.restartChild("b")
      try await end("b", of: tree, .error(Boom()))
      let count = try await tree.count
      #expect(count.active == 2)
      try await end("b", of: tree, .normal)
      let down = try await context.receive(Down.self)
      #expect(down.ref == ref && down.reason == .shutdown && node.processCount == 1)
    }
  }

  @Test("SUP-7: a killed child never hangs its supervisor", arguments: [true, false])
  func stuck(isKilled: Bool) throws {
    try simulate(seed: 1) { sim in
      let (gate, opening) = AsyncStream<Void>.makeStream()
      let stay = { @Sendable (context: ProcessContext) async throws -> Void in
        context.trapExit()
        // A task of no process: what it waits for is nobody's to end.
        await Task.detached { for await _ in gate { break } }.value
      }
      let tree = try await Supervisor.start(.oneForOne) {
        Child("stuck", shutdown: isKilled ? .timeout(.seconds(3)) : .infinity, stay)
      }
      let pid = try #require(tree.pid)
      let ref = sim.context.monitor(pid)
      if isKilled {
        try await tree.stop(.shutdown, timeout: nil)
        // The time that it is given, and the grace.
        try #require(sim.now == .seconds(4) && sim.node.zombies.count == 1)
      } else {
        let late = await #expect(throws: CallError.timeout) {
          try await tree.stop(.shutdown, timeout: .seconds(86_400))
        }
        try #require(late != nil && sim.node.zombies.isEmpty)
      }
      opening.yield()
      let down = try await sim.context.receive(Down.self)
      try #require(down.ref == ref && down.reason == .shutdown)
      await sim.settle()
      try #require(sim.node.processCount == 1 && sim.node.zombies.isEmpty)
    }
  }

  @Test("SUP-8: a supervisor that is killed takes its tree along")
  func killed() throws {
    try simulate(seeds: 0..<100) { sim in
      let me = sim.context.pid
      let tree = try await Supervisor.start(.oneForOne) {
        child("a", Notes(), me)
        Child("plain") { context in _ = try await context.receive(Int.self) }
        Child("inner") {
          try await Supervisor(.oneForOne) { child("b", Notes(), me) }
        }
      }
      for _ in 0..<sim.random(in: 0..<4) { await Task.yield() }
      tree.pid?.sendExit(.kill)
      await sim.settle()
      try #require(tree.pid?.fate?.reason == .killed && sim.node.processCount == 1)
    }
  }

  @Test("SUP-9: a dynamic supervisor stops its children side by side")
  func sideBySide() throws {
    try simulate(seed: 1) { sim in
      let me = sim.context.pid
      let pool = try await DynamicSupervisor.start()
      for _ in 0..<10 {
        try await pool.startChild(
          Child("slow") {
            Script(reader: me, trapsExit: true) { context in
              try await context.sleep(for: .seconds(4))
            }
          })
      }
      try await pool.stop(.shutdown)
      try #require(sim.now == .seconds(4) && sim.node.processCount == 1)
    }
  }

  @Test("STEP-1: steps come before any message, in their order", arguments: [true, false])
  func steps(atStart: Bool) async throws {
    try await withProcess(on: node) { context in
      let me = context.pid
      let own: Script.Act = { context in
        context.continueWith(
          Script.Continue { context in
            me.send("first")
            context.continueWith(Script.Continue { _ in me.send("third") })
          })
        context.continueWith(Script.Continue { _ in me.send("second") })
        // Mail is here before any step.
        context.pid.send("mail")
      }
      let server = try await Script.start {
        let script = Script(reader: me)
        if atStart { try await own(script.process) }
        return script
      }
      if !atStart { server.act(own) }
      for expected in ["first", "second", "third", "mail"] {
        let next = try await context.receive(String.self)
        #expect(next == expected)
      }
      try await server.stop()
    }
  }

  @Test("IDLE-1: a message takes an idle timeout back, a system message has it begin anew")
  func idle() throws {
    try simulate(seeds: 0..<50) { sim in
      let me = sim.context.pid
      let server = try await Script.start { Script(reader: me) }
      let pid = try #require(server.pid)
      server.act { $0.idleTimeout(.seconds(10)) }
      await sim.advance(by: .seconds(9))
      pid.send("mail")
      await sim.advance(by: .seconds(100))
      let afterMail = await sim.context.drain() as? [String]
      try #require(afterMail == ["mail"])
      server.act { $0.idleTimeout(.seconds(10)) }
      let begun = sim.now
      for _ in 0..<3 {
        await sim.advance(by: .seconds(9))
        _ = try await pid.ask(timeout: nil) { SystemRequest.status($0) }
      }
      let idle = try await sim.context.receive(String.self)
      try #require(idle == "idle" && sim.now - begun == .seconds(37))
      await sim.advance(by: .seconds(100))
      let rest = await sim.context.drain()
      try #require(rest.isEmpty)  // once
    }
  }

  @Test("IDLE-2: one of zero fires on an empty mailbox only", arguments: [true, false])
  func idleZero(hasMail: Bool) async throws {
    try await withProcess(on: node) { context in
      let me = context.pid
      let server = try await Script.start { Script(reader: me) }
      server.act { context in
        if hasMail { context.pid.send("mail") }
        context.idleTimeout(.zero)
      }
      let first = try await context.receive(String.self)
      #expect(first == (hasMail ? "mail" : "idle"))
      try await server.stop()
      let rest = await context.drain()
      #expect(rest is [Script.Terminated])
    }
  }
}
