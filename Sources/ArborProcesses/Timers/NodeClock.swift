package import ArborPrimitives

/// Where a node's time comes from: all its waiting goes through here, so that a test can put its
/// own clock in place and no wait is real.
package protocol NodeClock: AnyObject, Sendable {
  /// Nanoseconds since a fixed point in the past; never goes back.
  func now() -> UInt64

  /// Nanoseconds since 1970, for the time stamps that people read.
  func wallTime() -> UInt64

  /// Calls `entry.fire()` once, at `deadline` (a value of `now()`) or a little later, on a thread of the
  /// clock's. One that is already due is fired as soon as possible, never inside this call.
  /// An entry may be scheduled again after it fired or was cancelled, never while it waits.
  func schedule(_ entry: TimerEntry, at deadline: UInt64)

  /// Takes the entry back.
  ///
  /// - Returns: the nanoseconds that were left (0 if overdue but not yet fired), or nil if it is not waiting: it fired, is
  ///   firing, was cancelled, or never was scheduled.
  @discardableResult
  func cancel(_ entry: TimerEntry) -> UInt64?

  /// The nanoseconds left, without taking it back; nil as for `cancel`.
  func remaining(_ entry: TimerEntry) -> UInt64?

  /// Stops the clock's thread; entries still waiting are let go, unfired.
  func shutdown()
}
