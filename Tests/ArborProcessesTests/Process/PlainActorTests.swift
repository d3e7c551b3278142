import ArborProcesses
import ArborTestKit
import Testing

private struct Boom: Error, Equatable {}

/// An actor that is a process without being a server.
private actor Session {
  nonisolated let process: ActorProcess
  private(set) var visits = 0

  init(on node: Node) { process = ActorProcess(on: node) }

  func visit() -> PID? {
    visits += 1
    return ProcessCore.current?.pid
  }
}

/// One on the node's threads.
private actor Resident {
  nonisolated let process = ActorProcess()
  nonisolated var unownedExecutor: UnownedSerialExecutor { process.unownedExecutor }
  private var visits = 0

  func visit() -> Int {
    visits += 1
    return visits
  }
}

/// One that has what a server has, and no server.
private actor Own {
  nonisolated let process = ProcessContext()
  func send(_ number: Int, to pid: PID) { process.send(number, to: pid) }
}

@Suite struct PlainActorTests {
  let node = Node(workers: 2)

  @Test("it ends with normal when it is let go of, and the runtime keeps it not alive")
  func released() async throws {
    try await withProcess(on: node) { context in
      var session: Session? = Session(on: node)
      let pid = try #require(session).process.pid
      let ref = context.monitor(pid)
      #expect(pid.isAlive && pid.node === node && node.processCount == 2)
      #expect(pid.info?.parent == context.pid && pid.info?.monitoredBy == [context.pid])
      session = nil
      let down = try await context.receive(Down.self)
      #expect(down.ref == ref && down.reason == .normal && pid.fate?.reason == .normal)
      #expect(node.processCount == 1 && context.core.bonds == ProcessCore.Bonds())
    }
  }

  @Test("let go of by whatever thread, while others watch and link")
  func anyThread() throws {
    try simulate(seeds: 0..<500) { sim in
      let node = sim.node
      try await withProcess { context in
        context.trapExit()
        let me = context.pid
        var pids: [PID] = []
        for _ in 0..<3 {
          let session = Session(on: node)
          pids.append(session.process.pid)
          _ = context.monitor(session.process.pid)
          try context.link(session.process.pid)
          Task.detached {
            for _ in 0..<sim.random(in: 0..<3) { await Task.yield() }
            _ = await session.visit()
          }
          if sim.random(in: 0..<2) == 0 {
            spawn { inner in
              _ = inner.monitor(session.process.pid)
              me.send(await session.visits)
            }
          }
        }
        await sim.settle()
        var ended: [PID: Int] = [:]
        while let next = try? await context.receive(timeout: .zero) {
          if let down = next as? Down, let pid = down.pid {
            try #require(down.reason == .normal)
            ended[pid, default: 0] += 1
          } else if let exit = next as? Exit, let pid = exit.pid {
            try #require(exit.reason == .normal)
            ended[pid, default: 0] += 10
          }
        }
        try #require(ended == Dictionary(uniqueKeysWithValues: pids.map { ($0, 11) }))
        try #require(node.processCount == 1)
      }
    }
  }

  @Test("mail to it is dropped, and counted; a call of it fails at once")
  func noMailbox() async throws {
    try await withProcess(on: node) { context in
      let session = Session(on: node)
      let pid = session.process.pid
      pid.send("hello")
      #expect(throws: SendError.noproc) { try pid.trySend("hello") }
      await #expect(throws: SendError.noproc) { try await pid.sendWaiting("hello") }
      let timer = try context.send("later", to: pid, after: .seconds(1))
      #expect(timer.remaining == nil)
      #expect(pid.mailbox.sent == 3 && pid.mailbox.noReceiver == 3 && pid.mailbox.queued == 0)
      _ = await session.visit()
    }
  }

  @Test(
    "an exit signal ends the process; the actor lives on",
    arguments: [
      (ExitReason.shutdown, ExitReason.shutdown), (.kill, .killed),
      (.error(Boom()), .error(Boom())),
    ])
  func exit(sent: ExitReason, told: ExitReason) async throws {
    try await withProcess(on: node) { context in
      context.trapExit()
      let session = Session(on: node)
      let pid = session.process.pid
      try context.link(pid)
      let ref = context.monitor(pid)
      try node.register("session", for: pid)
      pid.sendExit(.normal)
      #expect(pid.isAlive)
      pid.sendExit(sent)
      #expect(!pid.isAlive)
      let exit = try await context.receive(Exit.self)
      let down = try await context.receive(Down.self)
      #expect(exit.pid == pid && exit.reason == told && down.ref == ref && down.reason == told)
      #expect(node.pid(named: "session") == nil && node.processCount == 1)
      let caller = await session.visit()
      #expect(caller == context.pid)  // a method runs as who calls it
    }
    #expect(node.zombies.isEmpty)
  }

  @Test("on the node's threads, called from all sides")
  func resident() async {
    await withProcess(on: node) { _ in
      let resident = Resident()
      await withTaskGroup(of: Void.self) { group in
        for _ in 0..<100 { group.addTask { _ = await resident.visit() } }
      }
      let visits = await resident.visit()
      #expect(visits == 101)
      let outside = await Task.detached { await resident.visit() }.value
      #expect(outside == 102)
      resident.process.pid.sendExit(.kill)
      let after = await resident.visit()
      #expect(after == 103)
    }
  }

  @Test("with a context of its own it sends as itself, until it has ended")
  func own() async throws {
    try await withProcess(on: node) { context in
      let own = Own()
      let pid = own.process.pid
      #expect(pid != context.pid)
      await own.send(1, to: context.pid)
      pid.sendExit(.shutdown)
      await own.send(2, to: context.pid)  // fenced
      let one = try await context.receive(Int.self)
      #expect(one == 1 && context.mailbox.sent == 1)
    }
  }
}
