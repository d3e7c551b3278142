import ArborPrimitives

/// A message that is to be sent later, once or again and again.
///
///     let timer = try context.send(Tick(), to: worker, after: .seconds(5))
///     timer.remaining        // 5 seconds
///     timer.cancel()         // the time that was left; nil if it had fired
///
/// It fires whether or not somebody holds the reference.
///
/// OTP: the `TimerRef` of `erlang:send_after/3`.
public struct TimerRef: Sendable {
  private let timer: MessageTimer

  init(_ timer: MessageTimer) { self.timer = timer }

  /// Takes the timer back; one that says a time here never fires afterwards.
  ///
  /// - Returns: the time that was left, or nil: it fired, and its message is perhaps queued; or it
  ///   was cancelled before, or its destination has ended. Of one that repeats, the time to its next
  ///   message.
  ///
  /// OTP: `erlang:cancel_timer/1`.
  @discardableResult
  public func cancel() -> Duration? { timer.cancel().map { .nanoseconds($0) } }

  /// The time that is left; nil as for ``cancel()``.
  ///
  /// OTP: `erlang:read_timer/1`.
  public var remaining: Duration? { timer.remaining.map { .nanoseconds($0) } }
}

extension TimerRef: Hashable {
  public static func == (left: TimerRef, right: TimerRef) -> Bool { left.timer === right.timer }
  public func hash(into hasher: inout Hasher) { hasher.combine(ObjectIdentifier(timer)) }
}

/// Why a timer cannot be set.
///
/// OTP: `badarg` of `erlang:send_after/3`.
public enum TimerError: Error, Sendable, Equatable, CustomStringConvertible {
  /// A time before now.
  case negativeTime(Duration)
  /// An interval of no length would never let anything else run.
  case intervalNotPositive(Duration)

  public var description: String {
    switch self {
    case .negativeTime(let time): "a timer cannot fire \(time) from now; give zero or more"
    case .intervalNotPositive(let time): "an interval of \(time) never passes; give more than zero"
    }
  }
}

extension ProcessContext {
  /// Sends a message after a time of the node's clock.
  ///
  ///     let timer = try context.send(Tick(), to: context.pid, after: .seconds(5))
  ///
  /// A timer dies with its destination; it outlives the process that set it.
  ///
  /// - Throws: ``TimerError/negativeTime(_:)``.
  ///
  /// OTP: `erlang:send_after/3`.
  @discardableResult
  public func send<Message: Sendable>(
    _ message: Message, to pid: PID, after time: Duration
  ) throws(TimerError) -> TimerRef {
    if time < .zero { throw .negativeTime(time) }
    return core.startTimer(message, to: .process(pid.core), after: time, every: nil)
  }

  /// Sends a message after a time, to whoever holds a name by then; if nobody does it vanishes.
  ///
  /// - Throws: ``TimerError/negativeTime(_:)``.
  ///
  /// OTP: `erlang:send_after/3`.
  @discardableResult
  public func send<Message: Sendable>(
    _ message: Message, to name: ProcessName, after time: Duration
  ) throws(TimerError) -> TimerRef {
    if time < .zero { throw .negativeTime(time) }
    return core.startTimer(message, to: .name(name, node), after: time, every: nil)
  }

  /// Sends a message again and again, the first time after one interval, until it is cancelled or
  /// its destination ends. Times do not drift: what is late does not make the next one late.
  ///
  /// - Throws: ``TimerError/intervalNotPositive(_:)``.
  ///
  /// OTP: `timer:send_interval/3`.
  @discardableResult
  public func send<Message: Sendable>(
    _ message: Message, to pid: PID, every interval: Duration
  ) throws(TimerError) -> TimerRef {
    if interval <= .zero { throw .intervalNotPositive(interval) }
    return core.startTimer(message, to: .process(pid.core), after: interval, every: interval)
  }
  /// Sends a message again and again, each time to whoever holds a name by then, until it is
  /// cancelled; it does not end when nobody does.
  ///
  /// - Throws: ``TimerError/intervalNotPositive(_:)``.
  ///
  /// OTP: `timer:send_interval/3`.
  @discardableResult
  public func send<Message: Sendable>(
    _ message: Message, to name: ProcessName, every interval: Duration
  ) throws(TimerError) -> TimerRef {
    if interval <= .zero { throw .intervalNotPositive(interval) }
    return core.startTimer(message, to: .name(name, node), after: interval, every: interval)
  }
}
