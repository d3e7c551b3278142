import ArborBehaviours
import ArborProcesses
import ArborTables
import ArborTelemetry
import ArborTestKit
import ArborTracing
import Testing

@Suite(.bothModes) struct DeathGuarantees {
  let node = Node(workers: 2)

  @Test("DEATH-1: an exiting process is fenced")
  func fence() async throws {
    try await withProcess(on: node) { context in
      let me = context.pid
      let table = try Table<String, Int>(access: .public)
      let bystander = spawn { inner in _ = try await inner.receive(String.self) }
      let server = try await Script.start { Script(reader: me) }
      let notes = Notes<String>()
      await #expect(throws: CallError.exit(.shutdown)) {
        try await server.ask { from in
          let own = ProcessCore.current?.pid
          let span = Trace.startSpan("work")
          own?.sendExit(.shutdown)
          if own?.isAlive == true { notes.add("alive") }
          me.send("sent")
          from.reply(1)
          bystander.sendExit(.kill)
          if let own, (try? own.node.register("late", for: own)) != nil { notes.add("named") }
          if (try? table.insert("late", 1)) != nil { notes.add("written") }
          if Trace.endSpan(span) { notes.add("ended") }
        }
      }
      #expect(notes.all.isEmpty)
      let rest = await context.drain()
      #expect(rest.isEmpty && bystander.isAlive && node.pid(named: "late") == nil)
      let written = try table.lookup("late")
      #expect(written == nil)
      bystander.send("go")
    }
  }

  @Test("DEATH-2: every wait ends at once, the task is cancelled, terminate is not called")
  func waits() async throws {
    try await withProcess(on: node) { context in
      let me = context.pid
      let silent = try await Script.start { Script(reader: me) }
      silent.act { context in try await context.sleep(for: .seconds(1000)) }
      let waits: [@Sendable (ProcessContext) async throws -> Void] = [
        { context in _ = try await context.receive(Int.self) },
        { context in try await context.sleep(for: .seconds(1000)) },
        { _ in _ = try await silent.ask(timeout: nil) { $0.reply(1) } },
        { _ in try await Task.sleep(for: .seconds(1000)) },
      ]
      for wait in waits {
        let notes = Notes<String>()
        let server = try await Script.start { Script(reader: me) }
        server.act { context in
          me.send("waiting")
          do { try await wait(context) } catch {}
          if !Task.isCancelled { notes.add("not cancelled") }
          throw Boom()
        }
        _ = try await context.receive(String.self)
        let pid = try #require(server.pid)
        pid.sendExit(.shutdown)
        let reason = try await context.end(of: pid)
        #expect(reason == .shutdown && notes.all.isEmpty)
        let rest = await context.drain()
        #expect(rest.isEmpty)
      }
      silent.pid?.sendExit(.kill)
    }
    #expect(node.zombies.isEmpty)
  }

  @Test("DEATH-3: a trapped exit is mail and cancels nothing")
  func trapped() async throws {
    try await withProcess(on: node) { context in
      let me = context.pid
      let server = try await Script.start { Script(reader: me, trapsExit: true) }
      server.act { context in
        me.send("running")
        _ = try await context.receive(String.self)
        me.send(Task.isCancelled)
      }
      _ = try await context.receive(String.self)
      let pid = try #require(server.pid)
      pid.sendExit(.shutdown)
      pid.send("go on")
      let wasCancelled = try await context.receive(Bool.self)
      #expect(!wasCancelled)
      let exit = try await context.receive(Exit.self)
      #expect(exit.reason == .shutdown && exit.pid == me && pid.isAlive)
      pid.sendExit(.kill)
    }
  }

  @Test("DEATH-4: an exit of oneself does not stop the running handler")
  func oneself() async throws {
    try await withProcess(on: node) { context in
      let me = context.pid
      let notes = Notes<String>()
      let server = try await Script.start { Script(reader: me) }
      let pid = try #require(server.pid)
      server.act { context in
        context.sendExit(.shutdown("mine"), to: context.pid)
        notes.add("went on")
        throw Boom()
      }
      let reason = try await context.end(of: pid)
      #expect(reason == .shutdown("mine") && notes.all == ["went on"])
      let rest = await context.drain()
      #expect(rest.isEmpty)  // no terminate
    }
  }

  @Test("DEATH-5: a server that throws terminates first, in a task that is never cancelled")
  func lastWords() async throws {
    try await withProcess(on: node) { context in
      let me = context.pid
      let server = try await Script.start {
        Script(reader: me) { _ in me.send(Task.isCancelled) }
      }
      let pid = try #require(server.pid)
      let ref = context.monitor(pid)
      server.act { _ in
        withUnsafeCurrentTask { $0?.cancel() }
        throw Boom()
      }
      let wasCancelled = try await context.receive() as? Bool
      #expect(wasCancelled == false)
      let terminated = try await context.receive() as? Script.Terminated
      #expect(terminated?.reason == .error(Boom()))
      let down = try await context.receive(Down.self)
      #expect(down.ref == ref && down.reason == .error(Boom()))
    }
  }

  @Test("DEATH-6: fate, tables, names, EXIT, DOWN")
  func order() throws {
    try simulate(seeds: 0..<200) { sim in
      try await withProcess { context in
        context.trapExit()
        let me = context.pid
        let pid = context.spawnLink { inner in
          let table = try Table<Int, Int>(named: "mine")
          try inner.register("mine")
          me.send(table)
          _ = try await inner.receive(Int.self)
        }
        let table = try await context.receive(Table<Int, Int>.self)
        _ = context.monitor(pid)
        pid.sendExit(.shutdown)
        guard let exit = try await context.receive() as? Exit else { throw Boom() }
        try #require(exit.reason == .shutdown && pid.fate?.reason == .shutdown)
        try #require(!table.isAlive && sim.node.pid(named: "mine") == nil)
        try context.register("mine")
        try sim.node.unregister("mine")
        guard let down = try await context.receive() as? Down else { throw Boom() }
        try #require(down.reason == .shutdown)
      }
    }
  }

  @Test("DEATH-7: a handler that does not return is released after the grace, as a zombie")
  func zombie() throws {
    try simulate(seed: 1) { sim in
      try await withProcess { context in
        context.trapExit()
        let told = Notes<PID>()
        try sim.node.telemetry.attach("zombies", to: .processZombie) { _, _, metadata in
          if let pid = metadata["pid", as: PID.self] { told.add(pid) }
        }
        let (gate, opening) = AsyncStream<Void>.makeStream()
        let pid = context.spawnLink { inner in
          do { _ = try await inner.receive(Int.self) } catch {}
          // A task of no process: what it waits for is nobody's to end.
          await Task.detached { for await _ in gate { break } }.value
        }
        let ref = context.monitor(pid)
        await sim.settle()
        let before = sim.now
        pid.sendExit(.kill)
        await sim.settle()
        try #require(!pid.isAlive && pid.fate == nil && sim.node.zombies.isEmpty)
        let exit = try await context.receive(Exit.self)
        let down = try await context.receive(Down.self)
        try #require(exit.reason == .killed && down.reason == .killed && down.ref == ref)
        try #require(sim.now - before == .seconds(1))
        await sim.settle()
        try #require(sim.node.zombies == [pid] && told.all == [pid])
        try #require(sim.node.processCount == 1)
        opening.yield()
        await sim.settle()
        try #require(sim.node.zombies.isEmpty && told.all == [pid])
        try #require(pid.fate?.reason == .killed)
      }
    }
  }

  @Test("DEATH-8: a PID is not reused and says its process's fate")
  func fate() async throws {
    try await withProcess(on: node) { context in
      var pids: Set<PID> = []
      for _ in 0..<100 {
        let (pid, _) = context.spawnMonitor { _ in throw Boom() }
        pids.insert(pid)
        _ = try await context.receive(Down.self)
      }
      #expect(pids.count == 100 && Set(pids.map(\.id)).count == 100)
      #expect(pids.allSatisfy { $0.fate?.reason == .error(Boom()) })
    }
  }

  @Test("DEATH-9: a process that is told to exit before its first turn never runs")
  func neverRan() throws {
    try simulate(seeds: 0..<200) { sim in
      try await withProcess { context in
        let notes = Notes<String>()
        let (pid, _) = context.spawnMonitor { _ in notes.add("ran") }
        pid.sendExit(.shutdown)  // no await in between: it had no turn
        let down = try await context.receive(Down.self)
        try #require(down.reason == .shutdown && notes.all.isEmpty)
        let children = Notes<PID>()
        let (parent, _) = context.spawnMonitor { inner in
          inner.sendExit(.shutdown, to: inner.pid)
          children.add(inner.spawnLink { _ in notes.add("ran") })
        }
        let last = try await context.receive(Down.self)
        try #require(last.pid == parent && last.reason == .shutdown)
        await sim.settle()
        try #require(children.all.map(\.fate?.reason) == [.killed] && notes.all.isEmpty)
      }
    }
  }

  @Test("DEATH-10: a crash is told, before its DOWN; a quiet end and a signal are not")
  func crash() throws {
    try simulate(seeds: 0..<100) { sim in
      try await withProcess { context in
        let told = Notes<CrashReport>()
        try sim.node.telemetry.attach("crashes", to: .processCrash) { _, _, metadata in
          if let report = metadata["report", as: CrashReport.self] { told.add(report) }
        }
        _ = context.spawnMonitor { _ in throw ExitReason.shutdown("why") }
        let (killed, _) = context.spawnMonitor { inner in _ = try await inner.receive(Int.self) }
        killed.sendExit(.error(Boom()))
        for _ in 0..<2 { _ = try await context.receive(Down.self) }
        try #require(told.all.isEmpty)
        let (crashed, _) = context.spawnMonitor { _ in throw Boom() }
        _ = try await context.receive(Down.self)
        try #require(told.all.map(\.pid) == [crashed])
        try #require(told.all.map(\.reason) == [.error(Boom())])
      }
    }
  }
}
