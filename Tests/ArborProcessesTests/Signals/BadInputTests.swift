import ArborProcesses
import ArborTestKit
import Testing

/// What makes no sense has an answer, mostly none at all, and leaves nothing behind.
@Suite struct BadInputTests {
  let node = Node(workers: 2)

  private func dead(_ context: ProcessContext) async throws -> PID {
    let (pid, ref) = context.spawnMonitor { _ in }
    _ = try await context.receive(Down.self, where: { $0.ref == ref })
    return pid
  }

  private func expectNothingLeft(_ context: ProcessContext) {
    #expect(context.core.bonds == ProcessCore.Bonds())
    #expect(context.core.ledger.queued == 0)
    #expect(node.processCount == 1 && node.registered.isEmpty && node.zombies.isEmpty)
  }

  @Test("a message or a signal to the dead vanishes")
  func toTheDead() async throws {
    try await withProcess(on: node) { context in
      let pid = try await dead(context)
      pid.send("hello")
      context.send("hello", to: pid)
      pid.sendExit(.kill)
      #expect(pid.core.ledger.droppedByExit == 2 && pid.core.ledger.queued == 0)
      #expect(pid.fate?.reason == .normal)
      expectNothingLeft(context)
    }
  }

  @Test("a message to a name that nobody holds throws")
  func unregistered() async throws {
    await withProcess(on: node) { context in
      #expect(throws: NameError.unregistered("nobody")) { try node.send("hello", to: "nobody") }
      #expect(throws: NameError.unregistered("nobody")) { try node.unregister("nobody") }
      expectNothingLeft(context)
    }
  }

  @Test("a name that is taken, or for the dead")
  func names() async throws {
    try await withProcess(on: node) { context in
      let pid = try await dead(context)
      #expect(throws: NameError.notAlive(pid)) { try node.register("late", for: pid) }
      #expect(node.pid(named: "late") == nil)
      try context.register("mine")
      let me = context.pid
      let other = spawn { inner in _ = try await inner.receive(String.self) }
      #expect(throws: NameError.taken("mine", by: me)) { try node.register("mine", for: other) }
      #expect(throws: NameError.taken("mine", by: me)) { try context.register("mine") }
      #expect(node.pid(named: "mine") == me)
      try node.unregister("mine")
      let ref = context.monitor(other)
      other.sendExit(.kill)
      _ = try await context.receive(Down.self, where: { $0.ref == ref })
      expectNothingLeft(context)
    }
  }

  @Test("a name whose holder ended while it was taken back and given anew is free again")
  func crossedNames() async throws {
    for _ in 0..<200 {
      let pid = spawn(on: node) { inner in _ = try await inner.receive(String.self) }
      let racer = spawn(on: node) { _ in
        for _ in 0..<20 {
          try? node.register("crossed", for: pid)
          try? node.unregister("crossed")
        }
      }
      for _ in 0..<20 {
        try? node.register("crossed", for: pid)
        try? node.unregister("crossed")
      }
      try await withProcess(on: node) { context in
        for target in [pid, racer] {
          let ref = context.monitor(target)
          target.sendExit(.kill)
          _ = try await context.receive(Down.self, where: { $0.ref == ref })
        }
        try context.register("crossed")
      }
      #expect(node.pid(named: "crossed") == nil)
    }
  }

  @Test("unlinking a stranger, demonitoring twice, and what is another's")
  func strangers() async throws {
    try await withProcess(on: node) { context in
      let (other, ref) = context.spawnMonitor { inner in _ = try await inner.receive(String.self) }
      context.unlink(other)
      context.unlink(context.pid)
      #expect(context.demonitor(ref))
      #expect(!context.demonitor(ref))
      #expect(!context.demonitor(ref, flush: true))
      let mine = context.monitor(other)
      let me = context.pid
      spawn { stranger in me.send("demonitored: \(stranger.demonitor(mine, flush: true))") }
      let answer = try await context.receive(String.self)
      #expect(answer == "demonitored: false")
      other.send("go")
      let down = try await context.receive(Down.self)
      #expect(down.ref == mine && down.reason == .normal)
      #expect(!context.demonitor(mine))
    }
  }

  @Test("two receives at once: the second throws, the first goes on")
  func twoReceives() throws {
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
      context.pid.send(7)
      let seven = try await first
      try #require(seven == 7)
    }
  }

  @Test("a foreign context cannot receive")
  func foreign() async throws {
    try await withProcess(on: node) { context in
      let me = context.pid
      context.pid.send("mine")
      spawn { _ in
        do {
          _ = try await context.receive(String.self)
        } catch {
          me.send(error as? ReceiveError ?? .timeout)
        }
      }
      let error = try await context.receive(ReceiveError.self)
      #expect(error == .foreignProcess)
      let mine = try await context.receive(String.self)
      #expect(mine == "mine")
      let outside = Task.detached { try await context.receive(String.self) }
      await #expect(throws: ReceiveError.foreignProcess) { try await outside.value }
    }
  }

  @Test("a negative time")
  func negative() async throws {
    try await withProcess(on: node) { context in
      context.pid.send(1)
      await #expect(throws: ReceiveError.badarg) {
        try await context.receive(timeout: .seconds(-1))
      }
      await #expect(throws: ReceiveError.badarg) {
        try await context.sleep(for: .nanoseconds(-1))
      }
      let one = try await context.receive(Int.self)
      #expect(one == 1)
      expectNothingLeft(context)
    }
  }
}
