#if canImport(Glibc)
import Glibc
#elseif canImport(Musl)
import Musl
#elseif canImport(Darwin)
import Darwin
#endif

/// The machine's own clocks, in nanoseconds.
package enum SystemTime {
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
