import ArborBehaviours
import ArborProcesses
import ArborTables
import ArborTestKit
import Testing

/// Elixir's `registry_test.exs`, over keys and partitions.
@Suite struct RegistryTests {
  typealias Names = Registry<String, Int>

  /// A process that is registered, until it is killed.
  static func register(
    in registry: Names, _ key: String, _ value: Int, by context: ProcessContext
  ) async throws -> PID {
    let me = context.pid
    let pid = spawn { other in
      try registry.register(key, value)
      me.send(other.pid)
      try await forever()
    }
    return try await context.receive(PID.self, where: { $0 == pid })
  }

  /// Runs one case with a registry of its own.
  func run(
    _ keys: RegistryKeys, _ partitions: Int, listeners: [ProcessName] = [],
    _ body: @escaping @Sendable (Names, ProcessContext) async throws -> Void
  ) throws {
    try simulate(seed: 7) { sim in
      let registry = Names(keys, named: "names", partitions: partitions, listeners: listeners)
      try await registry.start()
      try await body(registry, sim.context)
    }
  }

  @Test("ExRegistry unique: registrations, values, keys", arguments: [1, 8])
  func unique(partitions: Int) throws {
    try run(.unique, partitions) { registry, context in
      let me = context.pid
      #expect(registry.count == 0)
      try registry.register("hello", 1)
      #expect(registry.keys(of: me) == ["hello"] && registry.values("hello", of: me) == [1])
      let mine = RegistryError.alreadyRegistered(key: "hello", by: me)
      #expect(throws: mine) { try registry.register("hello", 2) }
      #expect(registry.keys(of: me) == ["hello"] && registry.values("hello", of: me) == [1])
      try registry.register("world", 3)
      #expect(registry.keys(of: me).sorted() == ["hello", "world"] && registry.count == 2)
      #expect(registry.lookup("hello") == [RegistryEntry(pid: me, value: 1)])
      #expect(registry.lookup("none").isEmpty && registry.pid(for: "none") == nil)
      #expect(registry.pid(for: "hello") == me)
    }
  }

  @Test("ExRegistry unique across processes, and not blocked by a dead owner", arguments: [1, 8])
  func uniqueAcrossProcesses(partitions: Int) throws {
    try run(.unique, partitions) { registry, context in
      let me = context.pid
      let other = try await Self.register(in: registry, "hello", 1, by: context)
      #expect(registry.keys(of: other) == ["hello"] && registry.values("hello", of: other) == [1])
      let taken = RegistryError.alreadyRegistered(key: "hello", by: other)
      #expect(throws: taken) { try registry.register("hello", 2) }
      #expect(registry.keys(of: me).isEmpty && registry.values("hello", of: me).isEmpty)
      #expect(context.core.bonds.links == 0)
      // What the registry's process does is nothing to it.
      registry.pid?.core.receiveExit(.normal, from: nil)
      other.sendExit(.kill)
      try registry.register("hello", 2)  // before its end is known to anybody
      #expect(registry.lookup("hello") == [RegistryEntry(pid: me, value: 2)])
      try await context.waitUntilDown(other)
      #expect(registry.lookup("hello") == [RegistryEntry(pid: me, value: 2)])
      #expect(registry.keys(of: other).isEmpty)
    }
  }

  @Test(
    "ExRegistry duplicate: registrations, values, keys",
    arguments: [RegistryKeys.duplicate, .duplicateByKey],
    [1, 8])
  func duplicate(keys: RegistryKeys, partitions: Int) throws {
    try run(keys, partitions) { registry, context in
      let me = context.pid
      try registry.register("hello", 1)
      try registry.register("hello", 1)
      #expect(registry.count == 2)
      #expect(registry.keys(of: me) == ["hello", "hello"])
      #expect(registry.values("hello", of: me) == [1, 1])
      try registry.register("world", 2)
      let other = try await Self.register(in: registry, "hello", 3, by: context)
      #expect(registry.keys(of: me).sorted() == ["hello", "hello", "world"])
      #expect(registry.keys(of: other) == ["hello"] && registry.values("hello", of: other) == [3])
      #expect(registry.lookup("hello").map(\.value).sorted() == [1, 1, 3])
      #expect(registry.pid(for: "hello") == nil)
      try registry.unregister("hello")
      #expect(registry.keys(of: me) == ["world"] && registry.lookup("hello").map(\.pid) == [other])
      #expect(throws: RegistryError.notUnique("names")) {
        try registry.updateValue("world") { $0 += 1 }
      }
    }
  }

  @Test(
    "ExRegistry clean up on process crash: gone before its DOWN", arguments: RegistryKeys.allCases,
    [1, 8])
  func cleanUp(keys: RegistryKeys, partitions: Int) throws {
    try run(keys, partitions) { registry, context in
      for key in ["hello", "world"] {
        let pid = try await Self.register(in: registry, key, 1, by: context)
        let ref = context.monitor(pid)
        pid.sendExit(.kill)
        _ = try await context.receive(Down.self, where: { $0.ref == ref })
        #expect(
          registry.count == 0 && registry.lookup(key).isEmpty && registry.keys(of: pid).isEmpty)
        for table in try registry.running().partitions {
          #expect(try table.count == 0)
          #expect(table.ledgerCount == 0)
        }
      }
    }
  }

  // By name: of two closures of one function, between which `#expect` stands, the compiler (6.3.1) was
  // seen to call the first for the second.
  private static func isOne(_ value: Int) -> Bool { value == 1 }
  private static func isMoreThanOne(_ value: Int) -> Bool { value > 1 }

  @Test(
    "ExRegistry match, count_match, unregister_match", arguments: RegistryKeys.allCases, [1, 8])
  func match(keys: RegistryKeys, partitions: Int) throws {
    try run(keys, partitions) { registry, context in
      try registry.register("hello", 1)
      if keys != .unique { try registry.register("hello", 2) }
      let other = try await Self.register(
        in: registry, keys == .unique ? "else" : "hello", 3, by: context)
      #expect(registry.match("hello") { $0 == 1 } == [RegistryEntry(pid: context.pid, value: 1)])
      #expect(registry.match("hello") { $0 > 3 }.isEmpty)
      #expect(registry.countMatch("hello") { $0 > 0 } == (keys == .unique ? 1 : 3))
      #expect(registry.countMatch("none") { _ in true } == 0)
      try registry.unregister("hello", where: Self.isMoreThanOne)
      #expect(registry.values("hello", of: context.pid) == [1])
      #expect(registry.keys(of: other).count == 1)  // only one's own entries are taken back
      try registry.unregister("hello", where: Self.isOne)
      #expect(registry.values("hello", of: context.pid) == [])
      #expect(registry.keys(of: context.pid).isEmpty)
      try registry.unregister(registry.keys(of: other)[0]) { _ in throw Oops() }  // not asked
      try registry.register("mine", 4)
      #expect(throws: Oops.self) { try registry.unregister("mine") { _ in throw Oops() } }
      #expect(registry.values("mine", of: context.pid) == [4])
    }
  }

  @Test("ExRegistry select, count_select", arguments: RegistryKeys.allCases, [1, 8])
  func select(keys: RegistryKeys, partitions: Int) throws {
    try run(keys, partitions) { registry, context in
      let me = context.pid
      #expect(registry.select { key, _, _ in key }.isEmpty)
      try registry.register("hello", 1)
      try registry.register("world", 2)
      let other = try await Self.register(in: registry, "other", 3, by: context)
      #expect(registry.select { key, _, _ in key }.sorted() == ["hello", "other", "world"])
      #expect(registry.select { _, pid, value in pid == other ? value : nil } == [3])
      #expect(registry.countSelect { key, _, _ in key == "hello" || key == "world" } == 2)
      #expect(registry.countSelect { _, pid, value in pid == me && value > 1 } == 1)
      #expect(throws: Oops.self) { try registry.select { _, _, _ -> Int? in throw Oops() } }
      if keys != .unique {
        try registry.register("hello", 1)
        #expect(registry.countSelect { key, _, _ in key == "hello" } == 2)
      }
      #expect(registry.count == (keys == .unique ? 3 : 4))
    }
  }

  @Test("ExRegistry updates current process value", arguments: [1, 8])
  func updateValue(partitions: Int) throws {
    try run(.unique, partitions) { registry, context in
      #expect(try registry.updateValue("hello") { _ in throw Oops() } == nil)
      _ = try await Self.register(in: registry, "hello", 1, by: context)
      #expect(try registry.updateValue("hello") { _ in throw Oops() } == nil)
      try registry.register("world", 1)
      let change = try registry.updateValue("world") { $0 += 1 }
      #expect(change?.new == 2 && change?.old == 1)
      #expect(registry.values("world", of: context.pid) == [2])
      #expect(throws: Oops.self) {
        try registry.updateValue("world") {
          $0 = 9
          throw Oops()
        }
      }
      #expect(registry.values("world", of: context.pid) == [2])
    }
  }

  @Test("ExRegistry dispatch, in serial and in parallel", arguments: RegistryKeys.allCases, [1, 8])
  func dispatch(keys: RegistryKeys, partitions: Int) throws {
    try run(keys, partitions) { registry, context in
      registry.dispatch("hello") { _ in Issue.record("nobody is registered") }
      try await registry.dispatchInParallel("hello") { _ in Issue.record("nobody is registered") }
      try registry.register("hello", 1)
      var expected = [1]
      if keys != .unique {
        try registry.register("hello", 2)
        for value in 3...6 {
          _ = try await Self.register(in: registry, "hello", value, by: context)
        }
        expected = [1, 2, 3, 4, 5, 6]
      }
      try registry.register("world", 9)
      var seen: [Int] = []
      var calls = 0
      registry.dispatch("hello") { entries in
        calls += 1
        seen += entries.map(\.value)
      }
      #expect(seen.sorted() == expected)
      let me = context.pid
      try await registry.dispatchInParallel("hello") { entries in me.send(entries.map(\.value)) }
      seen = []
      for _ in 0..<calls { seen += try await context.receive([Int].self, timeout: .zero) }
      #expect(seen.sorted() == expected)
      #expect((calls > 1) == (keys == .duplicate && partitions == 8))
      #expect(throws: Oops.self) { try registry.dispatch("hello") { _ in throw Oops() } }
      await #expect(throws: Oops.self) {
        try await registry.dispatchInParallel("hello") { _ in throw Oops() }
      }
    }
  }

  @Test(
    "ExRegistry unregisters by key, and with no entries", arguments: RegistryKeys.allCases, [1, 8])
  func unregister(keys: RegistryKeys, partitions: Int) throws {
    try run(keys, partitions) { registry, context in
      try registry.unregister("hello")
      try registry.register("hello", 1)
      try registry.register("world", 1)
      let other = try await Self.register(in: registry, "other", 1, by: context)
      try registry.unregister("other")  // another's
      #expect(registry.keys(of: other) == ["other"])
      try registry.unregister("hello")
      #expect(registry.keys(of: context.pid) == ["world"])
      try registry.unregister("world")
      #expect(registry.keys(of: context.pid).isEmpty && registry.count == 1)
    }
  }

  @Test("ExRegistry allows listeners", arguments: RegistryKeys.allCases, [1, 8])
  func listeners(keys: RegistryKeys, partitions: Int) throws {
    try run(keys, partitions, listeners: ["listener", "nobody"]) { registry, context in
      typealias Event = RegistryEvent<String, Int>
      try context.register("listener")
      let other = try await Self.register(in: registry, "hello", 1, by: context)
      #expect(try await context.receive(Event.self) == .registered("hello", other, 1))
      try registry.register("world", 2)
      #expect(try await context.receive(Event.self) == .registered("world", context.pid, 2))
      try registry.unregister("world")
      #expect(try await context.receive(Event.self) == .unregistered("world", context.pid))
      try registry.unregister("world")
      if keys == .unique { try? registry.register("hello", 3) }
      #expect(await context.flush().isEmpty)  // what changed nothing is told to nobody
    }
  }

  @Test(
    "ExRegistry links and unlinks on register/unregister", arguments: RegistryKeys.allCases, [1, 8])
  func links(keys: RegistryKeys, partitions: Int) throws {
    try run(keys, partitions) { registry, context in
      for key in ["hello", "world"] {
        try registry.register(key, 1)
        #expect(context.core.bonds.links == 1)
      }
      try registry.unregister("hello")
      #expect(context.core.bonds.links == 1)
      try registry.unregister("world")
      #expect(context.core.bonds.links == 0)
      let other = try await Self.register(in: registry, "hello", 1, by: context)
      registry.pid?.sendExit(.kill)
      try await context.waitUntilDown(other)
      #expect(other.fate?.reason == .killed)
    }
  }

  @Test("ExRegistry raises on unknown registry; a plain task cannot register")
  func notRunning() throws {
    try simulate(seed: 8) { sim in
      let registry = Names(.unique, named: "unknown")
      let error = RegistryError.notRunning("unknown")
      #expect(throws: error) { try registry.register("hello", 1) }
      #expect(throws: error) { try registry.unregister("hello") }
      #expect(throws: error) { try registry.updateValue("hello") { _ in } }
      #expect(throws: error) { try registry.putMeta("a", 1) }
      #expect(registry.lookup("hello").isEmpty && registry.count == 0 && registry.pid == nil)
      #expect(registry.keys(of: sim.context.pid).isEmpty && registry.meta("a", as: Int.self) == nil)
      await #expect(throws: StartError.failed(.error(RegistryError.badarg("none")))) {
        try await Names(.unique, named: "none", partitions: 0).start()
      }
      try await registry.start()
      let pid = try #require(registry.pid)
      await #expect(throws: StartError.alreadyStarted(pid)) { try await registry.start() }
      await Task.detached {
        #expect(throws: RegistryError.notInProcess) { try registry.register("hello", 1) }
        #expect(throws: RegistryError.notInProcess) { try registry.unregister("hello") }
      }.value
      try await registry.stop()
      #expect(throws: error) { try registry.register("hello", 1) }
      try await registry.start()
      try registry.register("hello", 1)
      #expect(registry.lookup("hello").map(\.value) == [1])
    }
  }

  @Test("ExRegistry meta: put, get, delete; what it was made with comes back with a restart")
  func meta() throws {
    try simulate(seed: 9) { sim in
      let registry = Registry<Int, Void>(.unique, meta: ["answer": 42])
      let tree = try await Supervisor.start(.oneForOne) { Child(registry) }
      #expect(registry.meta("answer") == 42)
      #expect(
        registry.meta("answer", as: String.self) == nil
          && registry.meta("none", as: Int.self) == nil)
      try registry.putMeta("answer", "none")
      try registry.putMeta("other", 1)
      #expect(registry.meta("answer") == "none" && registry.meta("other") == 1)
      try registry.deleteMeta("other")
      #expect(registry.meta("other", as: Int.self) == nil)
      let first = try #require(registry.pid)
      first.sendExit(.kill)
      try await sim.context.waitUntilDown(first)
      await sim.settle()
      #expect(registry.meta("answer") == 42)
      try await tree.stop(.shutdown)
    }
  }

  @Test("who is on the way out is not found", arguments: RegistryKeys.allCases)
  func onTheWayOut(keys: RegistryKeys) throws {
    try run(keys, 2) { registry, context in
      let me = context.pid
      let (gate, opening) = AsyncStream<Void>.makeStream()
      let pid = spawn { _ in
        try registry.register("late", 1)
        me.send("registered")
        // A task of no process: what it waits for is nobody's to end.
        await Task.detached { for await _ in gate { break } }.value
      }
      _ = try await context.receive(String.self)
      #expect(registry.count == 1 && registry.keys(of: pid) == ["late"])
      pid.sendExit(.kill)
      // Its rows are there until it is released.
      let rows = try registry.running().partitions.flatMap { $0.ownedKeys(of: pid) }
      #expect(rows == ["late"] && pid.fate == nil)
      #expect(registry.count == 0 && registry.lookup("late").isEmpty)
      #expect(registry.keys(of: pid).isEmpty && registry.values("late", of: pid).isEmpty)
      #expect(registry.pid(for: "late") == nil)
      registry.dispatch("late") { _ in Issue.record("somebody is found") }
      opening.yield()
    }
  }

  @Test("an exiting process registers nothing")
  func exiting() throws {
    try run(.unique, 1) { registry, context in
      let me = context.pid
      let pid = spawn { context in
        context.sendExit(.shutdown, to: context.pid)
        do { try registry.register("late", 1) } catch {
          me.core.deliver(Mail.make(.message, error as? RegistryError, context: nil))
        }
      }
      try await context.waitUntilDown(pid)
      #expect(try await context.receive(RegistryError?.self) == .cancelled)
      #expect(registry.count == 0)
    }
  }

  @Test("ExRegistry of many who want a key one gets it, and the dead keep none", arguments: [1, 4])
  func contest(partitions: Int) throws {
    try simulate(seeds: 0..<500) { sim in
      let registry = Names(.unique, partitions: partitions)
      try await registry.start()
      let me = sim.context.pid
      let pids = (0..<4).map { number in
        spawn { context in
          for _ in 0..<2 {
            try await context.sleep(for: .microseconds(number % 2))
            do {
              try registry.register("king", number)
              me.send(true)
              if number % 2 == 0 { try registry.unregister("king") }
            } catch RegistryError.alreadyRegistered(_, let holder) {
              if holder == context.pid || number % 2 == 1 { return }
            }
          }
        }
      }
      let refs = pids.map { sim.context.monitor($0) }
      for _ in 0..<sim.random(in: 0..<5) { await Task.yield() }
      pids[sim.random(in: 0..<4)].sendExit(.kill)
      for ref in refs { _ = try await sim.context.receive(Down.self, where: { $0.ref == ref }) }
      try #require(registry.count == 0)
      let isCrowned = try? await sim.context.receive(Bool.self, timeout: .zero)
      try #require(isCrowned == true)
      try registry.register("king", 9)
      try #require(registry.pid(for: "king") == me)
      let ledgers = try registry.running().partitions.reduce(0) { $0 + $1.ledgerCount }
      try #require(ledgers <= 1)
    }
  }
}
