public import ArborProcesses

/// Why a simulation did not come to its end.
public enum SimulationError: Error, Sendable {
  /// The body has not returned, nothing can run and no timer is set: which processes wait, and for
  /// what. The body's own is among them.
  case deadlock([Waiting])
  /// The body has not returned after that many turns: something goes round in circles.
  case tooManySteps(Int)

  /// Somebody who cannot go on.
  public struct Waiting: Sendable, Hashable, CustomStringConvertible {
    /// The process that waits.
    public let pid: PID
    /// The names it is registered under.
    public let names: [ProcessName]
    /// What it waits for: "a message", "an answer from #PID<3>".
    public let what: String

    public var description: String {
      let names = names.isEmpty ? "" : " (\(names.map(\.text).joined(separator: ", ")))"
      return "\(pid)\(names) waits for \(what)"
    }
  }
}

extension SimulationError: CustomStringConvertible {
  public var description: String {
    switch self {
    case .deadlock(let waiting):
      """
      deadlock: nothing can run, no timer is set, and the body has not returned
      \(waiting.map { "  \($0)\n" }.joined())\
      What is to come from another thread or the main actor is not seen here: it had \
      SimulationOptions.patience to come.
      """
    case .tooManySteps(let limit):
      """
      the body has not returned after \(limit) turns: something goes round in circles, such as a \
      loop around Task.yield() that waits for a timer (time passes only when nothing can run)
      """
    }
  }
}

/// The first seed of several that fails, and how to repeat it.
public struct SimulationFailure: Error, Sendable {
  public let seed: UInt64
  /// What the body threw, or a ``SimulationError``.
  public let error: any Error
  /// The choices that led there.
  public let trace: [SimulationStep]
  /// True if a second run of the seed made the same choices and failed again. If it did not, the
  /// body depends on something outside the simulation: real time, the order of a `Dictionary`,
  /// state that it left behind in the first run.
  public let repeats: Bool
}

extension SimulationFailure: CustomStringConvertible {
  public var description: String {
    """
    seed \(seed) fails after \(trace.count) turns: \(error)
    \(repeats
      ? "A second run of the seed failed in the same way."
      : """
      A second run of the seed went another way: the body depends on something outside the \
      simulation, such as real time, a Dictionary's order, or state left by the first run.
      """)
    Repeat it with simulate(seed: \(seed)), or with ARBOR_SEED=\(seed) in the environment.
    """
  }
}
