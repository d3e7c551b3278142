import ArborPrimitives
public import ArborProcesses

/// A supervisor of children that all do the same work, each for a part of the keys, so that no single
/// one is what everybody waits for.
///
///     let counters = try await PartitionSupervisor.start(named: "counters") { partition in
///       Child("counter") { Counter(partition) }
///     }
///     ServerRef<Counter>(named: counters.via(user)).add(1)
///
/// Which child a key leads to is looked up by the caller, at each use, without asking the supervisor; a
/// restart is invisible. The same key leads to the same child, as long as the number of partitions
/// is not changed.
///
/// OTP: Elixir's `PartitionSupervisor`.
public actor PartitionSupervisor: Supervising {
  public nonisolated let process: ProcessContext
  public nonisolated let strategyName: String
  private let supervision: Supervision
  private let routes: PartitionRoutes

  /// Starts the children; for use as a child of another supervisor. Elsewhere see ``start``.
  ///
  ///     Child("counters", named: "counters") {
  ///       try await PartitionSupervisor { partition in Child("counter") { Counter(partition) } }
  ///     }
  ///
  /// - Parameters:
  ///   - partitions: how many; as many as there are processors if not said.
  ///   - strategy: which children a failing one takes along.
  ///   - maxRestarts: how many restarts it takes within the period.
  ///   - period: the length of the sliding window.
  ///   - child: makes the child of a partition, from its number, 0 and up. Its id is that number,
  ///     whatever the closure says.
  /// - Throws: ``SupervisorError``, as ``Supervisor``, and `badPartitions`.
  public init(
    partitions: Int? = nil, strategy: Supervisor.Strategy = .oneForOne, maxRestarts: Int = 3,
    within period: Duration = .seconds(5), child: (_ partition: Int) -> Child
  ) async throws {
    process = ProcessContext()
    strategyName = "partitions, \(strategy.rawValue)"
    let count = partitions ?? SystemThread.processorCount
    if count < 1 { throw SupervisorError.badPartitions(count, 1...Int.max) }
    let routes = PartitionRoutes(count)
    self.routes = routes
    let children = (0..<count).map { partition in
      child(partition).numbered(partition) { routes.set(partition, to: $0) }
    }
    supervision = Supervision(
      try SupervisorMachine(
        children, strategy: strategy,
        intensity: RestartIntensity(maxRestarts: maxRestarts, within: period)),
      in: process, of: PartitionSupervisor.self)
    PartitionDirectory.of(process.node).add(routes, of: process.core)
    try await supervision.start()
  }

  public func handleCall(_ call: SupervisorCall) async throws {
    switch call.request {
    case .summary(let from): from.reply(supervision.summary(strategyName))
    case .resize(let count, let from): from.reply(await resize(to: count))
    default: await supervision.handle(call.request)
    }
  }

  public func handleCast(_ cast: SupervisorCast) async throws {
    try await supervision.handle(cast)
  }

  public func handleInfo(_ info: Info) async throws { try await supervision.handle(info) }

  public func terminate(_ reason: ExitReason) async { await supervision.terminate() }

  private func resize(to count: Int) async -> Result<Int, SupervisorError> {
    let before = routes.count
    guard (0...routes.limit).contains(count) else {
      return .failure(.badPartitions(count, 0...routes.limit))
    }
    // Keys are led away from a child before it is ended, and to one after it has been started.
    if count < before {
      routes.count = count
      await stop(count..<before)
    }
    for partition in before..<max(before, count) {
      switch await supervision.restartChild("\(partition)") {
      case .success, .failure(.running), .failure(.restarting): break
      case .failure(let error):
        await stop(before..<partition)
        return .failure(error)
      }
    }
    routes.count = count
    return .success(before)
  }

  private func stop(_ partitions: Range<Int>) async {
    for partition in partitions.reversed() {
      _ = await supervision.terminateChild("\(partition)")
      routes.set(partition, to: nil)
    }
  }
}

extension Child {
  /// The same child, called by its partition's number, each of whose processes is made known.
  fileprivate func numbered(
    _ partition: Int, publish: @escaping @Sendable (PID?) -> Void
  ) -> Child {
    var child = self
    child.rename("\(partition)")
    guard let start else { return child }
    child.replaceStart { (extra: (any Sendable)?) async throws(StartError) -> PID? in
      let pid = try await start(extra)
      publish(pid)
      return pid
    }
    return child
  }
}
