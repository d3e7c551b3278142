public import ArborProcesses

/// A process that starts others, and starts them again when they fail.
///
///     let tree = try await Supervisor.start(.oneForOne, maxRestarts: 3, within: .seconds(5)) {
///       Child("counter", named: "counter") { Counter() }
///       Child("worker", restart: .transient) { Worker() }
///     }
///     try await tree.stop(.shutdown)
///
/// Children start in the order in which they are written and stop in the reverse order. One that
/// ends is started again if its ``Restart`` says so, along with those that the ``Strategy`` takes. A
/// start that fails then counts as a restart, and is tried again after what waits in the mailbox. More
/// than `maxRestarts` restarts within the period end the supervisor, with `shutdown`, after its
/// children; who supervises it then decides.
///
/// A supervisor is a server like any other: it can be a child, and ends as servers end. It traps
/// exits, so one that was started without a link ends by `stop`, or by a `kill`.
///
/// OTP: `supervisor`.
public actor Supervisor: Supervising {
  /// Which children a failing one takes along. They are stopped, the last first, and started
  /// again, the first first.
  ///
  /// OTP: the restart strategy.
  public enum Strategy: String, Sendable {
    /// None.
    case oneForOne
    /// All the others.
    case oneForAll
    /// Those that were started after it.
    case restForOne
  }

  public nonisolated let process: ProcessContext
  public nonisolated let strategyName: String
  private let supervision: Supervision

  /// Starts the children; for use as a child of another supervisor. Elsewhere see ``start``.
  ///
  ///     Child("workers") {
  ///       try await Supervisor(.oneForOne) { Child("worker") { Worker() } }
  ///     }
  ///
  /// - Parameters:
  ///   - strategy: which children a failing one takes along.
  ///   - maxRestarts: how many restarts it takes within the period.
  ///   - period: the length of the sliding window.
  ///   - autoShutdown: whether it ends with its significant children.
  ///   - children: what to start, in this order.
  /// - Throws: ``SupervisorError``: for specifications that make no sense, before anything starts;
  ///   `childFailed` for a child that did not start.
  public init(
    _ strategy: Strategy, maxRestarts: Int = 3, within period: Duration = .seconds(5),
    autoShutdown: AutoShutdown = .never, @ChildBuilder children: () -> [Child]
  ) async throws {
    process = ProcessContext()
    strategyName = strategy.rawValue
    supervision = Supervision(
      try SupervisorMachine(
        children(), strategy: strategy, autoShutdown: autoShutdown,
        intensity: RestartIntensity(maxRestarts: maxRestarts, within: period)),
      in: process, of: Supervisor.self)
    try await supervision.start()
  }

  public func handleCall(_ call: SupervisorCall) async throws {
    if case .summary(let from) = call.request {
      from.reply(supervision.summary(strategyName))
    } else {
      await supervision.handle(call.request)
    }
  }

  public func handleCast(_ cast: SupervisorCast) async throws {
    try await supervision.handle(cast)
  }

  public func handleInfo(_ info: Info) async throws { try await supervision.handle(info) }

  public func terminate(_ reason: ExitReason) async { await supervision.terminate() }
}
