import ArborBehaviours
import ArborProcesses
import ArborTestKit
import Testing

/// Automatic shutdown: cases of supervisor_SUITE.
@Suite struct SupervisorSignificantTests {
  /// Whether a supervisor has ended by itself.
  private func hasEnded(_ tree: ServerRef<Supervisor>, _ sim: Simulation) async throws -> Bool {
    await sim.settle()
    guard let fate = try #require(tree.pid).fate else { return false }
    #expect(fate.reason == .shutdown)
    return true
  }

  @Test(
    "SUP:nonsignificant_temporary, SUP:nonsignificant_transient: their ends do not count",
    arguments: [AutoShutdown.never, .anySignificant, .allSignificant],
    [Restart.temporary, .transient])
  func nonsignificant(autoShutdown: AutoShutdown, restart: Restart) throws {
    try simulate(seeds: 0..<500) { sim in
      let reason = sim.pick([ExitReason.normal, .shutdown, .error(Boom())])
      let nursery = Nursery()
      let tree = try await Supervisor.start(.oneForOne, autoShutdown: autoShutdown) {
        nursery.child("1", restart)
        nursery.child("2", restart)
      }
      for pid in try await tree.pids.values.sorted() { try await sim.context.end(pid, reason) }
      try #require(try await !hasEnded(tree, sim))
    }
  }

  @Test(
    "SUP:significant_temporary, SUP:significant_transient",
    arguments: [AutoShutdown.anySignificant, .allSignificant], [Restart.temporary, .transient])
  func significant(autoShutdown: AutoShutdown, restart: Restart) throws {
    try simulate(seeds: 0..<500) { sim in
      let reason = sim.pick([ExitReason.normal, .shutdown, .shutdown("x"), .error(Boom()), .kill])
      let nursery = Nursery()
      let tree = try await Supervisor.start(.oneForOne, autoShutdown: autoShutdown) {
        nursery.child("1", restart, significant: true)
        nursery.child("2", restart, significant: true)
        nursery.child("3")
      }
      let third = try await tree.pid(of: "3")
      // A transient one whose end was abnormal is started again, and does not count.
      let counts = restart == .temporary || reason.isQuiet
      try await sim.context.end(try await tree.pid(of: "1"), reason)
      try #require(try await hasEnded(tree, sim) == (counts && autoShutdown == .anySignificant))
      if autoShutdown == .allSignificant {
        try await sim.context.end(try await tree.pid(of: "2"), reason)
        try #require(try await hasEnded(tree, sim) == counts)
      }
      if try #require(tree.pid).fate != nil { try #require(third.fate?.reason == .shutdown) }
    }
  }

  @Test(
    "SUP:significant_bystander: ends that the supervisor caused never count",
    arguments: [Supervisor.Strategy.oneForOne, .oneForAll, .restForOne])
  func bystander(strategy: Supervisor.Strategy) throws {
    try simulate(seeds: 0..<500) { sim in
      let autoShutdown = sim.pick([AutoShutdown.anySignificant, .allSignificant])
      let nursery = Nursery()
      let tree = try await Supervisor.start(
        strategy, maxRestarts: 5, autoShutdown: autoShutdown
      ) {
        nursery.child("1", .transient, significant: true)
        nursery.child("2", .transient)
        nursery.child("3", .transient, significant: true)
        nursery.child("4", .temporary, significant: true)
      }
      try await sim.context.end(try await tree.pid(of: "2"), .kill)
      try #require(try await !hasEnded(tree, sim))
      // Nor do those by request.
      for id in ["1", "3", "4"] { try? await tree.terminateChild(id) }
      try #require(try await !hasEnded(tree, sim))
      try #require(try await tree.counts[1] == 1)
    }
  }

  @Test("one that is being started again is still there for allSignificant")
  func restarting() throws {
    try simulate(seeds: 0..<500) { sim in
      let nursery = Nursery()
      let tree = try await Supervisor.start(
        .oneForOne, maxRestarts: 1_000_000, autoShutdown: .allSignificant
      ) {
        nursery.child("1", .transient, significant: true)
        nursery.child("2", .transient, significant: true)
      }
      let pids = try await tree.pids
      nursery.fail("1", 1_000_000)
      try await sim.context.end(try #require(pids["1"]), .error(Boom()))
      try await sim.context.end(try #require(pids["2"]), .normal)
      try #require(try await tree.children.map(\.state) == [.restarting, .stopped])
      nursery.fail("1", 0)
      await sim.settle()
      try await sim.context.end(try await tree.pid(of: "1"), .normal)
      try #require(try await hasEnded(tree, sim))
    }
  }

  @Test("SUP:significant_escalation", arguments: [true, false])
  func escalation(isSignificant: Bool) throws {
    try simulate(seeds: 0..<500) { sim in
      let nursery = Nursery()
      let tree = try await Supervisor.start(.oneForOne, autoShutdown: .anySignificant) {
        Child("inner", named: "inner", restart: .transient, significant: isSignificant) {
          try await Supervisor(.oneForOne, autoShutdown: .anySignificant) {
            nursery.child("1", .transient, significant: true)
          }
        }
      }
      let inner = try #require(sim.node.pid(named: "inner"))
      try await sim.context.end(try await ServerRef<Supervisor>(inner).pid(of: "1"), .normal)
      try await sim.context.awaitEnd(of: inner)
      try #require(inner.fate?.reason == .shutdown)
      try #require(try await hasEnded(tree, sim) == isSignificant)
    }
  }
}
