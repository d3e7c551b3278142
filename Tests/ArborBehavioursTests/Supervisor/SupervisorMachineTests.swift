import ArborProcesses
import Testing

@testable import ArborBehaviours

/// The rules alone: no process runs here.
@Suite final class SupervisorMachineTests {
  let node = Node(workers: 1)
  deinit { node.shutdown() }

  /// A PID that a child could have.
  private func pid() -> PID { ProcessCore(node: node, parent: nil).pid }

  private func child(_ id: String, _ restart: Restart = .permanent) -> Child {
    Child(id, restart: restart) {}
  }

  private func machine(
    _ strategy: Supervisor.Strategy, maxRestarts: Int = 3, _ children: [Child]
  ) throws -> SupervisorMachine {
    try SupervisorMachine(
      children, strategy: strategy,
      intensity: RestartIntensity(maxRestarts: maxRestarts, within: .nanoseconds(100)))
  }

  /// What is to be done, without the reports.
  private func deeds(_ actions: [SupervisorMachine.Action]) -> [SupervisorMachine.Action] {
    actions.filter { if case .report = $0 { false } else { true } }
  }

  /// A machine whose children a, b and c run.
  private func running(
    _ strategy: Supervisor.Strategy, maxRestarts: Int = 3
  ) throws -> (SupervisorMachine, [PID]) {
    var machine = try machine(
      strategy, maxRestarts: maxRestarts, ["a", "b", "c"].map { child($0) })
    let pids = [pid(), pid(), pid()]
    #expect(deeds(machine.begin()) == [.start(id: "a")])
    #expect(deeds(machine.started("a", as: pids[0])) == [.start(id: "b")])
    #expect(deeds(machine.started("b", as: pids[1])) == [.start(id: "c")])
    #expect(deeds(machine.started("c", as: pids[2])) == [])
    return (machine, pids)
  }

  @Test("a failing first start stops what has started, the last first")
  func failedStart() throws {
    var machine = try machine(.oneForOne, ["a", "b", "c"].map { child($0) })
    let (a, b) = (pid(), pid())
    _ = machine.begin()
    _ = machine.started("a", as: a)
    _ = machine.started("b", as: b)
    #expect(deeds(machine.startFailed("c", .timeout)) == [.stop(id: "b", b)])
    #expect(deeds(machine.stopped("b", .shutdown)) == [.stop(id: "a", a)])
    #expect(deeds(machine.stopped("a", .shutdown)) == [.fail(.childFailed("c", .timeout))])
  }

  @Test("one for one: the child alone")
  func oneForOne() throws {
    var (machine, pids) = try running(.oneForOne)
    #expect(deeds(machine.ended(pids[1], .normal, at: 0)) == [.start(id: "b")])
    #expect(deeds(machine.started("b", as: pid())) == [])
    #expect(machine.entries.map(\.restarts) == [0, 1, 0])
  }

  @Test("one for all: stopped from the last, started from the first")
  func oneForAll() throws {
    var (machine, pids) = try running(.oneForAll)
    #expect(deeds(machine.ended(pids[1], .normal, at: 0)) == [.stop(id: "c", pids[2])])
    #expect(deeds(machine.stopped("c", .shutdown)) == [.stop(id: "a", pids[0])])
    // What ended meanwhile by itself is stopped all the same, and its EXIT means nothing then.
    #expect(deeds(machine.stopped("a", .error(ServerGone()))) == [.start(id: "a")])
    #expect(machine.ended(pids[0], .error(ServerGone()), at: 0) == [])
    #expect(deeds(machine.started("a", as: pid())) == [.start(id: "b")])
    #expect(deeds(machine.started("b", as: pid())) == [.start(id: "c")])
    #expect(deeds(machine.started("c", as: pid())) == [])
    #expect(machine.entries.map(\.restarts) == [1, 1, 1])
  }

  @Test("rest for one: those before it are left alone")
  func restForOne() throws {
    var (machine, pids) = try running(.restForOne)
    #expect(deeds(machine.ended(pids[1], .normal, at: 0)) == [.stop(id: "c", pids[2])])
    #expect(deeds(machine.stopped("c", .shutdown)) == [.start(id: "b")])
    // A failing start counts as a restart, and is tried again behind what came meanwhile.
    let actions = deeds(machine.startFailed("b", .timeout))
    #expect(actions == [.tryAgain(id: "b", attempt: 1)])
    #expect(machine.entries.map(\.state) == [.running(pids[0]), .restarting(attempt: 1), .stopped])
    #expect(deeds(machine.tryAgain("b", attempt: 1, at: 0)) == [.start(id: "b")])
    #expect(deeds(machine.started("b", as: pid())) == [.start(id: "c")])
  }

  @Test("a try that is no longer wanted does nothing")
  func staleTries() throws {
    var (machine, pids) = try running(.oneForOne)
    _ = machine.ended(pids[0], .normal, at: 0)
    _ = machine.startFailed("a", .timeout)
    _ = try machine.terminate("a")
    #expect(machine.tryAgain("a", attempt: 1, at: 0) == [])
    // Nor one from before that of now.
    let again = pid()
    _ = machine.started("a", as: again)
    _ = machine.ended(again, .normal, at: 0)
    _ = machine.startFailed("a", .timeout)
    #expect(machine.tryAgain("a", attempt: 1, at: 0) == [])
    #expect(deeds(machine.tryAgain("a", attempt: 2, at: 0)) == [.start(id: "a")])
  }

  @Test("a start by request between two tries of a restart is none of its own")
  func startBetweenTries() throws {
    var (machine, pids) = try running(.restForOne)
    _ = machine.ended(pids[0], .normal, at: 0)
    _ = machine.stopped("c", .shutdown)
    _ = machine.stopped("b", .shutdown)
    _ = machine.startFailed("a", .timeout)
    #expect(deeds(machine.admitted(child("d"), as: pid())) == [])
    #expect(deeds(machine.started("b", as: pid())) == [])
    #expect(machine.entries.map(\.restarts) == [0, 0, 0, 0] && machine.restarts == 0)
    #expect(machine.entries.map(\.isRestarting) == [true, false, false, false])
  }

  @Test("one restart too many within the period is the end; the window slides")
  func intensity() throws {
    var (machine, pids) = try running(.oneForOne, maxRestarts: 1)
    var current = pids[0]
    for time in [0, 101, 202, 303] as [UInt64] {
      #expect(deeds(machine.ended(current, .normal, at: time)) == [.start(id: "a")])
      current = pid()
      _ = machine.started("a", as: current)
    }
    // The edge of the window belongs to it.
    #expect(deeds(machine.ended(current, .normal, at: 403)) == [.end])
  }

  @Test("the window holds what it has to, and lets go of the rest")
  func window() {
    var intensity = RestartIntensity(limit: 3, period: 10)
    var times: [UInt64] = []
    var random = SystemRandomNumberGenerator()
    var now: UInt64 = 0
    for _ in 0..<2000 {
      now += .random(in: 0..<8, using: &random)
      times.append(now)
      let isAllowed = times.filter { now - $0 <= 10 }.count <= 3
      #expect(intensity.allowsRestart(at: now) == isAllowed)
    }
  }

  @Test("a machine forgets a temporary child with its end, whoever brought it about")
  func temporary() throws {
    var machine = try machine(.oneForAll, [child("a"), child("b", .temporary)])
    let (a, b) = (pid(), pid())
    _ = machine.begin()
    _ = machine.started("a", as: a)
    _ = machine.started("b", as: b)
    #expect(machine.entries[1].child.start == nil)
    #expect(deeds(machine.ended(a, .normal, at: 0)) == [.stop(id: "b", b)])
    #expect(deeds(machine.stopped("b", .shutdown)) == [.start(id: "a")])
    #expect(deeds(machine.started("a", as: pid())) == [])
    #expect(machine.entries.map(\.child.id) == ["a"])
  }
}

private struct ServerGone: Error, Equatable {}
