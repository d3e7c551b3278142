import ArborBehaviours
import ArborProcesses
import ArborTestKit
import Testing

/// Says which partition it is.
private actor Part: GenServer {
  enum Call: Sendable { case number(From<Int>) }

  let process = ProcessContext()
  private let number: Int
  init(_ number: Int) { self.number = number }

  func handleCall(_ call: Call) {
    switch call {
    case .number(let from): from.reply(number)
    }
  }
}

extension ServerRef<Part> {
  fileprivate func ask() async throws(CallError) -> Int { try await call { .number($0) } }
}

/// Cases of Elixir's partition_supervisor_test.
@Suite struct PartitionSupervisorTests {
  private func start(
    named name: ProcessName? = nil, partitions: Int
  ) async throws -> ServerRef<PartitionSupervisor> {
    try await PartitionSupervisor.start(named: name, partitions: partitions) { number in
      Child("part") { Part(number) }
    }
  }

  @Test("ExPartitionSupervisor with_arguments: routing by key is stable")
  func arguments() throws {
    try simulate(seed: 1) { sim in
      _ = try await start(named: "parts", partitions: 3)
      let parts = ServerRef<PartitionSupervisor>(named: "parts")
      func number(_ key: some Hashable & Sendable) async throws -> Int {
        try await ServerRef<Part>(named: parts.via(key)).ask()
      }
      try #require(parts.partitions == 3)
      for (key, expected) in [(0, 0), (1, 1), (2, 2), (3, 0), (-1, 1), (Int.min, 2)] {
        try #require(try await number(key) == expected)
      }
      try #require(try await number(UInt8(5)) == 2)
      struct Key: Hashable, Sendable { var name: String, number: Int }
      for index in 0..<20 {
        let keys: [any Hashable & Sendable] = ["user \(index)", Key(name: "x", number: index), 1.5]
        for key in keys {
          let first = try await number(key)
          try #require(try await number(key) == first)
          try #require(parts.pid(for: key) == ServerRef<Part>(named: parts.via(key)).pid)
        }
      }
      let used = Set((0..<100).compactMap { parts.pid(for: "user \($0)") })
      try #require(used.count == 3)
      // A text leads to the same partition in every run.
      try #require(try await number("user 1") == 1)
    }
  }

  @Test("a name leads to the partition's new process after a restart")
  func restart() throws {
    try simulate(seeds: 0..<500) { sim in
      let parts = try await start(partitions: 2)
      let second = ServerRef<Part>(named: parts.via(1))
      let before = try #require(second.pid)
      before.sendExit(.kill)
      try await sim.context.awaitEnd(of: before)
      try #require(try await parts.children.map(\.restarts) == [0, 1])
      try #require(second.pid != before)
      try #require(try await second.ask() == 1)
    }
  }

  @Test("ExPartitionSupervisor which_children, count_children, of workers and of supervisors")
  func children() throws {
    try simulate(seed: 1) { sim in
      let parts = try await start(partitions: 4)
      #expect(try await parts.children.map(\.id) == ["0", "1", "2", "3"])
      #expect(try await parts.children.map(\.pid) == (0..<4).map { parts.pid(for: $0) })
      #expect(try await parts.counts == [4, 4, 0, 4])
      let pools = try await PartitionSupervisor.start(partitions: 4) { _ in
        Child("pool") { try DynamicSupervisor() }
      }
      #expect(try await pools.counts == [4, 4, 4, 0])
      // ExPartitionSupervisor on success with atom name: one pool for each key.
      for key in 0..<100 {
        try await ServerRef<DynamicSupervisor>(named: pools.via("key \(key)"))
          .startChild(Child("\(key)") { Part(key) })
      }
      var ids: Set<String> = []
      for pool in try await pools.children {
        let pid = try #require(pool.pid)
        for child in try await ServerRef<DynamicSupervisor>(pid).children { ids.insert(child.id) }
      }
      #expect(ids.count == 100)
    }
  }

  @Test("ExPartitionSupervisor raises on bad partitions; stop; noproc for an unknown one")
  func mistakes() throws {
    try simulate(seed: 1) { sim in
      let error = SupervisorError.badPartitions(0, 1...Int.max)
      await #expect(throws: StartError.failed(.error(error))) { try await start(partitions: 0) }
      let parts = try await start(named: "parts", partitions: 2)
      let name = parts.via(0)
      try await parts.stop()
      #expect(sim.node.pid(named: "parts") == nil && parts.partitions == nil)
      await #expect(throws: CallError.noproc) { try await ServerRef<Part>(named: name).ask() }
      let unknown = ServerRef<PartitionSupervisor>(named: "unknown")
      #expect(unknown.partitions == nil && unknown.pid(for: 0) == nil)
      await #expect(throws: CallError.noproc) { try await unknown.children }
      await #expect(throws: SupervisorError.noAnswer(.noproc)) { try await unknown.resize(to: 1) }
      // The name is a way to somebody, and not to be had.
      await #expect(throws: StartError.self) { try await Part.start(named: name) { Part(0) } }
    }
  }

  @Test("ExPartitionSupervisor resizes the number of children, up and down")
  func resize() throws {
    try simulate(seeds: 0..<500) { sim in
      let parts = try await start(named: "parts", partitions: 4)
      var shuffled = Array(0...4)
      for index in shuffled.indices { shuffled.swapAt(index, sim.random(in: 0..<5)) }
      for count in (0...4).reversed() + Array(0...4) + shuffled {
        let before = try #require(parts.partitions)
        try #require(try await parts.resize(to: count) == before)
        try #require(parts.partitions == count)
        try #require(try await parts.counts == [4, count, 0, 4])
        let reached = Set((0..<4).compactMap { parts.pid(for: $0) })
        try #require(reached.count == count && reached.allSatisfy(\.isAlive))
      }
      try await parts.resize(to: 0)
      await #expect(throws: CallError.noproc) {
        try await ServerRef<Part>(named: parts.via("x")).ask()
      }
      for count in [-1, 5] {
        await #expect(throws: SupervisorError.badPartitions(count, 0...4)) {
          try await parts.resize(to: count)
        }
      }
    }
  }

  @Test("keys are led away from a partition before it is ended")
  func ledAway() throws {
    try simulate(seed: 1) { sim in
      let nursery = Nursery()
      let parts = try await PartitionSupervisor.start(partitions: 2) { number in
        nursery.child("\(number)", .permanent, .slow(.seconds(1)))
      }
      let first = try #require(parts.pid(for: 0))
      let resizing = Task { try await parts.resize(to: 1) }
      await sim.settle()
      // The second takes its time.
      #expect(sim.node.processCount == 4)
      #expect(parts.pid(for: 1) == first && parts.partitions == 1)
      #expect(try await resizing.value == 2)
    }
  }

  @Test("a partition that does not start leaves all as it was")
  func failingResize() throws {
    try simulate(seed: 1) { _ in
      let nursery = Nursery()
      let parts = try await PartitionSupervisor.start(partitions: 4) { number in
        nursery.child("\(number)")
      }
      try await parts.resize(to: 1)
      nursery.fail("3")
      let error = SupervisorError.childFailed("3", .failed(.error(Refusal(id: "3"))))
      await #expect(throws: error) { try await parts.resize(to: 4) }
      #expect(parts.partitions == 1)
      #expect(try await parts.counts == [4, 1, 0, 4])
    }
  }

  @Test("callers find a living partition, or nobody, while it is resized and killed")
  func race() throws {
    try simulate(seeds: 0..<500) { sim in
      let parts = try await start(partitions: 3)
      spawn { _ in
        for count in [1, 3, 0, 2, 3] {
          _ = try? await parts.resize(to: count)
          await Task.yield()
        }
      }
      spawn { _ in
        for _ in 0..<2 {
          parts.pid(for: 1)?.sendExit(.kill)
          await Task.yield()
        }
      }
      for key in 0..<6 {
        do {
          let number = try await ServerRef<Part>(named: parts.via(key)).ask()
          try #require((0..<3).contains(number))
        } catch let error as CallError {
          try #require(error != .timeout)
        }
      }
      await sim.settle()
      try #require(try await parts.counts == [3, 3, 0, 3])
      for key in 0..<3 {
        try #require(try await ServerRef<Part>(named: parts.via(key)).ask() == key)
      }
    }
  }
}
