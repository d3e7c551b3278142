import ArborBehaviours
import ArborProcesses
import ArborTestKit
import Testing

/// Keys of a registry as names, and its locks.
@Suite struct RegistryNameTests {
  @Test("ExRegistry via callbacks: wherever a name is, a key can be", arguments: [1, 8])
  func via(partitions: Int) throws {
    try simulate(seed: 1) { sim in
      let context = sim.context
      let registry = Registry<Int, Void>(.unique, named: "numbers", partitions: partitions)
      let tree = try await Supervisor.start(.oneForOne) {
        Child(registry)
        Child("counter", named: registry.via(7)) { Counter(40) }
      }
      let counter = ServerRef<Counter>(named: registry.via(7))
      counter.add(2)
      #expect(try await counter.value == 42)
      let pid = try #require(counter.pid)
      #expect(sim.node.pid(named: registry.via(7)) == pid && registry.pid(for: 7) == pid)
      await #expect(throws: StartError.alreadyStarted(pid)) {
        try await Counter.start(named: registry.via(7)) { Counter() }
      }
      // An entry that its owner's restart makes anew.
      let ref = context.monitor(registry.via(7))
      counter.add(-1)
      let down = try await context.receive(Down.self, where: { $0.ref == ref })
      #expect(down.reason == .error(CounterError.negative(-1)) && down.name == registry.via(7))
      await sim.settle()
      #expect(try await counter.value == 40 && counter.pid != pid)
      // Agents and raw processes, names that nobody holds, sends.
      let agent = try await Agent.start(named: registry.via(8)) { 0 }
      #expect(registry.pid(for: 8) == agent.pid)
      try context.register(registry.via(9))
      try sim.node.send("hello", to: registry.via(9))
      #expect(try await context.receive(String.self) == "hello")
      try sim.node.unregister(registry.via(9))
      #expect(registry.pid(for: 9) == nil)
      let name = registry.via(9)
      #expect(throws: NameError.unregistered(name)) { try sim.node.unregister(name) }
      #expect(throws: NameError.unregistered(name)) { try sim.node.send("hello", to: name) }
      await #expect(throws: CallError.noproc) { try await ServerRef<Counter>(named: name).value }
      let none = context.monitor(name)
      #expect(try await context.receive(Down.self, where: { $0.ref == none }).reason == .noproc)
      // A failed start leaves nothing under the key.
      await #expect(throws: StartError.failed(.error(Oops()))) {
        try await Counter.start(named: name) { throw Oops() }
      }
      #expect(registry.pid(for: 9) == nil && registry.lookup(9).isEmpty)
      try await tree.stop(.shutdown)
    }
  }

  @Test("ExRegistry uses value provided in via; names are equal by registry and key")
  func value() throws {
    try simulate(seed: 2) { sim in
      let registry = Registry<String, Int>(.unique, named: "ages")
      let optional = Registry<String, Int?>(.unique)
      let many = Registry<String, Void>(.duplicate, named: "many")
      let name = registry.via("joe", value: 68)
      await #expect(throws: StartError.failed(.error(NameError.notRunning(name)))) {
        try await Counter.start(named: name) { Counter() }
      }
      for start in [registry.start, optional.start, many.start] { _ = try await start(nil) }
      let joe = try await Counter.start(named: name) { Counter() }
      #expect(registry.lookup("joe") == [RegistryEntry(pid: try #require(joe.pid), value: 68)])
      #expect(name == registry.via("joe") && Set([name, registry.via("joe", value: 1)]).count == 1)
      #expect(name != registry.via("mike") && name != "ages[joe]" && name.text == "ages[joe]")
      #expect(name != optional.via("joe") && "\(name)" == "ages[joe]")
      let mike = registry.via("mike")
      await #expect(throws: StartError.failed(.error(NameError.noValue(mike)))) {
        try await Counter.start(named: mike) { Counter() }
      }
      let anyone = try await Counter.start(named: optional.via("joe")) { Counter() }
      #expect(optional.lookup("joe") == [RegistryEntry(pid: try #require(anyone.pid), value: nil)])
      // ":via is not supported for duplicate registries"
      let nobody = many.via("joe")
      await #expect(throws: StartError.failed(.error(NameError.notUnique(nobody)))) {
        try await Counter.start(named: nobody) { Counter() }
      }
      #expect(ServerRef<Counter>(named: nobody).pid == nil)
    }
  }

  @Test("a key of a user's own type, equal where its words are not")
  func ownKeys() throws {
    struct Key: Hashable, Sendable {
      let number: Int
      let note: String
      static func == (left: Key, right: Key) -> Bool { left.number == right.number }
      func hash(into hasher: inout Hasher) { hasher.combine(number) }
    }
    try simulate(seed: 3) { sim in
      let registry = Registry<Key, Void>(.unique)
      try await registry.start()
      try sim.context.register(registry.via(Key(number: 1, note: "a")))
      #expect(registry.pid(for: Key(number: 1, note: "b")) == sim.context.pid)
      #expect(registry.via(Key(number: 1, note: "a")) == registry.via(Key(number: 1, note: "b")))
    }
  }
}

/// Elixir's `Registry.LockTest`.
@Suite struct RegistryLockTests {
  private func run(
    _ body: @escaping @Sendable (Registry<Int, Void>, Simulation) async throws -> Void
  ) throws {
    try simulate(seed: 4) { sim in
      let registry = Registry<Int, Void>(.unique, named: "locks")
      try await body(registry, sim)
      await sim.settle()
      #expect(registry.locks.count == 0)
    }
  }

  /// A task that holds a lock until it is told to go on.
  private func hold(
    _ key: Int, of registry: Registry<Int, Void>, _ context: ProcessContext, failing: Bool = false
  ) throws -> AsyncTask<String> {
    let me = context.pid
    return try AsyncTask.asyncNoLink {
      try await registry.lock(key) {
        me.send("locked \(key)")
        _ = try await onGo(())
        if failing { throw Oops() }
        return "done"
      }
    }
  }

  @Test("ExRegistry lock: does not lock when using different keys")
  func differentKeys() throws {
    try run { registry, sim in
      let tasks = [
        try hold(1, of: registry, sim.context), try hold(2, of: registry, sim.context),
      ]
      for key in 1...2 {
        _ = try await sim.context.receive(String.self, where: { $0 == "locked \(key)" })
      }
      for task in tasks { task.pid.send("go") }
      #expect(try await AsyncTask.awaitMany(tasks) == ["done", "done"])
      #expect(try await registry.lock(1) { "done" } == "done")
    }
  }

  @Test("ExRegistry lock: locks when using the same key, and gives turns in order")
  func sameKey() throws {
    try run { registry, sim in
      let context = sim.context
      let first = try hold(1, of: registry, context)
      _ = try await context.receive(String.self)
      var waiting: [AsyncTask<String>] = []
      for _ in 0..<3 {
        waiting.append(try hold(1, of: registry, context))
        await sim.settle()
      }
      #expect(await context.flush().isEmpty)
      first.pid.send("go")
      #expect(try await first.await() == "done")
      for task in waiting {
        _ = try await context.receive(String.self)
        await sim.settle()
        #expect(await context.flush().isEmpty)
        task.pid.send("go")
        #expect(try await task.await() == "done")
      }
    }
  }

  @Test(
    "ExRegistry lock: free again when its holder throws, is killed, or a waiting one is killed",
    arguments: ["throws", "killed", "waiting"])
  func ends(how: String) throws {
    try run { registry, sim in
      let context = sim.context
      let first = try hold(1, of: registry, context, failing: how == "throws")
      _ = try await context.receive(String.self)
      let second = try AsyncTask.asyncNoLink { try await registry.lock(1) { "second" } }
      let third = try AsyncTask.asyncNoLink { try await registry.lock(1) { "third" } }
      await sim.settle()
      switch how {
      case "throws":
        first.pid.send("go")
        #expect(try await first.yield() == .failure(.error(Oops())))
        #expect(try await second.await() == "second")
      case "killed":
        #expect(try await first.shutdown(.brutalKill) == nil)
        #expect(try await second.await() == "second")
      default:
        #expect(try await second.shutdown(.brutalKill) == nil)
        first.pid.send("go")
        #expect(try await first.await() == "done")
      }
      #expect(try await third.await() == "third")
    }
  }

  @Test("a holder that is told to exit and does not return keeps the lock for the exit grace only")
  func zombie() throws {
    try run { registry, sim in
      let me = sim.context.pid
      let stuck = AsyncTask.start {
        try await registry.lock(1) {
          me.send("locked")
          // Not Arbor's, and deaf to cancellation.
          await Task.detached { try? await Task.sleep(for: .seconds(10)) }.value
        }
      }
      _ = try await sim.context.receive(String.self)
      stuck.sendExit(.kill)
      try await registry.lock(1) {}
      #expect(sim.now == .seconds(1))
    }
  }

  @Test("waiting for a lock ends by timeout and by cancellation; one's own is refused")
  func gaveUp() throws {
    try run { registry, sim in
      let holder = try hold(1, of: registry, sim.context)
      _ = try await sim.context.receive(String.self)
      await #expect(throws: RegistryError.timeout) {
        try await registry.lock(1, timeout: .milliseconds(5)) {}
      }
      #expect(sim.now == .milliseconds(5))
      await #expect(throws: RegistryError.badarg("locks")) {
        try await registry.lock(1, timeout: .seconds(-1)) {}
      }
      let plain = Task { try await registry.lock(1) {} }
      await sim.settle()
      plain.cancel()
      await #expect(throws: RegistryError.cancelled) { try await plain.value }
      holder.pid.send("go")
      #expect(try await holder.await() == "done")
      try await registry.lock(1) {
        await #expect(throws: RegistryError.alreadyHeld(key: "1")) { try await registry.lock(1) {} }
        try await registry.lock(2) {}
      }
    }
  }

  @Test("ExRegistry lock: one at a time, whoever is killed when")
  func races() throws {
    try simulate(seeds: 0..<500) { sim in
      let registry = Registry<Int, Void>(.unique)
      let me = sim.context.pid
      let pids = (0..<5).map { number in
        spawn { context in
          for _ in 0..<3 {
            try? await registry.lock(1, timeout: number == 0 ? .microseconds(1) : nil) {
              me.send(number)
              for _ in 0..<3 { await Task.yield() }
              me.send(-number)
            }
          }
        }
      }
      for _ in 0..<2 {
        try await sim.context.sleep(for: .microseconds(sim.random(in: 0..<2)))
        for _ in 0..<sim.random(in: 0..<9) { await Task.yield() }
        pids[sim.random(in: 0..<5)].sendExit(.kill)
      }
      for pid in pids { try await sim.context.waitUntilDown(pid) }
      // Each is alone: what it says on leaving follows what it said on entering, unless it was killed.
      var inside: Int?
      while let number = try? await sim.context.receive(Int.self, timeout: .zero) {
        if number < 0 || (number == 0 && inside == 0) {
          try #require(inside == -number)
          inside = nil
        } else {
          if let last = inside { try #require(pids[last].fate?.reason == .killed) }
          inside = number
        }
      }
      try #require(registry.locks.count == 0)
    }
  }

  @Test("the machine: turns in order, one that leaves before its turn is skipped")
  func machine() {
    final class Ticket: Sendable {}
    var machine = LockMachine<String, Ticket>()
    let tickets = (0..<4).map { _ in Ticket() }
    #expect(machine.enter(tickets[0], for: "a") && machine.enter(tickets[3], for: "b"))
    #expect(!machine.enter(tickets[1], for: "a") && !machine.enter(tickets[2], for: "a"))
    #expect(machine.leave(tickets[1], for: "a") == nil)
    #expect(machine.leave(tickets[1], for: "a") == nil)
    #expect(machine.leave(tickets[0], for: "a") === tickets[2])
    #expect(machine.holder(of: "a") === tickets[2] && machine.count == 2)
    #expect(
      machine.leave(tickets[2], for: "a") == nil && machine.leave(tickets[3], for: "b") == nil)
    #expect(machine.count == 0)
  }
}
