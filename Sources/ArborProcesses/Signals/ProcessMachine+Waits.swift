package import ArborPrimitives

/// The waits of a process's own task, other than for mail, and their deadlines.
extension ProcessMachine {
  /// What is to be done for a wait that begins.
  package enum Entered: Sendable {
    /// It is over at once.
    case over(Interruption)
    /// It has no deadline, or one that the alarm that is set comes before.
    case watched
    /// The alarm is to be set for its deadline; it is made if there is none yet.
    case wantsAlarm(TimerEntry?)
    /// The alarm is set for later: it needs a timer of its own.
    case wantsTimer
  }

  package mutating func enter(_ wait: Wait, until deadline: UInt64) -> Entered {
    guard case .running = status else { return .over(.exiting) }
    if isCancelled { return .over(.cancelled) }
    self.wait = wait
    return watch(until: deadline)
  }

  /// As ``enter(_:until:)``, with the wait of the call before: to make one and to let go of it is a
  /// tenth of a call.
  ///
  /// - Returns: the wait, retained for who waits; nil if a new one is to be made: that one was of another
  ///   type, or somebody else still knows of it, as a server does that may answer yet.
  package mutating func reenter(
    _ type: AnyCallWait.Type, for server: ProcessCore, until deadline: UInt64
  ) -> (Unmanaged<AnyCallWait>, Entered)? {
    guard case .running = status, !isCancelled, let last = reopen(type, for: server) else {
      return nil
    }
    return (last.retain(), watch(until: deadline))
  }

  /// The same wait, taken out, for a call that may not have to wait: it is not entered.
  package mutating func takeLastWait(
    _ type: AnyCallWait.Type, for server: ProcessCore
  ) -> Unmanaged<AnyCallWait>? {
    guard let last = reopen(type, for: server) else { return nil }
    defer { wait = nil }
    return last.retain()
  }

  /// - Returns: the wait, not retained.
  @inline(__always) private mutating func reopen(
    _ type: AnyCallWait.Type, for server: ProcessCore
  ) -> Unmanaged<AnyCallWait>? {
    guard isKnownUniquelyReferenced(&wait), let last = wait.map(Unmanaged.passUnretained) else {
      return nil
    }
    let isAgain = last._withUnsafeGuaranteedRef { last in
      guard Swift.type(of: last) == type, last.hasEnded else { return false }
      unsafeDowncast(last, to: AnyCallWait.self).reopen(for: server)
      return true
    }
    return isAgain ? .fromOpaque(last.toOpaque()) : nil
  }

  private mutating func watch(until deadline: UInt64) -> Entered {
    waitDeadline = deadline
    if deadline >= alarmTime { return .watched }
    if alarmTime < .max {
      waitDeadline = .max
      return .wantsTimer
    }
    alarmTime = deadline
    return .wantsAlarm(alarm)
  }

  /// The alarm has come.
  ///
  /// - Returns: the wait that is to end, or the time that the alarm is to be set for.
  package mutating func alarmRang(at now: UInt64) -> (expired: Wait?, next: UInt64?) {
    alarmTime = .max
    guard let wait, waitDeadline < .max, !wait.isOver else { return (nil, nil) }
    if waitDeadline <= now { return (wait, nil) }
    alarmTime = waitDeadline
    return (nil, waitDeadline)
  }
}
