import ArborPrimitives
public import ArborProcesses

/// A supervisor of tasks: they end with it, and it tells how many there are and may be.
///
///     Child("tasks", named: "tasks") { try TaskSupervisor(maxChildren: 100) }
///
///     let tasks = ServerRef<TaskSupervisor>(named: "tasks")
///     let answer = try await tasks.asyncNoLink { try await ask("a flaky service") }
///
/// It is a ``DynamicSupervisor``, with all that those can.
///
/// It is no `AsyncTask.Supervisor`, as Swift looks for a `Value` before it looks into `AsyncTask`, and
/// finds none: a type that lives in a generic one is found there in a signature, but not in
/// `ServerRef<AsyncTask.Supervisor>(named: "tasks")`.
///
/// OTP: Elixir's `Task.Supervisor`.
public typealias TaskSupervisor = DynamicSupervisor

extension ServerRef<DynamicSupervisor> {
  /// Starts a task under this supervisor, linked to it and to the calling process, its owner.
  ///
  /// - Parameters:
  ///   - shutdown: how the supervisor ends it; after five seconds if not said.
  ///   - body: computes the value, in a process of its own.
  /// - Throws: ``TaskError``: `maxChildren` if there are as many as there may be, `notStarted` if the
  ///   supervisor does not answer, `notInProcess`, `cancelled`.
  ///
  /// OTP: Elixir's `Task.Supervisor.async/3`.
  public func async<Value: Sendable>(
    shutdown: Shutdown = .timeout(.seconds(5)), _ body: @escaping @Sendable () async throws -> Value
  ) async throws(TaskError) -> AsyncTask<Value> {
    try await startTask(linked: true, shutdown, body)
  }

  /// Starts a task under this supervisor, linked to it alone: the calling process, its owner, can await it
  /// and hears of its failure without sharing it.
  ///
  /// Parameters and errors as in ``async(shutdown:_:)``.
  ///
  /// OTP: Elixir's `Task.Supervisor.async_nolink/3`.
  public func asyncNoLink<Value: Sendable>(
    shutdown: Shutdown = .timeout(.seconds(5)), _ body: @escaping @Sendable () async throws -> Value
  ) async throws(TaskError) -> AsyncTask<Value> {
    try await startTask(linked: false, shutdown, body)
  }

  /// Starts a task under this supervisor that nobody waits for. Code outside any process may do so too.
  ///
  /// - Parameters:
  ///   - restart: when the supervisor starts it again; never if not said.
  ///   - shutdown: how the supervisor ends it; after five seconds if not said.
  ///   - body: what it does, in a process of its own.
  /// - Returns: its process.
  /// - Throws: ``TaskError``: `maxChildren`, `notStarted`; `cancelled` if the calling process is exiting.
  ///
  /// OTP: Elixir's `Task.Supervisor.start_child/3`.
  @discardableResult
  public func startChild(
    restart: Restart = .temporary, shutdown: Shutdown = .timeout(.seconds(5)),
    _ body: @escaping @Sendable () async throws -> Void
  ) async throws(TaskError) -> PID {
    let caller = ProcessCore.current
    if caller?.isFenced == true { throw .cancelled }
    let callers = caller?.callersForTask ?? []
    let cursor = Ambient.current?.envelope?.cursor
    return try await startTask(restart: restart, shutdown, callers: callers) { core in
      core.launch(under: cursor) { _ in try await body() }
    }
  }

  /// Runs `body` for each element of a sequence, each in a task under this supervisor.
  ///
  /// As ``AsyncTask/stream(_:maxConcurrency:ordered:timeout:onTimeout:_:)``. `maxConcurrency` must not be
  /// more than the supervisor has room for: one task too many ends the stream with
  /// ``TaskError/maxChildren``.
  ///
  /// - Parameter shutdown: how the supervisor ends a task; after five seconds if not said.
  ///
  /// OTP: Elixir's `Task.Supervisor.async_stream/4`.
  public func stream<Elements: Sequence, Output: Sendable>(
    _ elements: Elements, maxConcurrency: Int? = nil, ordered: Bool = true,
    timeout: Duration? = .seconds(5), onTimeout: StreamTimeout = .endStream,
    shutdown: Shutdown = .timeout(.seconds(5)),
    _ body: @escaping @Sendable (Elements.Element) async throws -> Output
  ) -> TaskStream<Elements, Output> {
    TaskStream(
      base: elements,
      options: TaskStreamOptions(
        maxConcurrency: maxConcurrency, isOrdered: ordered, timeout: timeout, onTimeout: onTimeout),
      home: taskHome(linked: true, shutdown), body: body)
  }

  /// As ``stream(_:maxConcurrency:ordered:timeout:onTimeout:shutdown:_:)``, with tasks that are linked to
  /// the supervisor alone: their failures are results, whoever iterates.
  ///
  /// OTP: Elixir's `Task.Supervisor.async_stream_nolink/4`.
  public func streamNoLink<Elements: Sequence, Output: Sendable>(
    _ elements: Elements, maxConcurrency: Int? = nil, ordered: Bool = true,
    timeout: Duration? = .seconds(5), onTimeout: StreamTimeout = .endStream,
    shutdown: Shutdown = .timeout(.seconds(5)),
    _ body: @escaping @Sendable (Elements.Element) async throws -> Output
  ) -> TaskStream<Elements, Output> {
    TaskStream(
      base: elements,
      options: TaskStreamOptions(
        maxConcurrency: maxConcurrency, isOrdered: ordered, timeout: timeout, onTimeout: onTimeout),
      home: taskHome(linked: false, shutdown), body: body)
  }
}

extension ServerRef<DynamicSupervisor> {
  private func startTask<Value: Sendable>(
    linked: Bool, _ shutdown: Shutdown, _ body: @escaping @Sendable () async throws -> Value
  ) async throws(TaskError) -> AsyncTask<Value> {
    let owner = try TaskOwner.current()
    let cursor = Ambient.current?.envelope?.cursor
    let task = Box<AsyncTask<Value>>()
    try await startTask(shutdown, callers: owner.callersForTask) { core in
      // An owner that has ended has no use for it. If it ends from here on, its link ends the task, or
      // its monitor's message goes nowhere.
      if owner.isFenced { return core.finish(.killed) }
      if linked { try? ProcessContext(owner).link(core.pid) }
      task.value.withLock { $0 = AsyncTask(launching: core, under: cursor, for: owner, body) }
    }
    guard let task = task.value.withLock({ $0 }) else { throw .cancelled }
    return task
  }

  /// Has the supervisor start a process, which `launch` sets going.
  @discardableResult
  private func startTask(
    restart: Restart = .temporary, _ shutdown: Shutdown, callers: [PID],
    _ launch: @escaping @Sendable (ProcessCore) -> Void
  ) async throws(TaskError) -> PID {
    let start = { @Sendable (supervisor: ProcessContext) async throws(StartError) -> PID? in
      let core = ProcessCore(linkedTo: supervisor.core, callers: callers)
      launch(core)
      return core.pid
    }
    let child = Child("task", restart: restart, shutdown: shutdown, starting: start)
    do throws(SupervisorError) {
      guard let pid = try await startChild(child) else { throw .noAnswer(.noproc) }
      return pid
    } catch {
      switch error {
      case .maxChildren: throw .maxChildren
      case .noAnswer(.cancelled): throw .cancelled
      default: throw .notStarted(error)
      }
    }
  }

  private func taskHome(linked: Bool, _ shutdown: Shutdown) -> TaskHome {
    TaskHome(isLinked: linked) { [self] owner, isLinked, prepare throws(TaskError) in
      try await startTask(shutdown, callers: owner?.callersForTask ?? []) { core in
        if isLinked, let owner { try? ProcessContext(owner).link(core.pid) }
        prepare(core)
      }
    }
  }
}

/// What one process hands to another beside a reply.
private final class Box<Value: Sendable>: Sendable {
  let value = Lock<Value?>(nil)
}
