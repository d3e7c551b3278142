import ArborBehaviours
import ArborProcesses
import ArborTelemetry
import ArborTestKit
import Testing

/// Stopping children: cases of supervisor_SUITE.
@Suite struct SupervisorStopTests {
  /// Has the parent of a supervisor end it, and waits for that.
  private func shutDown(_ tree: ServerRef<Supervisor>, _ context: ProcessContext) async throws {
    context.trapExit()
    let pid = try #require(tree.pid)
    context.sendExit(.shutdown, to: pid)
    try await context.awaitEnd(of: pid)
    #expect(pid.fate?.reason == .shutdown)
  }

  @Test("SUP:sup_stop_infinity")
  func infinity() throws {
    try simulate(seeds: 0..<500) { sim in
      let nursery = Nursery()
      let tree = try await Supervisor.startLink(.oneForOne) {
        nursery.child("1", shutdown: .infinity, .polite)
        nursery.child("2", shutdown: .infinity, .slow(.seconds(3600)))
      }
      let pids = try await tree.pids
      try await shutDown(tree, sim.context)
      #expect(pids["1"]?.fate?.reason == .shutdown && pids["2"]?.fate?.reason == .shutdown)
      #expect(sim.now == .seconds(3600))
    }
  }

  @Test("SUP:sup_stop_timeout: the polite child ends with shutdown, the stuck one with killed")
  func timeout() throws {
    try simulate(seeds: 0..<500) { sim in
      let nursery = Nursery()
      let tree = try await Supervisor.startLink(.oneForOne) {
        nursery.child("1", shutdown: .timeout(.seconds(1)), .polite)
        nursery.child("2", shutdown: .timeout(.seconds(2)), .stuck)
      }
      let pids = try await tree.pids
      try await shutDown(tree, sim.context)
      try #require(pids["1"]?.fate?.reason == .shutdown && pids["2"]?.fate?.reason == .killed)
      try #require(sim.now == .seconds(2))
    }
  }

  @Test("SUP:sup_stop_brutal_kill")
  func brutalKill() throws {
    try simulate(seeds: 0..<500) { sim in
      let nursery = Nursery()
      let tree = try await Supervisor.startLink(.oneForOne) {
        nursery.child("1", shutdown: .timeout(.seconds(1)), .polite)
        nursery.child("2", shutdown: .brutalKill, .polite)
      }
      let pids = try await tree.pids
      try await shutDown(tree, sim.context)
      try #require(pids["1"]?.fate?.reason == .shutdown && pids["2"]?.fate?.reason == .killed)
      try #require(nursery.takeNotes() == ["+1", "+2", "-1"])
    }
  }

  @Test("the default is five seconds, for supervisors as long as it takes")
  func defaults() throws {
    try simulate(seed: 1) { sim in
      let nursery = Nursery()
      let tree = try await Supervisor.startLink(.oneForOne) {
        nursery.child("worker", .permanent, .stuck)
        Child("inner") {
          try await Supervisor(.oneForOne) {
            nursery.child("deep", shutdown: .infinity, .slow(.seconds(100)))
          }
        }
      }
      #expect(try await tree.children.map(\.shutdown) == [.timeout(.seconds(5)), .infinity])
      try await shutDown(tree, sim.context)
      #expect(sim.now == .seconds(105))
    }
  }

  @Test("SUP:sup_stop_race: children that die during the shutdown keep their own reasons")
  func race() throws {
    let reasons: [ExitReason] = [.normal, .shutdown, .shutdown("test"), .error(Boom())]
    let all = [Restart.temporary, .transient, .permanent].flatMap { restart in
      reasons.indices.map { (restart, $0) }
    }
    try simulate(seeds: 0..<500) { sim in
      let nursery = Nursery()
      let drawn = all.filter { _ in sim.random(in: 0..<3) == 0 }
      let tree = try await Supervisor.startLink(.oneForOne) {
        nursery.child("a", .temporary, .polite)
        for (restart, number) in drawn {
          nursery.child("\(restart) \(number)", restart, .ending(reasons[number]))
        }
        nursery.child("z", .temporary, shutdown: .timeout(.seconds(2)), .slow(.seconds(1)))
      }
      let pids = try await tree.pids
      // While the last one, stopped first, takes its time.
      spawn { context in
        try await context.sleep(for: .milliseconds(200))
        for (id, pid) in pids.sorted(by: { $0.key < $1.key }) where id.count > 1 {
          guard let number = id.last?.wholeNumberValue else { continue }
          pid.send(Order.end(reasons[number]))
          if sim.random(in: 0..<3) == 0 { await Task.yield() }
        }
      }
      try await shutDown(tree, sim.context)
      for (id, pid) in pids {
        let number = id.count > 1 ? id.last?.wholeNumberValue : nil
        try #require(pid.fate?.reason == number.map { reasons[$0] } ?? .shutdown, "\(id)")
      }
      try #require(sim.node.processCount == 1)
    }
  }

  @Test("SUP:child_unlink: a child that unlinked itself cannot hang the supervisor")
  func unlinked() throws {
    try simulate(seeds: 0..<500) { sim in
      let nursery = Nursery()
      let tree = try await Supervisor.start(.oneForOne) {
        nursery.child("1", shutdown: .timeout(.seconds(1)), .polite)
        nursery.child("2", shutdown: .infinity)
      }
      let pids = try await tree.pids
      for pid in pids.values.sorted() { pid.send(Order.unlink) }
      if sim.random(in: 0..<2) == 0 { await sim.settle() }
      switch sim.random(in: 0..<3) {
      case 0:
        try await tree.terminateChild("1")
        try await tree.terminateChild("2")
      case 1:
        // Its end is not heard of, so it is found dead.
        for pid in pids.values.sorted() { pid.sendExit(.kill) }
        try await tree.stop(.shutdown)
      default:
        try await tree.stop(.shutdown)
      }
      try #require(pids.values.allSatisfy { $0.fate != nil })
    }
  }

  @Test("a supervisor that is killed takes its tree along, whatever it was doing")
  func killed() throws {
    try simulate(seeds: 0..<500) { sim in
      let nursery = Nursery()
      let tree = try await Supervisor.start(.oneForAll) {
        nursery.child("plain")
        nursery.child("polite", .permanent, .polite)
        nursery.child("slow", shutdown: .infinity, .slow(.seconds(10)))
        Child("inner") {
          try await Supervisor(.oneForOne) { nursery.child("deep", .permanent, .polite) }
        }
      }
      let pid = try #require(tree.pid)
      let plain = try await tree.pid(of: "plain")
      if sim.random(in: 0..<2) == 0 { plain.sendExit(.kill) }
      for _ in 0..<sim.random(in: 0..<20) { await Task.yield() }
      pid.sendExit(.kill)
      await sim.advance(by: .seconds(60))
      try #require(pid.fate?.reason == .killed)
      try #require(sim.node.processCount == 1)
    }
  }

  @Test("SUP:order_of_children")
  func order() throws {
    try simulate(seeds: 0..<500) { sim in
      let nursery = Nursery()
      // Not in the order of the alphabet.
      let ids = ["7", "3", "10", "2", "5"]
      let tree = try await Supervisor.startLink(.restForOne) {
        for id in ids { nursery.child(id, .permanent, .polite) }
      }
      let before = try await tree.children.compactMap(\.pid)
      try #require(before == before.sorted() && before.count == 5)
      try #require(nursery.takeNotes() == ids.map { "+" + $0 })
      try await sim.context.end(before[2], .error(Boom()))
      let after = try await tree.children.compactMap(\.pid)
      try #require(after == after.sorted() && after.count == 5)
      try #require(Array(after[..<2]) == Array(before[..<2]))
      try #require(nursery.takeNotes() == ["-10", "-5", "-2", "+10", "+2", "+5"])
      try await shutDown(tree, sim.context)
      try #require(nursery.takeNotes() == ids.reversed().map { "-" + $0 })
    }
  }

  @Test("ends that were not asked for are reported, others are not")
  func reports() throws {
    try simulate(seed: 1) { sim in
      let nursery = Nursery()
      let reported = Nursery()
      try sim.node.telemetry.attach(
        "reports",
        to: [.childShutdownFailed, .childTerminated, .childRestarted, .childStartFailed]
      ) { event, _, metadata in
        let reason = metadata["reason", as: ExitReason.self].map { " \($0)" } ?? ""
        reported.note("\(event.parts[2]) \(metadata["child", as: String.self] ?? "?")\(reason)")
      }
      let tree = try await Supervisor.start(.oneForOne) {
        nursery.child("polite", .permanent, .polite)
        nursery.child("killed", shutdown: .brutalKill)
        nursery.child("stuck", shutdown: .timeout(.zero), .stuck)
        nursery.child("detail", .permanent, .ending(.shutdown("x")))
        nursery.child("mild", .transient, .ending(.shutdown("x")))
        nursery.child("failing", .transient, .ending(.error(Boom())))
      }
      nursery.fail("polite")
      try await sim.context.end(try await tree.pid(of: "polite"), .normal)
      await sim.settle()
      #expect(
        reported.takeNotes() == [
          "child_terminated polite normal",
          "start_failed polite \(StartError.failed(.error(Refusal(id: "polite"))))",
          "child_restarted polite",
        ])
      // A start by request is told of by whoever is asked.
      let pool = try await DynamicSupervisor.start()
      nursery.fail("new", 2)
      _ = try? await tree.startChild(nursery.child("new"))
      _ = try? await pool.startChild(nursery.child("new"))
      let refusal = StartError.failed(.error(Refusal(id: "new")))
      #expect(
        reported.takeNotes() == ["start_failed new \(refusal)", "start_failed new \(refusal)"])
      try await tree.stop(.shutdown)
      #expect(
        reported.takeNotes() == [
          "shutdown_failed failing Boom()", "shutdown_failed detail shutdown(x)",
          "shutdown_failed stuck killed",
        ])
    }
  }
}
