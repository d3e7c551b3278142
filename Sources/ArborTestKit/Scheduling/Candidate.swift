import ArborPrimitives
import ArborProcesses

/// Something that could happen next in a simulation.
struct Candidate {
  enum Action {
    /// A process with jobs, or one loose job.
    case run(Runnable)
    /// A timer whose deadline has come.
    case fire(TimerEntry)
  }

  let action: Action
  let subject: SimulationStep.Subject
  /// Says who goes first, under a policy that has an order; see ``ChoiceSource``.
  let rank: UInt64
}

/// Where a simulation's choices come from: its seed, and what its policy makes of it.
struct ChoiceSource {
  private enum Strategy { case queue, random, ranks }

  private let strategy: Strategy
  private var generator: SeededGenerator
  /// A rank lasts for two to the power of this many additions, on average.
  private let steadiness: UInt64
  private var additions: UInt64 = 0
  private var ranks: [SimulationStep.Subject: UInt64] = [:]

  init(seed: UInt64, policy: SimulationOptions.Policy) {
    generator = SeededGenerator(seed: seed)
    strategy =
      switch policy {
      case .queue: .queue
      case .random: .random
      case .ranks: .ranks
      case .varied: generator.next() & 1 == 0 ? .random : .ranks
      }
    // No one length is right: how many turns lie before and inside the window is not known.
    steadiness = 1 + generator.next() % 6
  }

  /// The rank of a new candidate; the lowest goes first, where ranks count.
  mutating func rank(of subject: SimulationStep.Subject) -> UInt64 {
    switch strategy {
    case .random: return 0
    case .queue:
      additions += 1
      return additions
    case .ranks:
      // Each keeps its rank for a while, so that one may be left behind for very long: what no
      // series of even choices would do.
      if let rank = ranks[subject], generator.next() >> (64 - steadiness) != 0 { return rank }
      let rank = generator.next()
      ranks[subject] = rank
      return rank
    }
  }

  /// The index of the one to go next; there is at least one.
  mutating func next(of candidates: [Candidate]) -> Int {
    guard candidates.count > 1 else { return 0 }
    if strategy == .random {
      return Int(generator.next(upperBound: UInt64(candidates.count)))
    }
    var first = 0
    for index in 1..<candidates.count where candidates[index].rank < candidates[first].rank {
      first = index
    }
    return first
  }
}
