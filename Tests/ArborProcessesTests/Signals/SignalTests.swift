import ArborProcesses
import Testing

private struct Boom: Error, Equatable { var text = "boom" }

/// Links, monitors and exits between processes, on a node of each test's own.
@Suite struct SignalTests {
  let node = Node(workers: 2)

  @Test("what was sent arrives in order")
  func order() async throws {
    try await withProcess(on: node) { context in
      let me = context.pid
      spawn { _ in for number in 0..<1000 { me.send(number) } }
      for number in 0..<1000 {
        let next = try await context.receive(Int.self)
        #expect(next == number)
      }
    }
  }

  @Test("a receive takes what fits and leaves the rest in its order")
  func selective() async throws {
    try await withProcess(on: node) { context in
      for number in 0..<5 { context.pid.send(number) }
      context.pid.send("text")
      let text = try await context.receive(String.self)
      #expect(text == "text")
      let three = try await context.receive(Int.self, where: { $0 == 3 })
      #expect(three == 3)
      for number in [0, 1, 2, 4] {
        let next = try await context.receive(Int.self)
        #expect(next == number)
      }
      await #expect(throws: ReceiveError.timeout) {
        try await context.receive(timeout: .zero)
      }
    }
  }

  @Test(
    "a process's end tells its monitors why",
    arguments: [
      (ExitReason.normal, ExitReason.normal), (.shutdown, .shutdown), (.kill, .kill),
      (.error(Boom()), .error(Boom())), (.shutdown("late"), .shutdown("late")),
    ])
  func down(thrown: ExitReason, told: ExitReason) async throws {
    try await withProcess(on: node) { context in
      let (pid, ref) = context.spawnMonitor { _ in throw thrown }
      let down = try await context.receive(Down.self)
      #expect(down.ref == ref && down.pid == pid && down.reason == told)
      #expect(pid.fate?.reason == told && !pid.isAlive)
    }
  }

  @Test(
    "an exit signal ends a waiting process, but for normal",
    arguments: [
      (ExitReason.shutdown, ExitReason.shutdown), (.kill, .killed),
      (.error(Boom()), .error(Boom())),
    ])
  func exitSignal(sent: ExitReason, told: ExitReason) async throws {
    try await withProcess(on: node) { context in
      let (pid, _) = context.spawnMonitor { context in _ = try await context.receive(Int.self) }
      pid.sendExit(.normal)
      pid.sendExit(sent)
      pid.sendExit(.shutdown("too late"))
      let down = try await context.receive(Down.self)
      #expect(down.reason == told)
    }
  }

  @Test("links take down their peers, trapping turns the signal into mail")
  func links() async throws {
    try await withProcess(on: node) { context in
      context.trapExit()
      let child = context.spawnLink { _ in throw Boom() }
      let exit = try await context.receive(Exit.self)
      #expect(exit.pid == child && exit.reason == .error(Boom()))
      let (outer, _) = context.spawnMonitor { context in
        context.spawnLink { _ in throw Boom() }
        _ = try await context.receive(Int.self)
      }
      let down = try await context.receive(Down.self)
      #expect(down.pid == outer && down.reason == .error(Boom()))
    }
  }

  @Test("a call outside any server: reply, reason, timeout")
  func sleeping() async throws {
    try await withProcess(on: node) { context in
      try await context.sleep(for: .milliseconds(1))
      let (pid, _) = context.spawnMonitor { context in try await context.sleep(for: .seconds(1000))
      }
      pid.sendExit(.kill)
      let down = try await context.receive(Down.self)
      #expect(down.reason == .killed)
    }
    #expect(node.processCount == 0)
  }
}
