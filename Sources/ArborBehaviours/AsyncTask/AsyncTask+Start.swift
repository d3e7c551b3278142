public import ArborProcesses

extension AsyncTask {
  /// Starts a task that is linked to the calling process, its owner.
  ///
  ///     let answer = try AsyncTask.async { 6 * 7 }
  ///     print(try await answer.await())              // 42
  ///
  /// - Parameter body: computes the value, in a process of its own.
  /// - Throws: ``TaskError``: `notInProcess`; `cancelled` if the calling process is exiting.
  ///
  /// OTP: Elixir's `Task.async/1`.
  public static func async(
    _ body: @escaping @Sendable () async throws -> Value
  ) throws(TaskError) -> AsyncTask {
    let owner = try TaskOwner.current()
    return AsyncTask(
      launching: owner.newTask(linked: true), under: Ambient.current?.envelope?.cursor, for: owner,
      body)
  }

  /// Starts a task whose failure is its owner's to hear of and not to share; nor does it end with its
  /// owner.
  ///
  ///     let guess = try AsyncTask.asyncNoLink { try await ask("a flaky service") }
  ///     switch try await guess.yield(timeout: .seconds(1)) {
  ///     case .success(let answer): …
  ///     case .failure(let reason): …
  ///     case nil: try await guess.shutdown()
  ///     }
  ///
  /// Better under a supervisor, which ends it when the tree ends: ``TaskSupervisor``.
  ///
  /// - Throws: as ``async(_:)``.
  ///
  /// OTP: Elixir's `Task.Supervisor.async_nolink/2`, without a supervisor.
  public static func asyncNoLink(
    _ body: @escaping @Sendable () async throws -> Value
  ) throws(TaskError) -> AsyncTask {
    let owner = try TaskOwner.current()
    return AsyncTask(
      launching: owner.newTask(linked: false), under: Ambient.current?.envelope?.cursor, for: owner,
      body)
  }

  /// A task that is done already, for a place where one is asked for and the value is at hand. It can
  /// be awaited any number of times.
  ///
  /// - Throws: as ``async(_:)``.
  ///
  /// OTP: Elixir's `Task.completed/1`.
  public static func completed(_ value: Value) throws(TaskError) -> AsyncTask {
    AsyncTask(completed: value, for: try TaskOwner.current())
  }
}

extension AsyncTask where Value == Void {
  /// Starts a task that nobody waits for and that is linked to nobody, for its effect.
  ///
  /// It can be started outside any process too.
  ///
  /// - Parameter node: where; the caller's node if not said.
  /// - Returns: its process.
  ///
  /// OTP: Elixir's `Task.start/1`.
  @discardableResult
  public static func start(
    on node: Node? = nil, _ body: @escaping @Sendable () async throws -> Void
  ) -> PID {
    let parent = ProcessCore.current
    let core = ProcessCore(
      node: node ?? parent?.node ?? .shared, parent: parent?.pid,
      callers: parent?.callersForTask ?? [])
    core.launch(under: Ambient.current?.envelope?.cursor) { _ in try await body() }
    return core.pid
  }

  /// Starts a task that nobody waits for, linked to the calling process.
  ///
  ///     Child("warm up", restart: .temporary) { … }     // the same under a supervisor
  ///
  /// - Throws: ``TaskError``: `notInProcess`; `cancelled` if the calling process is exiting.
  ///
  /// OTP: Elixir's `Task.start_link/1`.
  @discardableResult
  public static func startLink(
    _ body: @escaping @Sendable () async throws -> Void
  ) throws(TaskError) -> PID {
    let core = try TaskOwner.current().newTask(linked: true)
    core.launch(under: Ambient.current?.envelope?.cursor) { _ in try await body() }
    return core.pid
  }
}

/// Who starts tasks.
enum TaskOwner {
  static func current() throws(TaskError) -> ProcessCore {
    guard let owner = ProcessCore.current else { throw .notInProcess }
    if owner.isFenced { throw .cancelled }
    return owner
  }
}

extension ProcessCore {
  /// A process for a task of this one's, to be launched.
  func newTask(linked: Bool) -> ProcessCore {
    if linked { return ProcessCore(linkedTo: self, callers: callersForTask) }
    return ProcessCore(node: node, parent: pid, callers: callersForTask)
  }
}

extension AsyncTask {
  /// Runs `body` for each element of a sequence, each in a task of its own.
  ///
  ///     let squares = AsyncTask.stream(1...4) { $0 * $0 }
  ///     for try await square in squares { print(try square.get()) }      // 1, 4, 9, 16
  ///
  /// The tasks are linked to the process that iterates: if one fails it does too, unless it traps exits,
  /// when the failure is one of the results. Outside any process, failures always are.
  ///
  /// - Parameters:
  ///   - elements: taken one after the other, as tasks become free.
  ///   - maxConcurrency: how many tasks run at a time; as many as there are processors if not said.
  ///   - ordered: whether the results come in the order of the elements. If not, they come in the order
  ///     in which the tasks end, so that a slow one keeps nobody waiting.
  ///   - timeout: how long one task may take, five seconds if not said; nil is as long as it takes.
  ///   - onTimeout: what happens then; the stream ends if not said.
  /// - Returns: the results. Arguments that make no sense are ``TaskError/badarg`` at its first element.
  ///
  /// OTP: Elixir's `Task.async_stream/3`.
  public static func stream<Elements: Sequence, Output: Sendable>(
    _ elements: Elements, maxConcurrency: Int? = nil, ordered: Bool = true,
    timeout: Duration? = .seconds(5), onTimeout: StreamTimeout = .endStream,
    _ body: @escaping @Sendable (Elements.Element) async throws -> Output
  ) -> TaskStream<Elements, Output> where Value == Void {
    TaskStream(
      base: elements,
      options: TaskStreamOptions(
        maxConcurrency: maxConcurrency, isOrdered: ordered, timeout: timeout, onTimeout: onTimeout),
      home: TaskHome(isLinked: true, supervisor: nil), body: body)
  }
}
