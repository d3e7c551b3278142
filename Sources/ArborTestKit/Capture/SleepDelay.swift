import ArborPrimitives

/// How long a `Task.sleep` was meant to be.
///
/// `Task.sleep(for:)` makes of its duration an instant of the real clock before it hands it on, so that
/// what is left of it is shorter by some real time that is never the same: no two runs would be
/// alike. But that instant was made in one of the sleeper's last turns, and how long those are ago is
/// known: the duration lies in one of a few narrow ranges. People write round numbers.
enum SleepDelay {
  static func nanoseconds<C: Clock>(until instant: C.Instant, on clock: C) -> UInt64 {
    let left = clock.now.duration(to: instant) as? Duration ?? .zero
    guard left > .zero, let storage = SimulationThread.current?.storage else {
      return left.nanoseconds
    }
    let realTime = SystemTime.monotonic()
    return meant(
      left: left.nanoseconds, at: realTime,
      turns: storage.withMachine { $0.recentTurns(until: realTime) })
  }

  /// The duration that was meant.
  ///
  /// - Parameters:
  ///   - left: what is left of it at `realTime`, above 0.
  ///   - turns: the ranges of real time, one of which it was counted from.
  static func meant(left: UInt64, at realTime: UInt64, turns: [Range<UInt64>]) -> UInt64 {
    var best = (duration: left, power: UInt64(0), width: UInt64.max)
    for turn in turns {
      let shortest = left + (realTime - turn.upperBound)
      let width = turn.upperBound - turn.lowerBound
      let (duration, power) = roundest(from: shortest, to: shortest + width)
      if power > best.power || power == best.power && width < best.width {
        best = (duration, power, width)
      }
    }
    return best.duration
  }

  /// The smallest multiple of the largest power of ten that lies between two numbers, the first of
  /// which is at least 1.
  static func roundest(from low: UInt64, to high: UInt64) -> (multiple: UInt64, power: UInt64) {
    var power: UInt64 = 1_000_000_000_000_000_000
    while power > 1 {
      let (multiple, overflow) = ((low - 1) / power + 1).multipliedReportingOverflow(by: power)
      if !overflow, multiple <= high { return (multiple, power) }
      power /= 10
    }
    return (low, 1)
  }
}
