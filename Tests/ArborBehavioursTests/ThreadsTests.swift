import ArborBehaviours
import ArborProcesses
import Testing

/// A node does the same on whatever threads it has.
@Suite struct ThreadsTests {
  static let all: [Node.Threads] = [.own(), .own(workers: 1), .swiftGlobalPool]

  @Test("calls from all sides are each answered once", arguments: all)
  func calls(threads: Node.Threads) async throws {
    let node = Node(on: threads)
    let counter = try await Counter.start(on: node) { Counter() }
    // Plain tasks and processes at the same time.
    await withTaskGroup(of: Void.self) { group in
      for _ in 0..<50 {
        group.addTask {
          for _ in 0..<20 { counter.add(1) }
          _ = try? await counter.value
        }
      }
    }
    try await withProcess(on: node) { context in
      for _ in 0..<50 {
        _ = context.spawnMonitor { _ in
          for _ in 0..<20 { counter.add(1) }
          _ = try await counter.value
        }
      }
      for _ in 0..<50 {
        let down = try await context.receive(Down.self)
        #expect(down.reason == .normal)
      }
    }
    let value = try await counter.value
    #expect(value == 2000)
    try await counter.stop()
    #expect(node.processCount == 0)
    node.shutdown()
  }

  @Test("exits, links, timers and restarts", arguments: all)
  func signals(threads: Node.Threads) async throws {
    let node = Node(on: threads)
    try await withProcess(on: node) { context in
      context.trapExit()
      let peers = (0..<100).map { _ in
        context.spawnLink { inner in _ = try await inner.receive(Int.self) }
      }
      for pid in peers { pid.sendExit(.kill) }
      for _ in peers {
        let exit = try await context.receive(Exit.self)
        #expect(exit.reason == .killed)
      }
      try context.send("tick", to: context.pid, after: .milliseconds(1))
      _ = try await context.receive(String.self)
      await #expect(throws: ReceiveError.timeout) {
        try await context.receive(String.self, timeout: .milliseconds(1))
      }
      let me = context.pid
      let tree = try await Supervisor.start(.oneForOne, maxRestarts: 10, within: .seconds(5)) {
        Child("counter", named: "counter") {
          me.send("up")
          return Counter()
        }
      }
      _ = try await context.receive(String.self)
      let counter = ServerRef<Counter>(named: "counter")
      for _ in 0..<5 {
        let ref = context.monitor("counter")
        counter.add(-1)
        _ = try await context.receive(Down.self, where: { $0.ref == ref })
        _ = try await context.receive(String.self)
        let value = try await counter.value
        #expect(value == 0)
      }
      try await tree.stop(.shutdown)
    }
    #expect(node.processCount == 0 && node.zombies.isEmpty)
    node.shutdown()
  }
}
