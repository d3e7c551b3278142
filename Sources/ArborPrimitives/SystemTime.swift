#if canImport(Glibc)
import Glibc
#elseif canImport(Musl)
import Musl
#elseif canImport(Darwin)
import Darwin
#endif

/// The machine's own clocks, in nanoseconds.
package enum SystemTime {
  /// Looks again and again whether something has come, for at most so many nanoseconds, and does
  /// nothing else: for what mostly comes sooner than a thread could be put to sleep and woken. On a
  /// machine of one processor it looks once.
  package static func lookOut(for nanoseconds: UInt64, _ hasCome: () -> Bool) -> Bool {
    if hasCome() { return true }
    guard hasSeveralProcessors else { return false }
    let end = monotonic() &+ nanoseconds
    repeat {
      for _ in 0..<32 where hasCome() { return true }
    } while monotonic() < end
    return false
  }

  private static let hasSeveralProcessors = SystemThread.processorCount > 1

  /// Since a fixed point in the past; never goes back.
  package static func monotonic() -> UInt64 { read(CLOCK_MONOTONIC) }

  /// Since 1970; goes back when somebody sets the machine's clock.
  package static func wall() -> UInt64 { read(CLOCK_REALTIME) }

  private static func read(_ clock: clockid_t) -> UInt64 {
    var time = timespec()
    clock_gettime(clock, &time)
    return UInt64(time.tv_sec) &* 1_000_000_000 &+ UInt64(time.tv_nsec)
  }
}
