import ArborProcesses

/// What a supervisor knows of its children, and what it decides when one ends; pure, so that the
/// rules can be tested without a process.
struct SupervisorMachine: Sendable {
  struct Entry: Sendable {
    let child: Child
    /// Nil while it is not running.
    var pid: PID?
    var restarts = 0
    var isRestarting = false
  }

  /// In the order of their start.
  private(set) var entries: [Entry] = []
  private(set) var restarts = 0
  private var intensity: RestartIntensity

  init(
    children: [Child], maxRestarts: Int, period: Duration, periodNanoseconds: UInt64
  ) throws(SupervisorError) {
    if maxRestarts < 0 { throw .negativeIntensity(maxRestarts) }
    if period <= .zero { throw .badPeriod(period) }
    var ids: Set<String> = []
    for child in children {
      if child.id.isEmpty { throw .emptyID }
      if !ids.insert(child.id).inserted { throw .duplicateID(child.id) }
    }
    intensity = RestartIntensity(limit: maxRestarts, period: periodNanoseconds)
    entries = children.map { Entry(child: $0) }
  }

  /// What a child's end asks for.
  enum Decision: Sendable, Equatable {
    case nothing
    case restart(id: String)
    /// One restart too many: the supervisor ends.
    case giveUp
  }

  mutating func started(_ id: String, as pid: PID) {
    guard let index = index(of: id) else { return }
    entries[index].pid = pid
    entries[index].isRestarting = false
  }

  mutating func ended(_ pid: PID, _ reason: ExitReason, at time: UInt64) -> Decision {
    guard let index = entries.firstIndex(where: { $0.pid == pid }) else { return .nothing }
    entries[index].pid = nil
    switch entries[index].child.restart {
    case .permanent: return restart(index, at: time)
    case .transient: return reason.isQuiet ? .nothing : restart(index, at: time)
    case .temporary:
      entries.remove(at: index)
      return .nothing
    }
  }

  /// A restart did not succeed: it counts, and is tried again.
  mutating func restartFailed(_ id: String, at time: UInt64) -> Decision {
    guard let index = index(of: id), entries[index].isRestarting else { return .nothing }
    return restart(index, at: time)
  }

  /// True while a child waits for its restart to be tried again.
  func isRestarting(_ id: String) -> Bool {
    index(of: id).map { entries[$0].isRestarting } ?? false
  }

  /// The child was ended by its supervisor.
  mutating func stopped(_ id: String) {
    if let index = index(of: id) { entries[index].pid = nil }
  }

  private mutating func restart(_ index: Int, at time: UInt64) -> Decision {
    guard intensity.allowsRestart(at: time) else { return .giveUp }
    restarts += 1
    entries[index].restarts += 1
    entries[index].isRestarting = true
    return .restart(id: entries[index].child.id)
  }

  private func index(of id: String) -> Int? { entries.firstIndex { $0.child.id == id } }
  func child(_ id: String) -> Child? { index(of: id).map { entries[$0].child } }
}
