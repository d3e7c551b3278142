package import ArborPrimitives
import Synchronization

/// The machine's time: a node's clock unless a test gives it another.
///
///     let clock = SystemClock()
///     clock.schedule(entry, at: clock.now() + 5_000_000_000)
///     clock.cancel(entry)
///
/// Entries wait in a ``TimerWheel``; one thread, started by the first of them, sleeps until the
/// earliest deadline and fires what is due. It is woken only for a deadline that is earlier than
/// the one it sleeps for, so that a call, which sets a timeout and takes it back, costs no system
/// call.
package final class SystemClock: NodeClock {
  // Apart, so that the thread keeps this alive and not the clock: a clock that nobody holds any
  // more shuts down.
  private let storage = SystemClockStorage()

  package init() {}

  deinit { storage.shutdown() }

  package func now() -> UInt64 { SystemTime.monotonic() }

  package func wallTime() -> UInt64 { SystemTime.wall() }

  package func schedule(_ entry: TimerEntry, at deadline: UInt64) {
    storage.schedule(entry, at: deadline)
  }

  @discardableResult
  package func cancel(_ entry: TimerEntry) -> UInt64? {
    storage.cancel(entry).map(SystemClock.timeLeft)
  }

  package func remaining(_ entry: TimerEntry) -> UInt64? {
    storage.deadline(of: entry).map(SystemClock.timeLeft)
  }

  /// Stops the clock's thread; from any thread, its own too. Entries still waiting are let go, unfired,
  /// and so is what is scheduled later. An entry that is just firing is not waited for.
  package func shutdown() { storage.shutdown() }

  private static func timeLeft(until deadline: UInt64) -> UInt64 {
    let now = SystemTime.monotonic()
    return deadline > now ? deadline - now : 0
  }
}
