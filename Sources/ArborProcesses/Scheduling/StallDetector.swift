/// Which of a pool's workers are stuck in one turn, and whether all are: what a pool's monitor makes
/// of what it sees at each tick. Pure.
struct StallDetector {
  /// A worker as the monitor sees it.
  struct Sight: Equatable {
    /// Counts its turns.
    var turn: UInt
    /// Whether its slot or queue has something.
    var hasWork: Bool
    /// Whether it has no thread or sleeps.
    var isIdle: Bool
  }

  struct Verdict: Equatable {
    /// Workers whose slot and queue must be given to the others.
    var stuck: [Int] = []
    /// Whether every worker has been stuck for so long that another thread is wanted, if work waits.
    var allStuck = false
  }

  /// How long all must have been stuck before a spare worker is wanted, in nanoseconds.
  let patience: UInt64

  private struct Turn {
    var number: UInt
    var since: UInt64
  }
  private var turns: [Turn?]

  init(workers: Int, patience: UInt64) {
    self.patience = patience
    turns = Array(repeating: nil, count: workers)
  }

  /// - Parameters:
  ///   - sights: one for each worker, in the order of their numbers.
  ///   - now: in nanoseconds, of a clock that does not go back.
  mutating func tick(_ sights: [Sight], at now: UInt64) -> Verdict {
    var verdict = Verdict()
    var busy = 0
    var stuckForLong = 0
    for (worker, sight) in sights.enumerated() {
      guard !sight.isIdle else {
        turns[worker] = nil
        continue
      }
      busy += 1
      guard let turn = turns[worker], turn.number == sight.turn else {
        turns[worker] = Turn(number: sight.turn, since: now)
        continue
      }
      // Seen in the same turn a tick ago.
      if sight.hasWork { verdict.stuck.append(worker) }
      if now - turn.since >= patience { stuckForLong += 1 }
    }
    verdict.allStuck = busy > 0 && stuckForLong == busy
    return verdict
  }
}
