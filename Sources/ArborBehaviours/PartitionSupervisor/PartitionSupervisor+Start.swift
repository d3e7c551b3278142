public import ArborProcesses

extension PartitionSupervisor {
  /// Starts a supervisor and its partitions.
  ///
  /// - Parameters:
  ///   - name: what to register the supervisor as.
  ///   - node: where; the caller's node if not said.
  ///   - partitions: how many; as many as there are processors if not said.
  ///   - strategy: which children a failing one takes along.
  ///   - maxRestarts: how many restarts it takes within the period.
  ///   - period: the length of the sliding window.
  ///   - child: makes the child of a partition, from its number, 0 and up.
  /// - Throws: ``StartError``, as any server.
  ///
  /// OTP: Elixir's `PartitionSupervisor.start_link/1`, without the link.
  public static func start(
    named name: ProcessName? = nil, on node: Node? = nil, partitions: Int? = nil,
    strategy: Supervisor.Strategy = .oneForOne, maxRestarts: Int = 3,
    within period: Duration = .seconds(5),
    child: @escaping @Sendable (_ partition: Int) -> Child
  ) async throws(StartError) -> ServerRef<PartitionSupervisor> {
    try await start(named: name, on: node) {
      try await PartitionSupervisor(
        partitions: partitions, strategy: strategy, maxRestarts: maxRestarts, within: period,
        child: child)
    }
  }

  /// As ``start(named:on:partitions:strategy:maxRestarts:within:child:)``, linked to the calling
  /// process.
  ///
  /// OTP: Elixir's `PartitionSupervisor.start_link/1`.
  public static func startLink(
    named name: ProcessName? = nil, partitions: Int? = nil,
    strategy: Supervisor.Strategy = .oneForOne, maxRestarts: Int = 3,
    within period: Duration = .seconds(5),
    child: @escaping @Sendable (_ partition: Int) -> Child
  ) async throws(StartError) -> ServerRef<PartitionSupervisor> {
    try await startLink(named: name) {
      try await PartitionSupervisor(
        partitions: partitions, strategy: strategy, maxRestarts: maxRestarts, within: period,
        child: child)
    }
  }
}

extension ServerRef<PartitionSupervisor> {
  /// How many partitions keys are spread over; nil if the supervisor does not run. Not a message.
  ///
  /// OTP: Elixir's `PartitionSupervisor.partitions/1`.
  public var partitions: Int? { routes?.count }

  /// The process that a key leads to now; nil if the supervisor does not run or has no partitions. Not
  /// a message.
  ///
  /// A number leads to the partition that is left of it by division, so 0, 1, and so on name the
  /// partitions themselves.
  public func pid(for key: some Hashable) -> PID? { routes?.pid(for: key) }

  /// Changes the number of partitions, by ending those of the highest numbers or starting them again.
  /// Keys then lead elsewhere, so it is for servers that keep nothing by key.
  ///
  /// - Parameter count: from 0 to the number that the supervisor was started with.
  /// - Returns: how many there were.
  /// - Throws: ``SupervisorError``: `badPartitions`; `childFailed` if one did not start, when all is
  ///   as before.
  ///
  /// OTP: Elixir's `PartitionSupervisor.resize!/2`.
  @discardableResult
  public func resize(to count: Int) async throws(SupervisorError) -> Int {
    try await ask { .resize(count, $0) }
  }

  var routes: PartitionRoutes? {
    pid.flatMap { PartitionDirectory.of($0.node).routes(of: $0) }
  }
}
