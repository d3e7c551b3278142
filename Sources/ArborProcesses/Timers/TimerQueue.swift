import ArborPrimitives

/// What a ``SystemClock`` decides under its lock: what is due, how long its thread may sleep, and
/// when it must be woken. Pure: it starts, wakes and fires nothing itself.
final class TimerQueue {
  /// What the caller does after it has let the lock go.
  enum Action: Equatable {
    case nothing
    case startThread
    case wakeThread
  }

  /// What the thread does next.
  enum Step: Equatable {
    case fireDue
    case sleep(until: UInt64)
    case end
  }

  private enum Thread: Equatable {
    case notStarted
    /// It looks at the wheel again before it sleeps, and need not be woken.
    case awake
    case asleep(until: UInt64)
    case stopped
  }

  private let wheel: TimerWheel
  private var thread = Thread.notStarted

  init(startingAt now: UInt64) { wheel = TimerWheel(startingAt: now) }

  func schedule(_ entry: TimerEntry, at deadline: UInt64) -> Action {
    switch thread {
    case .stopped:
      return .nothing
    case .notStarted:
      wheel.add(entry, at: deadline)
      thread = .awake
      return .startThread
    case .awake:
      wheel.add(entry, at: deadline)
      return .nothing
    case .asleep(let wakeTime):
      wheel.add(entry, at: deadline)
      guard deadline < wakeTime else { return .nothing }
      // Said once: until it has slept again, nobody else need wake it.
      thread = .awake
      return .wakeThread
    }
  }

  func cancel(_ entry: TimerEntry) -> UInt64? { wheel.remove(entry) }

  func deadline(of entry: TimerEntry) -> UInt64? { wheel.deadline(of: entry) }

  /// The thread asks what to do; what is due is appended to `due`.
  func step(at now: UInt64, into due: inout [TimerEntry]) -> Step {
    guard thread != .stopped else { return .end }
    wheel.advance(to: now, into: &due)
    if !due.isEmpty {
      thread = .awake
      return .fireDue
    }
    let wakeTime = wheel.nextDeadline ?? .max
    thread = .asleep(until: wakeTime)
    return .sleep(until: wakeTime)
  }

  /// - Returns: whether the thread must be woken to end, and the entries to let go once the lock is
  ///   let go: their deinit may be anybody's code.
  func stop() -> (action: Action, abandoned: [TimerEntry]) {
    let previous = thread
    thread = .stopped
    switch previous {
    case .asleep: return (.wakeThread, wheel.removeAll())
    case .awake: return (.nothing, wheel.removeAll())
    case .notStarted, .stopped: return (.nothing, [])
    }
  }
}
