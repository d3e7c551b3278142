/// How a simulation is run.
///
///     try simulate(seed: 7, options: .init(policy: .queue, stepLimit: 10_000)) { … }
public struct SimulationOptions: Sendable {
  /// How the next one to run is picked.
  public enum Policy: Sendable {
    /// ``random`` or ``ranks``, as the seed says: together they find more than either.
    case varied
    /// Each time any of those that can run, all alike.
    case random
    /// Everybody has a rank, changed now and then; the first in rank runs. So somebody may be left
    /// behind for long while others run on.
    case ranks
    /// Whoever has waited longest, whatever the seed: the order that a quiet machine mostly has.
    case queue
  }

  public var policy: Policy
  /// The number of turns after which the simulation ends with ``SimulationError/tooManySteps(_:)``.
  public var stepLimit: Int
  /// How long, in real time, to wait for a thread outside before nothing to run is a deadlock.
  public var patience: Duration
  /// Whether to let everything that can run come to rest after the body has returned, before its
  /// processes are ended.
  public var settles: Bool

  public init(
    policy: Policy = .varied, stepLimit: Int = 1_000_000, patience: Duration = .milliseconds(100),
    settles: Bool = false
  ) {
    self.policy = policy
    self.stepLimit = stepLimit
    self.patience = patience
    self.settles = settles
  }
}
