import ArborBehaviours
import ArborProcesses
import ArborTelemetry
import ArborTestKit
import Testing

/// Cases of Elixir's dynamic_supervisor_test, and of supervisor_SUITE's simple_one_for_one.
@Suite struct DynamicSupervisorTests {
  private func shutDown(
    _ pool: ServerRef<DynamicSupervisor>, _ context: ProcessContext
  ) async throws {
    context.trapExit()
    let pid = try #require(pool.pid)
    context.sendExit(.shutdown, to: pid)
    try await context.awaitEnd(of: pid)
    #expect(pid.fate?.reason == .shutdown)
  }

  @Test("ExDynamicSupervisor can be supervised directly; with registered process")
  func supervised() throws {
    try simulate(seed: 1) { sim in
      let tree = try await Supervisor.start(.oneForOne) {
        Child("pool", named: "pool") { try DynamicSupervisor() }
        Child("other") { try DynamicSupervisor() }
      }
      let pool = ServerRef<DynamicSupervisor>(named: "pool")
      #expect(try await pool.children.isEmpty)
      #expect(try await tree.children.map(\.isSupervisor) == [true, true])
      try await pool.startChild(Nursery().child("1"))
      #expect(try await pool.counts == [1, 1, 0, 1])
      try await tree.stop(.shutdown)
      #expect(sim.node.processCount == 1)
    }
  }

  @Test("ExDynamicSupervisor start_link with non-ok init")
  func badFlags() throws {
    try simulate(seed: 1) { _ in
      func refused(_ error: SupervisorError) -> StartError { .failed(.error(error)) }
      await #expect(throws: refused(.negativeIntensity(-1))) {
        try await DynamicSupervisor.start(maxRestarts: -1)
      }
      await #expect(throws: refused(.badPeriod(.zero))) {
        try await DynamicSupervisor.start(within: .zero)
      }
      await #expect(throws: refused(.negativeMaxChildren(-1))) {
        try await DynamicSupervisor.start(maxChildren: -1)
      }
    }
  }

  @Test("ExDynamicSupervisor supports extra arguments, at a restart too")
  func extraArguments() throws {
    try simulate(seed: 1) { sim in
      let nursery = Nursery()
      let pool = try await DynamicSupervisor.start(extraArguments: "main")
      let pid = try #require(
        try await pool.startChild(
          Child("session", restart: .transient, taking: String.self) { database in
            Charge(database, .plain, nursery)
          }))
      try await sim.context.end(pid, .error(Boom()))
      #expect(try await pool.counts == [1, 1, 0, 1])
      #expect(nursery.takeNotes() == ["+main", "-main", "+main"])
      await #expect(throws: SupervisorError.extraArguments("session", wanted: "Int")) {
        try await pool.startChild(
          Child("session", taking: Int.self) { Charge("\($0)", .plain, nursery) })
      }
    }
  }

  @Test("ExDynamicSupervisor max_children: refused past the limit, free again after an end")
  func maxChildren() throws {
    try simulate(seeds: 0..<500) { sim in
      let nursery = Nursery()
      let none = try await DynamicSupervisor.start(maxChildren: 0)
      await #expect(throws: SupervisorError.maxChildren(0)) {
        try await none.startChild(nursery.child("1"))
      }
      let pool = try await DynamicSupervisor.start(maxChildren: 1, maxRestarts: 100_000)
      let first = try #require(try await pool.startChild(nursery.child("1", .temporary)))
      await #expect(throws: SupervisorError.maxChildren(1)) {
        try await pool.startChild(nursery.child("2"))
      }
      try await sim.context.end(first, .normal)
      let second = try #require(try await pool.startChild(nursery.child("2")))
      // One that is being started again counts.
      nursery.fail("2", 100_000)
      try await sim.context.end(second, .error(Boom()))
      #expect(try await pool.counts == [1, 0, 0, 1])
      await #expect(throws: SupervisorError.maxChildren(1)) {
        try await pool.startChild(nursery.child("3"))
      }
      // It is known by the PID it had.
      try await pool.terminateChild(second)
      await #expect(throws: SupervisorError.notAChild(second)) {
        try await pool.terminateChild(second)
      }
      try await pool.startChild(nursery.child("3"))
    }
  }

  @Test("ExDynamicSupervisor child is restarted when trying again, with different values")
  func tryingAgain() throws {
    try simulate(seeds: 0..<500) { sim in
      let nursery = Nursery()
      let pool = try await DynamicSupervisor.start(maxRestarts: 10)
      let first = try #require(try await pool.startChild(nursery.child("1")))
      let second = try #require(try await pool.startChild(nursery.child("2")))
      nursery.fail("1", sim.random(in: 0..<9))
      try await sim.context.end(first, .shutdown)
      await sim.settle()
      let children = try await pool.children
      // It keeps its place.
      try #require(children.map(\.id) == ["1", "2"] && children[1].pid == second)
      try #require(children[0].restarts == 1 && children[0].pid != first)
      // One that does not want to start again is forgotten.
      nursery.ignore("2")
      try await sim.context.end(second, .shutdown)
      try #require(try await pool.children.map(\.id) == ["1"])
    }
  }

  @Test(
    "ExDynamicSupervisor child triggers maximum restarts, also when trying again",
    arguments: [1, 10])
  func intensity(maxRestarts: Int) throws {
    try simulate(seeds: 0..<500) { sim in
      let nursery = Nursery()
      let pool = try await DynamicSupervisor.start(maxRestarts: maxRestarts)
      let top = try #require(pool.pid)
      let other = try #require(try await pool.startChild(nursery.child("2")))
      let pid = try #require(try await pool.startChild(nursery.child("1")))
      nursery.fail("1", 100)
      try await sim.context.end(pid, .shutdown)
      try await sim.context.awaitEnd(of: top)
      try #require(top.fate?.reason == .shutdown && other.fate?.reason == .shutdown)
      try #require(sim.node.processCount == 1)
    }
  }

  @Test(
    "ExDynamicSupervisor terminates children with brutal kill, infinity, integer shutdown",
    arguments: [
      (Shutdown.brutalKill, Manner.plain, ExitReason.killed),
      (.infinity, .plain, .shutdown),
      (.infinity, .ending(.shutdown("oops")), .shutdown("oops")),
      (.timeout(.seconds(1)), .plain, .shutdown),
      (.timeout(.seconds(1)), .ending(.shutdown("oops")), .shutdown("oops")),
      (.infinity, .ending(.normal), .normal),
      (.timeout(.seconds(1)), .stuck, .killed),
    ])
  func terminates(shutdown: Shutdown, manner: Manner, reason: ExitReason) throws {
    try simulate(seeds: 0..<500) { sim in
      let nursery = Nursery()
      let pool = try await DynamicSupervisor.startLink()
      var pids: [PID] = []
      for _ in 0..<2 {
        let child = nursery.child("1", .permanent, shutdown: shutdown, manner)
        pids.append(try #require(try await pool.startChild(child)))
      }
      // One by request, the other by the end of all.
      try await pool.terminateChild(pids[0])
      try #require(pids[0].fate?.reason == reason && pids[1].isAlive)
      try #require(try await pool.counts == [1, 1, 0, 1])
      try await shutDown(pool, sim.context)
      for pid in pids { try #require(pid.fate?.reason == reason) }
      try #require(sim.now == (manner == .stuck ? .seconds(2) : .zero))
    }
  }

  @Test(
    "ExDynamicSupervisor terminates children with expired integer shutdown: each with its reason")
  func expired() throws {
    try simulate(seeds: 0..<500) { sim in
      let nursery = Nursery()
      let reported = Nursery()
      try sim.node.telemetry.attach("reports", to: .childShutdownFailed) { _, _, metadata in
        reported.note(metadata["child", as: String.self] ?? "?")
      }
      let pool = try await DynamicSupervisor.startLink()
      let soon = Shutdown.timeout(.milliseconds(1))
      let later = Shutdown.timeout(.milliseconds(2))
      var pids: [String: PID] = [:]
      for child in [
        nursery.child("plain", shutdown: soon),
        nursery.child("stuck", shutdown: soon, .stuck),
        nursery.child("stuck longer", shutdown: later, .stuck),
        nursery.child("slow", shutdown: later, .slow(.microseconds(1500))),
        nursery.child("mixed", shutdown: .brutalKill, .stuck),
        nursery.child("slowest", shutdown: .infinity, .slow(.seconds(10))),
        nursery.child("own", .temporary, .ending(.normal)),
        nursery.child("fails", .temporary, .ending(.error(Boom()))),
      ] {
        pids[child.id] = try await pool.startChild(child)
      }
      try await shutDown(pool, sim.context)
      let reasons = pids.mapValues { $0.fate?.reason }
      try #require(
        reasons == [
          "plain": .shutdown, "stuck": .killed, "stuck longer": .killed, "slow": .shutdown,
          "mixed": .killed, "slowest": .shutdown, "own": .normal, "fails": .error(Boom()),
        ])
      try #require(sim.now == .seconds(10))
      try #require(reported.takeNotes() == ["stuck", "stuck longer", "fails"])
    }
  }

  @Test("SUP:sup_stop_non_shutdown_exit_dynamic, sup_stop_race: ends that cross the shutdown")
  func race() throws {
    try simulate(seeds: 0..<500) { sim in
      let nursery = Nursery()
      let pool = try await DynamicSupervisor.startLink(maxRestarts: 100)
      var pids: [PID] = []
      for number in 0..<6 {
        let manner: Manner = number % 2 == 0 ? .ending(.error(Boom())) : .plain
        pids.append(
          try #require(
            try await pool.startChild(nursery.child("\(number)", .transient, manner))))
      }
      let victims = pids.filter { _ in sim.random(in: 0..<2) == 0 }
      spawn { _ in
        for pid in victims {
          pid.send(Order.end(.error(Boom())))
          await Task.yield()
        }
      }
      for _ in 0..<sim.random(in: 0..<10) { await Task.yield() }
      try await shutDown(pool, sim.context)
      await sim.settle()
      for pid in pids { try #require(pid.fate != nil) }
      try #require(sim.node.processCount == 1)
    }
  }

  @Test("SUP:hanging_restart_loop_simple: it answers, and ends, while it tries again")
  func restartLoop() throws {
    try simulate(seeds: 0..<500) { sim in
      sim.context.trapExit()
      let nursery = Nursery()
      let pool = try await DynamicSupervisor.startLink(maxRestarts: 1_000_000)
      let first = try #require(try await pool.startChild(nursery.child("1")))
      let second = try #require(try await pool.startChild(nursery.child("2")))
      nursery.fail("1", 1_000_000)
      try await sim.context.end(first, .error(Boom()))
      try #require(try await pool.children.map(\.state) == [.restarting, .running])
      try #require(try await pool.counts == [2, 1, 0, 2])
      if sim.random(in: 0..<2) == 0 {
        try await pool.terminateChild(first)
        try #require(try await pool.children.map(\.pid) == [second])
      }
      try await shutDown(pool, sim.context)
      try #require(second.fate?.reason == .shutdown && sim.node.processCount == 1)
    }
  }

  @Test(
    "SUP:simple_one_for_one_scale_many_temporary_children: any number of children stop side by side"
  )
  func many() async throws {
    let node = Node(workers: 2)
    defer { node.shutdown() }
    let count = effort(of: 5000)
    let pool = try await DynamicSupervisor.start(on: node)
    try await withProcess(on: node) { _ in
      for number in 0..<count {
        try await pool.startChild(
          Child("waiting", restart: .temporary) { context in
            if number % 2 == 0 { context.trapExit() }
            _ = try await context.receive(Exit.self)
          })
      }
      let counts = try await pool.counts
      #expect(counts == [count, count, 0, count])
      try await pool.stop(.shutdown)
    }
    #expect(node.processCount == 0)
  }
}
