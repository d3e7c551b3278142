import ArborProcesses
import Testing

@testable import ArborBehaviours

/// The rules alone: no process runs here.
@Suite final class DynamicSupervisorMachineTests {
  let node = Node(workers: 1)
  deinit { node.shutdown() }

  private func pid() -> PID { ProcessCore(node: node, parent: nil).pid }

  private func machine(
    maxChildren: Int? = nil, maxRestarts: Int = 3
  ) throws -> DynamicSupervisorMachine {
    try DynamicSupervisorMachine(
      maxChildren: maxChildren,
      intensity: RestartIntensity(maxRestarts: maxRestarts, within: .seconds(5)))
  }

  /// What is to be done, without the reports.
  private func deeds(
    _ actions: [DynamicSupervisorMachine.Action]
  ) -> [DynamicSupervisorMachine.Action] {
    actions.filter { if case .report = $0 { false } else { true } }
  }

  private func child(_ id: String, _ restart: Restart = .permanent) -> Child {
    Child(id, restart: restart) {}
  }

  @Test("a child keeps its place through its restarts, and is found by its latest PID")
  func places() throws {
    var machine = try machine()
    let pids = [pid(), pid(), pid()]
    _ = machine.admitted(child("a"), as: pids[0])
    _ = machine.admitted(child("b"), as: pids[1])
    #expect(deeds(machine.ended(pids[0], .normal, at: 0)) == [.restart(1)])
    #expect(deeds(machine.restarted(1, as: pids[2])) == [])
    #expect(machine.ordered.map(\.pid) == [pids[2], pids[1]])
    #expect(machine.entry(of: pids[0]) == nil && machine.entry(of: pids[2])?.restarts == 1)
    // The end of the first process is not heard twice.
    #expect(machine.ended(pids[0], .normal, at: 0) == [])
  }

  @Test("a restart that failed is tried again by its number, once, unless the child was stopped")
  func tries() throws {
    var machine = try machine(maxChildren: 1)
    let first = pid()
    _ = machine.admitted(child("a"), as: first)
    _ = machine.ended(first, .kill, at: 0)
    #expect(deeds(machine.restartFailed(1, .timeout)) == [.tryAgain(id: "a", attempt: 1)])
    // It has its place, and its last PID, meanwhile.
    #expect(throws: SupervisorError.maxChildren(1)) { try machine.admit() }
    #expect(machine.entry(of: first)?.attempt == 1)
    #expect(deeds(machine.tryAgain(1, at: 0)) == [.restart(1)])
    #expect(machine.tryAgain(1, at: 0) == [])
    #expect(deeds(machine.restartFailed(1, .timeout)) == [.tryAgain(id: "a", attempt: 2)])
    #expect(machine.stopped(first, nil) == [])
    #expect(machine.tryAgain(2, at: 0) == [] && machine.entries.isEmpty)
    try machine.admit()
  }

  @Test("one restart too many is the end; temporary children and quiet ends never count")
  func intensity() throws {
    var machine = try machine(maxRestarts: 1)
    for number in 0..<10 {
      let pid = pid()
      _ = machine.admitted(child("\(number)", number % 2 == 0 ? .temporary : .transient), as: pid)
      #expect(deeds(machine.ended(pid, number % 2 == 0 ? .kill : .shutdown, at: 0)) == [])
    }
    #expect(machine.entries.isEmpty)
    let (a, b) = (pid(), pid())
    _ = machine.admitted(child("a", .transient), as: a)
    _ = machine.admitted(child("b"), as: b)
    #expect(deeds(machine.ended(a, .kill, at: 0)) == [.restart(11)])
    // One that does not want to start again is forgotten.
    #expect(machine.restarted(11, as: nil) == [])
    #expect(deeds(machine.ended(b, .normal, at: 5_000_000_000)) == [.end])
    #expect(machine.entries.isEmpty)
  }
}
