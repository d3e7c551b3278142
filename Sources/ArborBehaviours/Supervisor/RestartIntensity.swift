/// How many restarts a supervisor takes before it gives up: at most `limit` within any `period`.
///
/// The window slides: crashes that are spaced out never add up.
struct RestartIntensity: Sendable {
  let limit: Int
  /// Nanoseconds.
  let period: UInt64
  private var times: [UInt64] = []

  init(limit: Int, period: UInt64) {
    self.limit = limit
    self.period = period
  }

  /// Counts a restart at `time` (nanoseconds).
  ///
  /// - Returns: false if it is one too many.
  mutating func allowsRestart(at time: UInt64) -> Bool {
    times.removeAll { time - min($0, time) > period }
    times.append(time)
    return times.count <= limit
  }
}
