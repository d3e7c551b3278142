import ArborProcesses

/// What a dynamic supervisor knows of its children, and what it decides; pure.
///
/// Children are found by their PID. One that is being started again is found by its last.
struct DynamicSupervisorMachine: Sendable {
  struct Entry: Sendable {
    var child: Child
    /// While it is being started again, the PID it had.
    var pid: PID
    /// The try of its restart that comes next; nil while it runs.
    var attempt: Int?
    var restarts = 0
  }

  enum Action: Sendable, Equatable {
    /// Start the child again; answered by `restarted` or `restartFailed`.
    case restart(Number)
    /// Come back with `tryAgain`, behind what came meanwhile.
    case tryAgain(id: String, attempt: Int)
    case report(SupervisorReport)
    /// The supervisor is to end, with `shutdown`, its children first.
    case end
  }

  /// Children are numbered in the order of their start, and keep their number.
  typealias Number = UInt64

  let maxChildren: Int?
  private(set) var entries: [Number: Entry] = [:]
  private(set) var restarts = 0
  private var numbers: [PID: Number] = [:]
  private var retries: [Int: Number] = [:]
  private var intensity: RestartIntensity
  private var lastNumber: Number = 0
  private var lastAttempt = 0

  init(maxChildren: Int?, intensity: RestartIntensity) throws(SupervisorError) {
    if let maxChildren, maxChildren < 0 { throw .negativeMaxChildren(maxChildren) }
    self.maxChildren = maxChildren
    self.intensity = intensity
  }

  /// The children in the order of their start.
  var ordered: [Entry] { entries.sorted { $0.key < $1.key }.map(\.value) }

  subscript(number: Number) -> Entry? { entries[number] }
  func entry(of pid: PID) -> Entry? { numbers[pid].flatMap { entries[$0] } }

  /// Whether one more child may be started.
  func admit() throws(SupervisorError) {
    if let maxChildren, entries.count >= maxChildren { throw .maxChildren(maxChildren) }
  }

  mutating func admitted(_ child: Child, as pid: PID) -> [Action] {
    lastNumber += 1
    numbers[pid] = lastNumber
    var kept = child
    kept.forgetStart()
    entries[lastNumber] = Entry(child: kept, pid: pid)
    return [.report(.init(.childStarted, kept, pid))]
  }

  /// A process has ended that the supervisor did not end.
  mutating func ended(_ pid: PID, _ reason: ExitReason, at time: UInt64) -> [Action] {
    guard let number = numbers[pid], let entry = entries[number], entry.attempt == nil else {
      return []
    }
    let restart = entry.child.restart
    if restart != .permanent, reason.isQuiet {
      forget(number)
      return []
    }
    let report = Action.report(.init(.childTerminated, entry.child, pid, reason))
    if restart == .temporary {
      forget(number)
      return [report]
    }
    return [report] + self.restart(number, at: time)
  }

  /// The next try of a restart that failed; nothing if the child was stopped meanwhile.
  mutating func tryAgain(_ attempt: Int, at time: UInt64) -> [Action] {
    guard let number = retries.removeValue(forKey: attempt) else { return [] }
    return restart(number, at: time)
  }

  private mutating func restart(_ number: Number, at time: UInt64) -> [Action] {
    if intensity.allowsRestart(at: time) { return [.restart(number)] }
    guard let entry = forget(number) else { return [.end] }
    return [.report(.init(.restartIntensityReached, entry.child, nil)), .end]
  }

  /// A child has been started again.
  ///
  /// - Parameter pid: nil if it did not want to: then it is forgotten.
  mutating func restarted(_ number: Number, as pid: PID?) -> [Action] {
    guard let entry = entries[number], let pid else {
      forget(number)
      return []
    }
    numbers[entry.pid] = nil
    numbers[pid] = number
    entries[number]?.pid = pid
    entries[number]?.attempt = nil
    entries[number]?.restarts += 1
    restarts += 1
    return [.report(.init(.childRestarted, entry.child, pid))]
  }

  /// A restart did not succeed: it counts, and is tried again.
  mutating func restartFailed(_ number: Number, _ error: StartError) -> [Action] {
    guard let entry = entries[number] else { return [] }
    lastAttempt += 1
    entries[number]?.attempt = lastAttempt
    retries[lastAttempt] = number
    return [
      .report(.init(.childStartFailed, entry.child, nil, .error(error))),
      .tryAgain(id: entry.child.id, attempt: lastAttempt),
    ]
  }

  /// The supervisor has ended the process of a child, or has given up its restart.
  mutating func stopped(_ pid: PID, _ reason: ExitReason?) -> [Action] {
    guard let number = numbers[pid], let entry = forget(number) else { return [] }
    guard let reason, !entry.child.expectsEnd(by: reason) else { return [] }
    return [.report(.init(.childShutdownFailed, entry.child, pid, reason))]
  }

  @discardableResult
  private mutating func forget(_ number: Number) -> Entry? {
    guard let entry = entries.removeValue(forKey: number) else { return nil }
    numbers[entry.pid] = nil
    if let attempt = entry.attempt { retries[attempt] = nil }
    return entry
  }
}
