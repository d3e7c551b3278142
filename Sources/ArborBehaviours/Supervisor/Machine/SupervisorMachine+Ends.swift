import ArborProcesses

extension SupervisorMachine {
  /// A process has ended that the supervisor did not end.
  mutating func ended(_ pid: PID, _ reason: ExitReason, at time: UInt64) -> [Action] {
    guard let index = entries.firstIndex(where: { $0.pid == pid }) else { return [] }
    let child = entries[index].child
    if child.restart != .permanent, reason.isQuiet {
      setStopped(index)
      return endOfItsOwn(child)
    }
    let report = Action.report(.init(.childTerminated, child, pid, reason))
    setStopped(index)
    if child.restart == .temporary { return [report] + endOfItsOwn(child) }
    return restart(index, reason, at: time, after: report)
  }

  /// The next try of a restart that failed; nothing if the child was stopped or restarted meanwhile.
  mutating func tryAgain(_ id: String, attempt: Int, at time: UInt64) -> [Action] {
    guard let index = index(of: id), entries[index].state == .restarting(attempt: attempt) else {
      return []
    }
    return restart(index, nil, at: time)
  }

  private mutating func restart(
    _ index: Int, _ reason: ExitReason?, at time: UInt64, after report: Action? = nil
  ) -> [Action] {
    guard intensity.allowsRestart(at: time) else {
      let child = entries[index].child
      setState(.stopped, of: index)
      let reached = Action.report(.init(.restartIntensityReached, child, nil, reason))
      return [report, reached, .end].compactMap(\.self)
    }
    let affected = strategy.rule.restarted(byEndOf: index, among: entries.count)
    let ids = entries[affected].map(\.child.id)
    return carryOut(
      Plan(purpose: .restart, stops: ids.reversed()[...], starts: ids[...]), after: report)
  }

  /// A child ended that is not started again.
  private func endOfItsOwn(_ child: Child) -> [Action] {
    guard child.isSignificant else { return [] }
    switch autoShutdown {
    case .never: return []
    case .anySignificant: break
    case .allSignificant:
      let isOneLeft = entries.contains { $0.child.isSignificant && $0.state != .stopped }
      if isOneLeft { return [] }
    }
    return [.report(.init(.automaticShutdown, child, nil)), .end]
  }
}

extension Child {
  /// Whether a process that its supervisor ended has ended as it was asked to.
  func expectsEnd(by reason: ExitReason) -> Bool {
    switch reason {
    case .killed: shutdown == .brutalKill
    case .shutdown: shutdown != .brutalKill || restart != .permanent
    case .normal, .shutdownDetail: restart != .permanent
    case .kill, .noproc, .error: false
    }
  }
}
