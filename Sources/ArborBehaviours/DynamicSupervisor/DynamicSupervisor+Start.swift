public import ArborProcesses

extension DynamicSupervisor {
  /// Starts a supervisor that has no children as yet.
  ///
  /// - Parameters:
  ///   - name: what to register the supervisor as.
  ///   - node: where; the caller's node if not said.
  ///   - maxChildren: how many children there may be at once; nil, the default, is any number.
  ///   - maxRestarts: how many restarts it takes within the period.
  ///   - period: the length of the sliding window.
  ///   - extraArguments: what to pass to each child that takes something.
  /// - Throws: ``StartError``, as any server.
  ///
  /// OTP: Elixir's `DynamicSupervisor.start_link/1`, without the link.
  public static func start(
    named name: ProcessName? = nil, on node: Node? = nil, maxChildren: Int? = nil,
    maxRestarts: Int = 3, within period: Duration = .seconds(5),
    extraArguments: (any Sendable)? = nil
  ) async throws(StartError) -> ServerRef<DynamicSupervisor> {
    try await start(named: name, on: node) {
      try DynamicSupervisor(
        maxChildren: maxChildren, maxRestarts: maxRestarts, within: period,
        extraArguments: extraArguments)
    }
  }

  /// As ``start(named:on:maxChildren:maxRestarts:within:extraArguments:)``, linked to the calling
  /// process.
  ///
  /// OTP: Elixir's `DynamicSupervisor.start_link/1`.
  public static func startLink(
    named name: ProcessName? = nil, maxChildren: Int? = nil,
    maxRestarts: Int = 3, within period: Duration = .seconds(5),
    extraArguments: (any Sendable)? = nil
  ) async throws(StartError) -> ServerRef<DynamicSupervisor> {
    try await startLink(named: name) {
      try DynamicSupervisor(
        maxChildren: maxChildren, maxRestarts: maxRestarts, within: period,
        extraArguments: extraArguments)
    }
  }
}

extension ServerRef<DynamicSupervisor> {
  /// Starts a child.
  ///
  ///     let pid = try await sessions.startChild(
  ///       Child("session", restart: .temporary) { Session(user) })
  ///
  /// - Returns: its PID; nil if it did not want to start, when it is not kept.
  /// - Throws: ``SupervisorError``: what is wrong with it; `maxChildren`; `childFailed` if it did not
  ///   start, when it is not kept.
  ///
  /// OTP: Elixir's `DynamicSupervisor.start_child/2`.
  @discardableResult
  public func startChild(_ child: Child) async throws(SupervisorError) -> PID? {
    try await ask { .startChild(child, $0) }
  }

  /// Ends a child as its ``Shutdown`` says, and forgets it; a restart of it that was under way is
  /// given up.
  ///
  /// - Throws: ``SupervisorError``: `notAChild`.
  ///
  /// OTP: Elixir's `DynamicSupervisor.terminate_child/2`.
  public func terminateChild(_ pid: PID) async throws(SupervisorError) {
    try await ask { .terminateProcess(pid, $0) }
  }
}
