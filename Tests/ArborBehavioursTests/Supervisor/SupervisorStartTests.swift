import ArborBehaviours
import ArborProcesses
import ArborTestKit
import Testing

/// Starting children, and asking for them: cases of supervisor_SUITE.
@Suite struct SupervisorStartTests {
  @Test("SUP:sup_start_normal")
  func normal() throws {
    try simulate(seeds: 0..<20) { sim in
      let tree = try await Supervisor.startLink(.oneForOne) {}
      let pid = try #require(tree.pid)
      sim.context.trapExit()
      pid.sendExit(.shutdown)
      try await sim.context.awaitEnd(of: pid)
      try #require(pid.fate?.reason == .shutdown)
    }
  }

  @Test("SUP:sup_start_ignore_init: a supervisor that does not want to start")
  func ignoredSupervisor() throws {
    try simulate(seed: 1) { sim in
      await #expect(throws: StartError.ignored) {
        try await Supervisor.start { throw StartError.ignored }
      }
      let tree = try await Supervisor.start(.oneForOne) {
        Child("inner") { () async throws -> Supervisor in throw StartError.ignored }
      }
      let child = try await tree.children[0]
      #expect(child.pid == nil && child.state == .stopped && child.isSupervisor)
    }
  }

  @Test("SUP:sup_start_ignore_child: kept without a process")
  func ignoredChild() throws {
    try simulate(seed: 1) { _ in
      let nursery = Nursery()
      nursery.ignore("1")
      let tree = try await Supervisor.start(.oneForOne) {}
      #expect(try await tree.startChild(nursery.child("1")) == nil)
      let second = try await tree.startChild(nursery.child("2"))
      #expect(try await tree.children.map(\.pid) == [nil, second])
      #expect(try await tree.counts == [2, 1, 0, 2])
      #expect(try await tree.restartChild("1") == nil)
      try await tree.deleteChild("1")
    }
  }

  @Test(
    "SUP:sup_start_ignore_temporary_child, and its _start_child: dropped",
    arguments: [true, false])
  func ignoredTemporary(atStart: Bool) throws {
    try simulate(seed: 1) { _ in
      let nursery = Nursery()
      nursery.ignore("1")
      let (first, second) = (nursery.child("1", .temporary), nursery.child("2", .temporary))
      let tree = try await Supervisor.start(.oneForOne) {
        if atStart { [first, second] } else { [] }
      }
      if !atStart {
        #expect(try await tree.startChild(first) == nil)
        try await tree.startChild(second)
      }
      #expect(try await tree.children.map(\.id) == ["2"])
      #expect(try await tree.counts == [1, 1, 0, 1])
    }
  }

  @Test(
    "SUP:sup_start_ignore_temporary_child_start_child_simple and permanent_child",
    arguments: [Restart.temporary, .permanent])
  func ignoredDynamic(restart: Restart) throws {
    try simulate(seed: 1) { _ in
      let nursery = Nursery()
      nursery.ignore("1")
      let pool = try await DynamicSupervisor.start()
      #expect(try await pool.startChild(nursery.child("1", restart)) == nil)
      let second = try await pool.startChild(nursery.child("2", restart))
      #expect(try await pool.children.map(\.pid) == [second])
      #expect(try await pool.counts == [1, 1, 0, 1])
      try await pool.stop(.shutdown)
    }
  }

  @Test("SUP:sup_start_error_return, SUP:sup_start_fail, SUP:sup_start_child_returns_error")
  func failures() throws {
    try simulate(seeds: 0..<50) { sim in
      await #expect(throws: StartError.failed(.error(Boom()))) {
        try await Supervisor.start { throw Boom() }
      }
      // A start that fails midway stops what was started, in reverse.
      let nursery = Nursery()
      nursery.fail("3")
      let before = sim.node.processCount
      await #expect(throws: failed("3")) {
        try await Supervisor.start(.restForOne) {
          for id in ["1", "2", "3", "4"] { nursery.child(id, .permanent, .polite) }
        }
      }
      #expect(nursery.takeNotes() == ["+1", "+2", "-2", "-1"])
      #expect(sim.node.processCount == before)
      // One on request is not kept.
      let tree = try await Supervisor.start(.oneForOne) {}
      nursery.fail("1")
      let refused = SupervisorError.childFailed("1", .failed(.error(Refusal(id: "1"))))
      await #expect(throws: refused) { try await tree.startChild(nursery.child("1")) }
      #expect(try await tree.children.isEmpty)
      let pool = try await DynamicSupervisor.start()
      nursery.fail("1")
      await #expect(throws: refused) { try await pool.startChild(nursery.child("1")) }
      #expect(try await pool.counts == [0, 0, 0, 0])
    }
  }

  private func failed(_ id: String) -> StartError {
    .failed(.error(SupervisorError.childFailed(id, .failed(.error(Refusal(id: id))))))
  }

  @Test("SUP:sup_start_restart_child_returns_error: it stays as it was")
  func failedRestart() throws {
    try simulate(seed: 1) { _ in
      let nursery = Nursery()
      let tree = try await Supervisor.start(.oneForOne) { nursery.child("1") }
      try await tree.terminateChild("1")
      nursery.fail("1")
      await #expect(throws: SupervisorError.self) { try await tree.restartChild("1") }
      #expect(try await tree.children.map(\.state) == [.stopped])
      try await tree.restartChild("1")
      #expect(try await tree.children.map(\.state) == [.running])
    }
  }

  @Test(
    "SUP:sup_start_map_faulty_specs, SUP:child_specs",
    arguments: [
      (SupervisorError.emptyID, Child("") {}),
      (.significantPermanent("a"), Child("a", significant: true) {}),
      (
        .significantWithoutAutoShutdown("a"),
        Child("a", restart: .transient, significant: true) {}
      ),
      (
        .negativeShutdown("a", .seconds(-1)), Child("a", shutdown: .timeout(.seconds(-1))) {}
      ),
      (
        .extraArguments("a", wanted: "Int"),
        Child("a", taking: Int.self) { Charge("\($0)", .plain, Nursery()) }
      ),
    ])
  func faultySpecs(error: SupervisorError, child: Child) throws {
    try simulate(seed: 1) { sim in
      let before = sim.node.processCount
      await #expect(throws: StartError.failed(.error(error))) {
        try await Supervisor.start(.oneForOne) {
          Child("first") { Issue.record("nothing is started") }
          child
        }
      }
      #expect(sim.node.processCount == before)
      let tree = try await Supervisor.start(.oneForOne) {}
      await #expect(throws: error) { try await tree.startChild(child) }
      #expect(try await tree.children.isEmpty)
      let pool = try await DynamicSupervisor.start()
      await #expect(throws: error) { try await pool.startChild(child) }
      // It names the child and what to do.
      #expect(child.id.isEmpty || error.description.contains("\"\(child.id)\""))
    }
  }

  @Test("SUP:sup_flags: numbers that make no sense")
  func faultyFlags() throws {
    try simulate(seed: 1) { _ in
      func refused(_ error: SupervisorError) -> StartError { .failed(.error(error)) }
      await #expect(throws: refused(.negativeIntensity(-1))) {
        try await Supervisor.start(.oneForAll, maxRestarts: -1) {}
      }
      await #expect(throws: refused(.badPeriod(.zero))) {
        try await Supervisor.start(.oneForAll, within: .zero) {}
      }
      await #expect(throws: refused(.duplicateID("a"))) {
        try await Supervisor.start(.oneForAll) {
          Child("a") {}
          Child("a") {}
        }
      }
    }
  }

  @Test("SUP:child_adm, ExSupervisor child life cycle")
  func administration() throws {
    try simulate(seeds: 0..<50) { _ in
      let nursery = Nursery()
      let tree = try await Supervisor.start(.oneForOne, named: "tree") { nursery.child("1") }
      let first = try await tree.pid(of: "1")
      #expect(try await tree.counts == [1, 1, 0, 1])
      await #expect(throws: SupervisorError.alreadyStarted("1", first)) {
        try await tree.startChild(nursery.child("1"))
      }
      await #expect(throws: SupervisorError.notFound("2")) { try await tree.terminateChild("2") }
      try await tree.terminateChild("1")
      #expect(first.fate?.reason == .shutdown)
      #expect(try await tree.children.map(\.state) == [.stopped])
      #expect(try await tree.counts == [1, 0, 0, 1])
      try await tree.terminateChild("1")
      await #expect(throws: SupervisorError.alreadyPresent("1")) {
        try await tree.startChild(nursery.child("1"))
      }
      let second = try #require(try await tree.restartChild("1"))
      #expect(try await tree.pid(of: "1") == second)
      await #expect(throws: SupervisorError.running("1", second)) {
        try await tree.restartChild("1")
      }
      await #expect(throws: SupervisorError.notFound("2")) { try await tree.restartChild("2") }
      await #expect(throws: SupervisorError.running("1", second)) {
        try await tree.deleteChild("1")
      }
      await #expect(throws: SupervisorError.notFound("2")) { try await tree.deleteChild("2") }
      #expect(try await tree.childSpec("1").restart == .permanent)
      await #expect(throws: SupervisorError.notFound("2")) { try await tree.childSpec("2") }
      try await tree.terminateChild("1")
      try await tree.deleteChild("1")
      await #expect(throws: SupervisorError.notFound("1")) { try await tree.restartChild("1") }
      #expect(try await tree.counts == [0, 0, 0, 0])
      try await tree.startChild(nursery.child("1"))
      #expect(try await tree.counts == [1, 1, 0, 1])
      // A restart by request is none of the supervisor's own.
      #expect(try await tree.children.map(\.restarts) == [0])
      let nobody = ServerRef<Supervisor>(named: "foo")
      await #expect(throws: SupervisorError.noAnswer(.noproc)) {
        try await nobody.startChild(nursery.child("1"))
      }
      await #expect(throws: SupervisorError.noAnswer(.noproc)) {
        try await nobody.terminateChild("1")
      }
      await #expect(throws: CallError.noproc) { try await nobody.children }
    }
  }

  @Test(
    "SUP:do_not_save_start_parameters_for_temporary_children, do_not_save_child_specs")
  func temporariesAreForgotten() throws {
    try simulate(seed: 1) { sim in
      let nursery = Nursery()
      let tree = try await Supervisor.start(.oneForOne) {
        nursery.child("temporary", .temporary)
        nursery.child("transient", .transient)
      }
      // What is kept of it starts nothing.
      let temporary = try await tree.childSpec("temporary")
      try await tree.terminateChild("temporary")
      await #expect(throws: SupervisorError.withoutStart("temporary")) {
        try await tree.startChild(temporary)
      }
      await #expect(throws: SupervisorError.notFound("temporary")) {
        try await tree.childSpec("temporary")
      }
      let transient = try await tree.childSpec("transient")
      try await tree.terminateChild("transient")
      try await tree.deleteChild("transient")
      try await tree.startChild(transient)
      // One that ends by itself is gone too.
      let pid = try #require(try await tree.startChild(nursery.child("temporary", .temporary)))
      try await sim.context.end(pid, .error(Boom()))
      #expect(try await tree.children.map(\.id) == ["transient"])
    }
  }
}
