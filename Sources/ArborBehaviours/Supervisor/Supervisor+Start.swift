public import ArborProcesses

extension Supervisor {
  /// Starts a supervisor and its children.
  ///
  /// - Parameters:
  ///   - strategy: which children a failing one takes along.
  ///   - name: what to register the supervisor as.
  ///   - node: where; the caller's node if not said.
  ///   - maxRestarts: how many restarts it takes within the period.
  ///   - period: the length of the sliding window.
  ///   - autoShutdown: whether it ends with its significant children.
  ///   - children: what to start, in this order.
  /// - Throws: ``StartError``, as any server; the reason of a tree that cannot start is a
  ///   ``SupervisorError`` that names the child.
  ///
  /// OTP: `supervisor:start_link/2,3`, without the link.
  public static func start(
    _ strategy: Strategy, named name: ProcessName? = nil, on node: Node? = nil,
    maxRestarts: Int = 3, within period: Duration = .seconds(5),
    autoShutdown: AutoShutdown = .never,
    @ChildBuilder children: @escaping @Sendable () -> [Child]
  ) async throws(StartError) -> ServerRef<Supervisor> {
    try await start(named: name, on: node) {
      try await Supervisor(
        strategy, maxRestarts: maxRestarts, within: period, autoShutdown: autoShutdown,
        children: children)
    }
  }

  /// As ``start(_:named:on:maxRestarts:within:autoShutdown:children:)``, linked to the calling
  /// process.
  ///
  /// OTP: `supervisor:start_link/2,3`.
  public static func startLink(
    _ strategy: Strategy, named name: ProcessName? = nil,
    maxRestarts: Int = 3, within period: Duration = .seconds(5),
    autoShutdown: AutoShutdown = .never,
    @ChildBuilder children: @escaping @Sendable () -> [Child]
  ) async throws(StartError) -> ServerRef<Supervisor> {
    try await startLink(named: name) {
      try await Supervisor(
        strategy, maxRestarts: maxRestarts, within: period, autoShutdown: autoShutdown,
        children: children)
    }
  }
}

// A supervisor answers when it is done: after a child's start, and after its end. Each of these
// waits for it without a timeout, as in OTP.
extension ServerRef<Supervisor> {
  /// Starts one more child, the last of all.
  ///
  ///     try await tree.startChild(Child("worker 5") { Worker() })
  ///
  /// - Returns: its PID; nil if it did not want to start.
  /// - Throws: ``SupervisorError``: what is wrong with it; `alreadyStarted` or `alreadyPresent` if
  ///   there is one of that id; `childFailed` if it did not start, when it is not kept.
  ///
  /// OTP: `supervisor:start_child/2`.
  @discardableResult
  public func startChild(_ child: Child) async throws(SupervisorError) -> PID? {
    try await ask { .startChild(child, $0) }
  }

  /// Ends a child as its ``Shutdown`` says. It is kept, without a process, unless it is temporary;
  /// a restart of it that was under way is given up.
  ///
  /// - Throws: ``SupervisorError``: `notFound`.
  ///
  /// OTP: `supervisor:terminate_child/2`.
  public func terminateChild(_ id: String) async throws(SupervisorError) {
    try await ask { .terminateChild(id: id, $0) }
  }

  /// Starts a child again that has no process.
  ///
  /// - Returns: its PID; nil if it did not want to start.
  /// - Throws: ``SupervisorError``: `notFound`, `running`, `restarting`; `childFailed` if it did not
  ///   start, when it stays as it was.
  ///
  /// OTP: `supervisor:restart_child/2`.
  @discardableResult
  public func restartChild(_ id: String) async throws(SupervisorError) -> PID? {
    try await ask { .restartChild(id: id, $0) }
  }

  /// Forgets a child that has no process.
  ///
  /// - Throws: ``SupervisorError``: `notFound`, `running`, `restarting`.
  ///
  /// OTP: `supervisor:delete_child/2`.
  public func deleteChild(_ id: String) async throws(SupervisorError) {
    try await ask { .deleteChild(id: id, $0) }
  }

  /// What the supervisor was told of a child.
  ///
  /// - Throws: ``SupervisorError``: `notFound`.
  ///
  /// OTP: `supervisor:get_childspec/2`.
  public func childSpec(_ id: String) async throws(SupervisorError) -> Child {
    try await ask { .childSpec(id: id, $0) }
  }
}
