import ArborPrimitives

extension ProcessCore {
  /// Says that the process's own task is about to park for `wait`, so that an exit can end it. If the
  /// process is exiting the wait is over at once.
  ///
  /// - Parameter deadline: when it is to end at the latest, by the clock of the process's node.
  /// - Returns: false if it is over.
  @discardableResult
  func enter(_ wait: Wait, until deadline: UInt64 = .max) -> Bool {
    intent = .wait(.passUnretained(wait))
    return settle(machine.withLock { $0.enter(wait, until: deadline) }, wait, until: deadline)
  }

  /// As ``enter(_:until:)`` for a call of `server`, with the wait of the call before.
  ///
  /// - Returns: the wait, retained; nil if a new one is to be made, and entered.
  func reenter(
    _ type: AnyCallWait.Type, for server: ProcessCore, until deadline: UInt64
  ) -> Unmanaged<AnyCallWait>? {
    guard
      let (wait, entered) = machine.withLock({ $0.reenter(type, for: server, until: deadline) })
    else { return nil }
    intent = .wait(.fromOpaque(wait.toOpaque()))
    if case .watched = entered { return wait }
    _ = wait._withUnsafeGuaranteedRef { settle(entered, $0, until: deadline) }
    return wait
  }

  /// Does what a wait that begins asks for; false if it is over.
  @inline(__always)
  private func settle(_ entered: Machine.Entered, _ wait: Wait, until deadline: UInt64) -> Bool {
    switch entered {
    case .watched: return true
    case .over(let interruption):
      wait.interrupt(interruption)
      return false
    case .wantsAlarm(let alarm): node.clock.schedule(alarm ?? makeAlarm(), at: deadline)
    case .wantsTimer: schedule(wait, at: deadline)
    }
    return true
  }

  /// Gives a wait a timer of its own.
  func schedule(_ wait: Wait, at deadline: UInt64) {
    wait.clock = node.clock
    node.clock.schedule(wait, at: deadline)
  }

  private func makeAlarm() -> TimerEntry {
    let alarm = WaitAlarm(self)
    machine.withLock { machine in
      if machine.status != .released { machine.alarm = alarm }
    }
    return alarm
  }

  /// The alarm has come: ends the wait whose deadline has passed, or waits on for that of a later one.
  fileprivate func ring(_ alarm: WaitAlarm) {
    let now = node.clock.now()
    let (expired, next) = machine.withLock { $0.alarmRang(at: now) }
    if let next { node.clock.schedule(alarm, at: next) }
    expired?.interrupt(.timeout)
  }

  /// The task around the process's scope was cancelled: what waits now and later ends at once.
  func cancelWaits() {
    let (receiver, wait) = machine.withLock { machine -> (Resumer?, Wait?) in
      machine.isCancelled = true
      defer { machine.wait = nil }
      return (machine.takeReceiver(), machine.wait)
    }
    wait?.interrupt(.cancelled)
    receiver?.resume()
  }
}

/// The timer for the deadlines of what a process's own task waits for, one after the other.
///
/// Almost no deadline is ever reached, so one that is over stays set, and only when it comes is the
/// timer set anew for the wait that runs by then: a call that is answered touches no clock.
private final class WaitAlarm: TimerEntry, @unchecked Sendable {
  // Unchecked: written once. A cycle, through the machine, until the process is released.
  private let core: ProcessCore
  init(_ core: ProcessCore) { self.core = core }
  override func fire() { core.ring(self) }
}
