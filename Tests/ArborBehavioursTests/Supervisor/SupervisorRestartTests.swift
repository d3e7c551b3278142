import ArborBehaviours
import ArborProcesses
import ArborTestKit
import Testing

/// Restarting children: cases of supervisor_SUITE.
@Suite struct SupervisorRestartTests {
  @Test(
    "SUP:*_normal, SUP:*_shutdown, SUP:*_abnormal: permanent, transient and temporary",
    arguments: [Restart.permanent, .transient, .temporary])
  func types(restart: Restart) throws {
    try simulate(seeds: 0..<500) { sim in
      let reason = sim.pick([
        ExitReason.normal, .shutdown, .shutdown("detail"), .error(Boom()), .kill,
      ])
      let nursery = Nursery()
      let tree = try await Supervisor.start(.oneForOne) { nursery.child("1", restart) }
      let pool = try await DynamicSupervisor.start()
      let first = try await tree.pid(of: "1")
      let second = try #require(try await pool.startChild(nursery.child("1", restart)))
      for pid in [first, second] { try await sim.context.end(pid, reason) }
      let isRestarted = restart == .permanent || restart == .transient && !reason.isQuiet
      let child = try await tree.children.first
      switch restart {
      case .temporary: try #require(child == nil)
      case .transient where !isRestarted:
        try #require(child?.state == .stopped && child?.restarts == 0)
        try #require(try await tree.counts == [1, 0, 0, 1])
      default:
        try #require(child?.pid != nil && child?.pid != first && child?.restarts == 1)
      }
      let dynamic = try await pool.children
      try #require(dynamic.count == (isRestarted ? 1 : 0))
      try #require(dynamic.allSatisfy { $0.pid != second && $0.restarts == 1 })
    }
  }

  @Test(
    "SUP:one_for_one, SUP:one_for_all, SUP:rest_for_one",
    arguments: [Supervisor.Strategy.oneForOne, .oneForAll, .restForOne])
  func strategies(strategy: Supervisor.Strategy) throws {
    try simulate(seeds: 0..<500) { sim in
      let nursery = Nursery()
      let ids = ["1", "2", "3"]
      let tree = try await Supervisor.start(strategy) { for id in ids { nursery.child(id) } }
      let before = try await tree.pids
      try await sim.context.end(try #require(before["2"]), .error(Boom()))
      let after = try await tree.children
      try #require(after.map(\.id) == ids)
      let restarted = after.filter { before[$0.id] != $0.pid }.map(\.id)
      switch strategy {
      case .oneForOne: try #require(restarted == ["2"])
      case .oneForAll: try #require(restarted == ids)
      case .restForOne: try #require(restarted == ["2", "3"])
      }
      try #require(after.allSatisfy { $0.restarts == (restarted.contains($0.id) ? 1 : 0) })
      // The order of the restarts is that of the starts.
      try #require(after.compactMap(\.pid).filter { !before.values.contains($0) }.isSorted)
      // Those that were taken along had been asked to end.
      for id in restarted where id != "2" { try #require(before[id]?.fate?.reason == .shutdown) }
      try #require(sim.node.processCount == 5)
    }
  }

  @Test(
    "SUP:one_for_one_escalation, SUP:one_for_all_escalation, SUP:rest_for_one_escalation",
    arguments: [Supervisor.Strategy.oneForOne, .oneForAll, .restForOne])
  func escalation(strategy: Supervisor.Strategy) throws {
    try simulate(seeds: 0..<500) { sim in
      let nursery = Nursery()
      let tree = try await Supervisor.start(strategy, maxRestarts: 2, within: .seconds(3600)) {
        nursery.child("1")
        nursery.child("2")
      }
      let pid = try #require(tree.pid)
      let other = try await tree.pid(of: "2")
      let first = try await tree.pid(of: "1")
      // Three restarts are asked for, the failing starts included.
      nursery.fail("1", 10)
      try await sim.context.end(first, .error(Boom()))
      try await sim.context.awaitEnd(of: pid)
      try #require(pid.fate?.reason == .shutdown && other.fate?.reason == .shutdown)
      try #require(nursery.takeNotes() == ["+1", "+2", "-1"])
      try #require(sim.node.processCount == 1)
    }
  }

  @Test("SUP:multiple_restarts: crashes that are spaced out never escalate")
  func spaced() throws {
    try simulate(seeds: 0..<500) { sim in
      let nursery = Nursery()
      let tree = try await Supervisor.start(.oneForOne, maxRestarts: 1, within: .seconds(1)) {
        nursery.child("1", shutdown: .brutalKill)
      }
      let pid = try #require(tree.pid)
      for _ in 0..<4 {
        try await sim.context.end(try await tree.pid(of: "1"), .error(Boom()))
        await sim.advance(by: .milliseconds(1001 + sim.random(in: 0..<300)))
      }
      try #require(pid.isAlive)
      for _ in 0..<2 { try await sim.context.end(try await tree.pid(of: "1"), .error(Boom())) }
      try await sim.context.awaitEnd(of: pid)
      try #require(pid.fate?.reason == .shutdown)
    }
  }

  @Test("no restart is allowed where maxRestarts is 0, and temporary ends never count")
  func none() throws {
    try simulate(seed: 1) { sim in
      let nursery = Nursery()
      let tree = try await Supervisor.start(.oneForOne, maxRestarts: 0) {
        for id in 0..<10 { nursery.child("\(id)", .temporary) }
        nursery.child("permanent")
      }
      for id in 0..<10 {
        try await sim.context.end(try await tree.pid(of: "\(id)"), .error(Boom()))
      }
      #expect(try await tree.counts == [1, 1, 0, 1])
      let pid = try #require(tree.pid)
      try await sim.context.end(try await tree.pid(of: "permanent"), .normal)
      try await sim.context.awaitEnd(of: pid)
      #expect(pid.fate?.reason == .shutdown)
    }
  }

  @Test(
    "SUP:rest_for_one_other_child_fails_restart, SUP:one_for_all_other_child_fails_restart",
    arguments: [Supervisor.Strategy.restForOne, .oneForAll])
  func otherChildFails(strategy: Supervisor.Strategy) throws {
    try simulate(seeds: 0..<500) { sim in
      let nursery = Nursery()
      let tree = try await Supervisor.start(strategy) {
        for id in ["0", "1", "2", "3"] { nursery.child(id, .permanent, .polite) }
      }
      let before = try await tree.pids
      _ = nursery.takeNotes()
      // The first ends; when it is started again, the second does not start, once.
      nursery.fail("2")
      try await sim.context.end(try #require(before["1"]), .error(Boom()))
      await sim.settle()
      let isRest = strategy == .restForOne
      try #require(
        nursery.takeNotes()
          == (isRest
            // The second try begins with the second: an earlier sibling is not touched again.
            ? ["-1", "-3", "-2", "+1", "+2", "+3"]
            // The second try is for all again.
            : ["-1", "-3", "-2", "-0", "+0", "+1", "-1", "-0", "+0", "+1", "+2", "+3"]))
      let after = try await tree.children
      try #require(after.allSatisfy { $0.state == .running })
      try #require((after[0].pid == before["0"]) == isRest)
    }
  }

  @Test("SUP:temporary_bystander: a group restart never resurrects a temporary child")
  func temporaryBystander() throws {
    for strategy in [Supervisor.Strategy.oneForAll, .restForOne] {
      try simulate(seeds: 0..<500) { sim in
        let nursery = Nursery()
        let tree = try await Supervisor.start(strategy) {
          nursery.child("1")
          nursery.child("2", .temporary)
          nursery.child("3", .transient)
        }
        let before = try await tree.pids
        try await sim.context.end(try #require(before["1"]), .normal)
        try #require(try await tree.children.map(\.id) == ["1", "3"])
        try #require(before["2"]?.fate?.reason == .shutdown)
      }
    }
  }

  @Test("a group restart starts also those that had ended or been stopped")
  func stoppedBystander() throws {
    try simulate(seed: 1) { sim in
      let nursery = Nursery()
      let tree = try await Supervisor.start(.oneForAll) {
        nursery.child("1")
        nursery.child("2", .transient)
        nursery.child("3")
      }
      try await sim.context.end(try await tree.pid(of: "2"), .normal)
      try await tree.terminateChild("3")
      #expect(try await tree.children.map(\.state) == [.running, .stopped, .stopped])
      try await sim.context.end(try await tree.pid(of: "1"), .normal)
      #expect(try await tree.children.map(\.state) == [.running, .running, .running])
    }
  }

  /// The state in which a supervisor is between two tries.
  @Test(
    "SUP:count_restarting_children, SUP:hanging_restart_loop, and its _rest_for_one",
    arguments: [Supervisor.Strategy.oneForOne, .restForOne])
  func restartLoop(strategy: Supervisor.Strategy) throws {
    try simulate(seeds: 0..<500) { sim in
      sim.context.trapExit()
      let nursery = Nursery()
      let tree = try await Supervisor.startLink(strategy, maxRestarts: 1_000_000) {
        nursery.child("0")
        nursery.child("1", shutdown: .brutalKill)
        nursery.child("2")
      }
      let before = try await tree.pids
      nursery.fail("1", 1_000_000)
      try await sim.context.end(try #require(before["1"]), .error(Boom()))
      // It answers all the time.
      try #require(try await tree.children[1].state == .restarting)
      switch sim.random(in: 0..<3) {
      case 0:
        await #expect(throws: SupervisorError.alreadyPresent("1")) {
          try await tree.startChild(nursery.child("1"))
        }
      case 1:
        await #expect(throws: SupervisorError.restarting("1")) { try await tree.restartChild("1") }
      default:
        await #expect(throws: SupervisorError.restarting("1")) { try await tree.deleteChild("1") }
      }
      let isRest = strategy == .restForOne
      try #require(try await tree.counts == [3, isRest ? 1 : 2, 0, 3])
      try #require((try await tree.children[2].pid == nil) == isRest)
      switch sim.random(in: 0..<3) {
      case 0:
        try await tree.terminateChild("1")
        try #require(try await tree.children[1].state == .stopped)
        nursery.fail("1", 0)
        try await tree.restartChild("1")
        try #require(try await tree.children[1].state == .running)
        // No try of before is left over.
        let pid = try await tree.pid(of: "1")
        await sim.settle()
        try #require(try await tree.pid(of: "1") == pid)
      case 1:
        nursery.fail("1", 0)
        await sim.settle()
        try #require(try await tree.counts == [3, 3, 0, 3])
        // Restarts by their success.
        try #require(try await tree.children.map(\.restarts) == [0, 1, isRest ? 1 : 0])
      default: break
      }
      let pid = try #require(tree.pid)
      sim.context.sendExit(.shutdown, to: pid)
      try await sim.context.awaitEnd(of: pid)
      try #require(pid.fate?.reason == .shutdown && sim.node.processCount == 1)
    }
  }

  @Test("SUP:tree: one level gives up, the next starts it again, and then gives up too")
  func tree() throws {
    try simulate(seeds: 0..<500) { sim in
      let nursery = Nursery()
      let tree = try await Supervisor.start(.oneForAll, maxRestarts: 2) {
        Child("inner", named: "inner") {
          try await Supervisor(.oneForOne, maxRestarts: 1) { nursery.child("worker") }
        }
        nursery.child("other")
      }
      let inner = ServerRef<Supervisor>(named: "inner")
      let top = try #require(tree.pid)
      #expect(try await tree.counts == [2, 2, 1, 1])
      for round in 1...3 {
        for _ in 0..<2 {
          let pid = try #require(inner.pid)
          try await sim.context.end(try await ServerRef<Supervisor>(pid).pid(of: "worker"), .kill)
          await sim.settle()
        }
        if round < 3 {
          try #require(try await tree.children.map(\.restarts) == [round, round])
        }
      }
      try await sim.context.awaitEnd(of: top)
      try #require(top.fate?.reason == .shutdown && sim.node.processCount == 1)
    }
  }

  @Test("SUP:faulty_application_shutdown: giving up is no abnormal end")
  func transientSupervisor() throws {
    try simulate(seeds: 0..<500) { sim in
      let nursery = Nursery()
      let tree = try await Supervisor.start(.oneForOne) {
        Child("inner", named: "inner", restart: .transient) {
          try await Supervisor(.oneForOne, maxRestarts: 0) { nursery.child("worker") }
        }
      }
      let inner = try #require(sim.node.pid(named: "inner"))
      try await sim.context.end(
        try await ServerRef<Supervisor>(inner).pid(of: "worker"), .error(Boom()))
      try await sim.context.awaitEnd(of: inner)
      try #require(inner.fate?.reason == .shutdown)
      try #require(try await tree.children.map(\.state) == [.stopped])
    }
  }

  @Test("SUP:count_children_supervisor")
  func counts() throws {
    try simulate(seed: 1) { sim in
      let tree = try await Supervisor.start(.oneForOne, maxRestarts: 0) {
        Child("pool") { try DynamicSupervisor() }
        Child("inner", restart: .temporary) { try await Supervisor(.oneForOne) {} }
        Child("worker") { try await Task.sleep(for: .seconds(1000)) }
      }
      #expect(try await tree.counts == [3, 3, 2, 1])
      try await tree.terminateChild("pool")
      #expect(try await tree.counts == [3, 2, 2, 1])
      try await tree.terminateChild("inner")
      #expect(try await tree.counts == [2, 1, 1, 1])
    }
  }
}

extension Collection where Element: Comparable {
  var isSorted: Bool { zip(self, dropFirst()).allSatisfy { $0 <= $1 } }
}
