import ArborProcesses
import Testing

@testable import ArborBehaviours

/// Who is in which group, without a process that runs.
@Suite final class GroupsMachineTests {
  let node = Node(workers: 1)
  deinit { node.shutdown() }

  private let a: PID
  private let b: PID
  private var machine = GroupsMachine<String>()

  init() {
    a = ProcessCore(node: node, parent: nil).pid
    b = ProcessCore(node: node, parent: nil).pid
  }

  /// A reference that a monitor could have.
  private func ref() -> MonitorRef { ProcessContext(a.core).alias().ref }

  // What changes the machine, outside of `#expect`, which wants it to stay as it is.

  private func new(_ group: String, _ pids: [PID]) -> [PID] { machine.join(group, pids) }
  private func groups(of pid: PID, _ ref: MonitorRef) -> [String: Int] {
    Dictionary(uniqueKeysWithValues: machine.ended(pid, ref).map { ($0.group, $0.count) })
  }
  private func unwatch(_ ref: MonitorRef) -> Bool { machine.removeWatch(ref) }

  /// Has processes join, and their monitors set.
  @discardableResult
  private func join(_ group: String, _ pids: [PID]) -> [PID: MonitorRef] {
    var refs: [PID: MonitorRef] = [:]
    for pid in machine.join(group, pids) {
      let ref = ref()
      machine.watches(pid, by: ref)
      refs[pid] = ref
    }
    return refs
  }

  @Test("a process is watched once, however often and wherever it joins")
  func watched() {
    #expect(new("x", []).isEmpty && machine.members.isEmpty)
    #expect(new("x", [a, b, a]) == [a, b])
    #expect(new("x", [a]).isEmpty && new("y", [b]).isEmpty)
    #expect(machine.members == ["x": [a, b, a, a], "y": [b]])
  }

  @Test("a leave takes back one join, the latest; the last one also the watch")
  func leave() {
    let refs = join("x", [a, b, a])
    join("y", [a])
    var (left, unwatched) = machine.leave("x", [a])
    #expect(left == [a] && unwatched.isEmpty && machine.members["x"] == [a, b])
    (left, unwatched) = machine.leave("x", [a, a])
    #expect(left == [a] && unwatched.isEmpty && machine.members["x"] == [b])
    (left, unwatched) = machine.leave("x", [a])
    #expect(left.isEmpty && unwatched.isEmpty)
    (left, unwatched) = machine.leave("z", [a, b])
    #expect(left.isEmpty && unwatched.isEmpty)
    (left, unwatched) = machine.leave("y", [a])
    #expect(left == [a] && unwatched == [refs[a]] && machine.members == ["x": [b]])
    // From here on it is a stranger, who is watched anew.
    #expect(new("x", [a]) == [a])
  }

  @Test("an end takes a member out of all its groups, by its own monitor only")
  func ended() throws {
    let refs = join("x", [a, b, a])
    join("y", [a])
    let ref = try #require(refs[a])
    #expect(groups(of: a, self.ref()).isEmpty && machine.members["y"] == [a])
    #expect(groups(of: a, ref) == ["x": 2, "y": 1] && machine.members == ["x": [b]])
    #expect(groups(of: a, ref).isEmpty)
  }

  @Test("an end that was under way when a process left and joined again is not its end")
  func stale() throws {
    let old = try #require(join("x", [a])[a])
    _ = machine.leave("x", [a])
    let new = try #require(join("x", [a])[a])
    #expect(groups(of: a, old).isEmpty && machine.members["x"] == [a])
    #expect(groups(of: a, new) == ["x": 1] && machine.members.isEmpty)
  }

  @Test("those who watch the scope and those who watch the group hear of it, each by each watch")
  func watchers() {
    let refs = (0..<4).map { _ in ref() }
    machine.addWatch(refs[0], of: a, on: "x")
    machine.addWatch(refs[1], of: b, on: nil)
    machine.addWatch(refs[2], of: a, on: "x")
    machine.addWatch(refs[3], of: a, on: "y")
    func heard(_ group: String) -> [MonitorRef] { machine.watchers(of: group).map(\.ref) }
    #expect(heard("x") == [refs[1], refs[0], refs[2]])
    #expect(machine.watchers(of: "x").map(\.watcher) == [b, a, a])
    #expect(heard("y") == [refs[1], refs[3]] && heard("z") == [refs[1]])
    #expect(unwatch(refs[0]) && !unwatch(refs[0]))
    #expect(heard("x") == [refs[1], refs[2]])
    #expect(unwatch(refs[1]))
    #expect(heard("x") == [refs[2]] && heard("z").isEmpty)
    // A member's monitor is no watch.
    #expect(!unwatch(ref()))
  }
}
