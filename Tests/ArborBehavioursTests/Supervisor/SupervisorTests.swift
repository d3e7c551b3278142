import ArborBehaviours
import ArborProcesses
import ArborTestKit
import Testing

@Suite final class SupervisorTests {
  let node = Node(workers: 2)
  deinit { node.shutdown() }

  @Test("a child that crashes is started again, and its name leads to the new one")
  func restart() async throws {
    let node = node
    try await withProcess(on: node) { context in
      let tree = try await Supervisor.start(.oneForOne) {
        Child("counter", named: "counter") { Counter() }
        Child("other") { Counter() }
      }
      let counter = ServerRef<Counter>(named: "counter", on: node)
      let first = try #require(counter.pid)
      let other = try await tree.children[1].pid
      _ = context.monitor(first)
      counter.add(-1)
      let down = try await context.receive(Down.self)
      #expect(down.reason == .error(CounterError.negative(-1)))
      let children = try await tree.children
      #expect(children[0].pid != first && children[0].restarts == 1)
      #expect(children[1].pid == other && children[1].restarts == 0)
      let value = try await counter.value
      #expect(value == 0)
      try await tree.stop(.shutdown)
    }
    #expect(node.processCount == 0)
  }

  @Test("one restart too many ends the supervisor with shutdown, after its children")
  func intensity() async throws {
    try await withProcess(on: node) { context in
      let tree = try await Supervisor.start(.oneForOne, maxRestarts: 2) {
        Child("counter") { Counter() }
        Child("other") { Counter() }
      }
      let other = try #require(try await tree.children[1].pid)
      _ = context.monitor(try #require(tree.pid))
      for _ in 0..<3 {
        guard let pid = try? await tree.children[0].pid else { break }
        let ref = context.monitor(pid)
        pid.sendExit(.kill)
        _ = try await context.receive(Down.self, where: { $0.ref == ref })
      }
      let down = try await context.receive(Down.self)
      #expect(down.pid == tree.pid && down.reason == .shutdown)
      #expect(other.fate?.reason == .shutdown)
    }
    #expect(node.processCount == 0)
  }

  @Test(
    "restart types against each kind of end",
    arguments: [Restart.permanent, .transient, .temporary],
    [ExitReason.normal, .shutdown, .error(CounterError.negative(1))])
  func types(restart: Restart, reason: ExitReason) async throws {
    try await withProcess(on: node) { context in
      let tree = try await Supervisor.start(.oneForOne) {
        Child("child", restart: restart) { Counter() }
      }
      let pid = try #require(try await tree.children[0].pid)
      let ref = context.monitor(pid)
      _ = try? await ServerRef<Counter>(pid).call { .fail($0, reason) }
      _ = try await context.receive(Down.self, where: { $0.ref == ref })
      let children = try await tree.children
      switch restart {
      case .permanent: #expect(children[0].pid != nil && children[0].pid != pid)
      case .transient: #expect((children[0].pid == nil) == reason.isQuiet)
      case .temporary: #expect(children.isEmpty)
      }
      try await tree.stop()
    }
  }

  @Test("children that make no sense are refused before anything starts")
  func badSpecs() async throws {
    let node = node
    await #expect(throws: StartError.failed(.error(SupervisorError.duplicateID("a")))) {
      try await Supervisor.start(.oneForOne, on: node) {
        Child("a") { Counter() }
        Child("a") { Counter() }
      }
    }
    await #expect(throws: StartError.failed(.error(SupervisorError.emptyID))) {
      try await Supervisor.start(.oneForOne, on: node) { Child("") { Counter() } }
    }
    await #expect(throws: StartError.failed(.error(SupervisorError.negativeIntensity(-1)))) {
      try await Supervisor.start(.oneForOne, on: node, maxRestarts: -1) {}
    }
    #expect(node.processCount == 0)
  }

  @Test("mail that a supervisor does not know is logged as an error, and does no harm")
  func unexpected() throws {
    try simulate(seed: 1) { sim in
      let logger = Collector()
      sim.node.logger = logger
      let nursery = Nursery()
      let tree = try await Supervisor.start(.oneForOne, named: "tree") { nursery.child("a") }
      let pool = try await DynamicSupervisor.start()
      let parts = try await PartitionSupervisor.start(partitions: 1) { nursery.child("\($0)") }
      let a = try await tree.pid(of: "a")
      for pid in [tree.pid, pool.pid, parts.pid] {
        let pid = try #require(pid)
        pid.send("what?")
        // Of a process that is no child, which OTP lets pass.
        pid.sendExit(.error(Boom()))
        _ = ProcessContext(pid.core).monitor("nobody")
      }
      for count in [try await tree.counts, try await pool.counts, try await parts.counts] {
        try #require(count[1] == count[0])
      }
      try #require(try await tree.pid(of: "a") == a)
      try #require(
        logger.records.all.map { "\($0.level) \($0.message)" }.sorted()
          == ["DynamicSupervisor", "PartitionSupervisor", "Supervisor"].flatMap { name in
            [
              "error \(name) got an unexpected DOWN of nobody: noproc",
              "error \(name) got an unexpected message: what?",
            ]
          })
      try #require(logger.records.all.contains { $0.name == "tree" && $0.pid == tree.pid })
    }
  }

  @Test("a child that does not start takes back those before it")
  func failedChild() async throws {
    let node = node
    let error = SupervisorError.childFailed("b", .failed(.error(CounterError.negative(3))))
    await #expect(throws: StartError.failed(.error(error))) {
      try await Supervisor.start(.oneForOne, on: node) {
        Child("a", named: "a") { Counter() }
        Child("b") { () async throws -> Counter in throw CounterError.negative(3) }
      }
    }
    #expect(node.processCount == 0 && node.pid(named: "a") == nil)
  }
}
