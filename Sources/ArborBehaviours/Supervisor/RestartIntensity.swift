/// How many restarts a supervisor takes before it gives up: at most `limit` within any `period`.
///
/// The window slides: crashes that are spaced out never add up.
struct RestartIntensity: Sendable {
  let limit: Int
  /// Nanoseconds.
  let period: UInt64
  /// The restarts, oldest first; those before `first` have left the window.
  private var times: [UInt64] = []
  private var first = 0

  init(limit: Int, period: UInt64) {
    self.limit = limit
    self.period = period
  }

  /// Counts a restart at `time` (nanoseconds).
  ///
  /// - Returns: false if it is one too many.
  mutating func allowsRestart(at time: UInt64) -> Bool {
    while first < times.count, time > times[first], time - times[first] > period { first += 1 }
    // What has left is let go of at half the length, so that it costs little each time.
    if first > times.count / 2 {
      times.removeFirst(first)
      first = 0
    }
    times.append(time)
    return times.count - first <= limit
  }
}
