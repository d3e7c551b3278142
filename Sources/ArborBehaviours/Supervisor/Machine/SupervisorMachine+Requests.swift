import ArborProcesses

// What the functions of OTP's `supervisor` ask for. A start on request is no restart: it does not
// count for the intensity, and one that fails is the caller's to know, and is not tried again.
extension SupervisorMachine {
  /// Whether a new child may be started now.
  func admit(_ child: Child) throws(SupervisorError) {
    try child.check(autoShutdown: autoShutdown)
    guard let entry = entry(child.id) else { return }
    if let pid = entry.pid { throw .alreadyStarted(child.id, pid) }
    throw .alreadyPresent(child.id)
  }

  /// A new child has been started; it is the last one now.
  ///
  /// - Parameter pid: nil if it did not want to start: then it is kept without a process, but for a
  ///   temporary one.
  mutating func admitted(_ child: Child, as pid: PID?) -> [Action] {
    append(child)
    return started(child.id, as: pid)
  }

  /// Stops a child; one that has no process is not started again by itself from here on.
  mutating func terminate(_ id: String) throws(SupervisorError) -> [Action] {
    if index(of: id) == nil { throw .notFound(id) }
    return carryOut(Plan(purpose: .termination, stops: [id]))
  }

  /// The child to start again on request.
  func childToRestart(_ id: String) throws(SupervisorError) -> Child {
    try stoppedEntry(id).child
  }

  /// Forgets a child that has no process.
  mutating func delete(_ id: String) throws(SupervisorError) {
    _ = try stoppedEntry(id)
    if let index = index(of: id) { remove(at: index) }
  }

  private func stoppedEntry(_ id: String) throws(SupervisorError) -> Entry {
    guard let entry = entry(id) else { throw .notFound(id) }
    switch entry.state {
    case .running(let pid): throw .running(id, pid)
    case .restarting: throw .restarting(id)
    case .stopped: return entry
    }
  }
}
