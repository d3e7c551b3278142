import ArborBehaviours
import ArborPrimitives
import ArborProcesses
import ArborTestKit
import Testing

private enum Locals {
  @TaskLocal static var word = "nothing"
}

/// A plain actor that is a process.
private actor Plain {
  nonisolated let process: ActorProcess
  private(set) var visits = 0
  init(on node: Node) { process = ActorProcess(on: node) }
  func visit() { visits += 1 }
}

/// Starts, what a process is started with, and plain code.
@Suite(.bothModes) struct StartGuarantees {
  let node = Node(workers: 2)

  @Test("START-1: ready, or nothing left and nothing heard")
  func ready() throws {
    try simulate(seeds: 0..<200) { sim in
      try await withProcess { context in
        let me = context.pid
        context.trapExit()
        let server = try await Script.start(named: "script") {
          try await ProcessContext(try #require(ProcessCore.current)).sleep(for: .seconds(1))
          me.send("ready")
          return Script(reader: me)
        }
        let ready = try await context.receive(timeout: .zero) as? String
        try #require(ready == "ready")
        try await server.stop()
        _ = try await context.receive(Script.Terminated.self)
        await #expect(throws: StartError.failed(.error(Boom()))) {
          try await Script.start(named: "script") { throw Boom() }
        }
        await #expect(throws: StartError.timeout) {
          try await Script.startLink(named: "script", timeout: .seconds(1)) {
            try await ProcessContext(try #require(ProcessCore.current)).sleep(for: .seconds(9))
            return Script(reader: me)
          }
        }
        await sim.advance(by: .seconds(20))
        try #require(sim.node.pid(named: "script") == nil && sim.node.processCount == 1)
        try #require(context.mailbox.queued == 0)
      }
    }
  }

  @Test("START-2: the first context is the server's, another is foreign")
  func foreign() async throws {
    try await withProcess(on: node) { context in
      let me = context.pid
      let made = Notes<Script>()
      let server = try await Script.start {
        let script = Script(reader: me)
        made.add(script)
        // A second one is a process of its own.
        if ProcessContext().pid == script.process.pid { throw Boom() }
        return script
      }
      #expect(made.all.first?.process.pid == server.pid)
      let started = try #require(made.all.first)
      await #expect(throws: StartError.foreignServer) { try await Script.start { started } }
      let elsewhere = Script(reader: me)
      await #expect(throws: StartError.foreignServer) { try await Script.start { elsewhere } }
      try await server.stop()
    }
  }

  @Test("CTX-5: task-locals are those of the start")
  func taskLocals() async throws {
    try await withProcess(on: node) { context in
      let me = context.pid
      let server = try await Locals.$word.withValue("start") {
        try await Script.start { Script(reader: me) }
      }
      try await Locals.$word.withValue("call") {
        let isOfStart = try await server.ask { $0.reply(Locals.word == "start" ? 1 : 0) }
        #expect(isOfStart == 1)
      }
      try await server.stop()
    }
  }

  @Test("CTX-6: a name is one of the caller's node")
  func names() async throws {
    let name = ProcessName("semantics \(UInt64.random(in: 0 ... .max))")
    try await withProcess(on: node) { context in
      try context.register(name)
      #expect(ServerRef<Script>(named: name).pid == context.pid)
    }
    #expect(ServerRef<Script>(named: name).pid == nil)
    try await withProcess { outside in
      #expect(outside.node === Node.shared)
      let me = outside.pid
      let shared = spawn { inner in
        try inner.register(name)
        me.send("registered")
        _ = try await inner.receive(String.self)
      }
      _ = try await outside.receive(String.self)
      #expect(ServerRef<Script>(named: name).pid == shared)
    }
    let holder = ServerRef<Script>(named: name).pid
    #expect(holder != nil)
    await withProcess(on: node) { _ in #expect(ServerRef<Script>(named: name).pid == nil) }
    holder?.send("end")
  }

  @Test("PLAIN-1: a plain actor ends with normal when it is let go of")
  func plainActor() async throws {
    try await withProcess(on: node) { context in
      context.trapExit()
      var plain: Plain? = Plain(on: node)
      let pid = try #require(plain).process.pid
      try context.link(pid)
      let ref = context.monitor(pid)
      #expect(pid.isAlive)
      // The last reference goes in another thread.
      Task.detached { [plain] in await plain?.visit() }
      plain = nil
      let exit = try await context.receive(Exit.self)
      let down = try await context.receive(Down.self)
      #expect(exit.reason == .normal && down.ref == ref && down.reason == .normal)
    }
  }

  @Test("PLAIN-2: it has no mailbox; an exit ends the process, not the actor")
  func plainExit() async throws {
    try await withProcess(on: node) { context in
      let plain = Plain(on: node)
      let pid = plain.process.pid
      pid.send(1)
      #expect(pid.mailbox.noReceiver == 1 && pid.mailbox.queued == 0)
      let ref = context.monitor(pid)
      pid.sendExit(.kill)
      let down = try await context.receive(Down.self)
      #expect(down.ref == ref && down.reason == .killed && !pid.isAlive)
      await plain.visit()
      let visits = await plain.visits
      #expect(visits == 1)
    }
  }

  @Test("PLAIN-3: a scope is a process, inside a process that one")
  func scope() async throws {
    let pid = try await withProcess(on: node) { context in
      let watcher = spawn { inner in
        let pid = try await inner.receive(PID.self)
        let ref = inner.monitor(pid)
        pid.send("watched")
        let down = try await inner.receive(Down.self, where: { $0.ref == ref })
        throw down.reason == .normal ? ExitReason.shutdown("heard") : .shutdown("not heard")
      }
      watcher.send(context.pid)
      _ = try await context.receive(String.self)
      await withProcess { inner in #expect(inner.pid == context.pid) }
      #expect(context.pid.isAlive)
      return watcher
    }
    try await withProcess(on: node) { context in
      let reason = try await context.end(of: pid)
      #expect(reason == .shutdown("heard"))
    }
  }
}
