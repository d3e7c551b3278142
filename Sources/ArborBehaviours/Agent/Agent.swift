public import ArborProcesses

/// A server that only keeps a state, which functions read and change one after the other.
///
///     let counter = try await Agent.start { 0 }
///     try await counter.update { $0 += 1 }
///     print(try await counter.get { $0 })          // 1
///
/// Started or found by name, an agent is a ``ServerRef``, and it can be a child as any server can:
///
///     Child("hits", named: "hits") { Agent([String: Int]()) }
///
///     let hits = ServerRef<Agent<[String: Int]>>(named: "hits")
///
/// The functions run in the agent: while one runs, all others wait. What takes long is better done by
/// the caller, with what `get` has returned. A function that throws ends the agent, with that error as
/// the reason.
///
/// The state need not be `Sendable`: it never leaves the agent, only what the functions return does.
///
/// OTP: Elixir's `Agent`.
public actor Agent<State>: GenServer {
  /// A function on its way to the agent.
  public struct Request: Sendable {
    let run: @Sendable (inout State) throws -> Void
  }

  public typealias Call = Request
  public typealias Cast = Request

  public nonisolated let process = ProcessContext()
  private var state: State

  /// An agent with its first state; for use as a child. Elsewhere see
  /// ``start(named:on:timeout:_:)-(_,_,_,()->State)``.
  public init(_ state: sending State) { self.state = state }

  public func handleCall(_ request: Request) throws { try request.run(&state) }
  public func handleCast(_ request: Request) throws { try request.run(&state) }
}

extension Agent {
  /// Starts an agent, and waits until it has its first state.
  ///
  /// - Parameters:
  ///   - name: the name to register it under, on its node.
  ///   - node: where; the caller's node if not said.
  ///   - timeout: how long `initial` may take; nil, the default, is as long as it takes.
  ///   - initial: makes the first state, inside the agent; what it throws fails the start.
  /// - Throws: ``StartError``.
  ///
  /// OTP: Elixir's `Agent.start/2`.
  public static func start(
    named name: ProcessName? = nil, on node: Node? = nil, timeout: Duration? = nil,
    _ initial: @escaping @Sendable () async throws -> sending State
  ) async throws(StartError) -> ServerRef<Agent> {
    try await start(named: name, on: node, timeout: timeout) { Agent(try await initial()) }
  }

  /// As ``start(named:on:timeout:_:)-(_,_,_,()->State)``, linked to the calling process.
  ///
  /// OTP: Elixir's `Agent.start_link/2`.
  public static func startLink(
    named name: ProcessName? = nil, timeout: Duration? = nil,
    _ initial: @escaping @Sendable () async throws -> sending State
  ) async throws(StartError) -> ServerRef<Agent> {
    try await startLink(named: name, timeout: timeout) { Agent(try await initial()) }
  }
}

extension ServerRef {
  /// Reads an agent's state.
  ///
  /// - Parameters:
  ///   - timeout: how long to wait, five seconds if not said; nil waits without end.
  ///   - body: runs in the agent; what it returns is the answer.
  /// - Throws: ``CallError``, as ``call(timeout:_:)``: `exit` with its error if `body` throws, which ends
  ///   the agent.
  ///
  /// OTP: Elixir's `Agent.get/3`.
  public func get<State, Answer: Sendable>(
    timeout: Duration? = .seconds(5), _ body: @escaping @Sendable (State) throws -> Answer
  ) async throws(CallError) -> Answer where Server == Agent<State> {
    try await getAndUpdate(timeout: timeout) { try body($0) }
  }

  /// Changes an agent's state, and waits until that is done.
  ///
  ///     try await hits.update { $0["/", default: 0] += 1 }
  ///
  /// Parameters and errors as in ``get(timeout:_:)``.
  ///
  /// OTP: Elixir's `Agent.update/3`.
  public func update<State>(
    timeout: Duration? = .seconds(5), _ body: @escaping @Sendable (inout State) throws -> Void
  ) async throws(CallError) where Server == Agent<State> {
    try await getAndUpdate(timeout: timeout, body)
  }

  /// Changes an agent's state, and returns something of it.
  ///
  ///     let next = try await queue.getAndUpdate { $0.popFirst() }
  ///
  /// Parameters and errors as in ``get(timeout:_:)``.
  ///
  /// OTP: Elixir's `Agent.get_and_update/3`.
  public func getAndUpdate<State, Answer: Sendable>(
    timeout: Duration? = .seconds(5), _ body: @escaping @Sendable (inout State) throws -> Answer
  ) async throws(CallError) -> Answer where Server == Agent<State> {
    try await call(timeout: timeout) { from in
      Agent.Request { state in from.reply(try body(&state)) }
    }
  }

  /// Changes an agent's state, and goes on. To no agent, it vanishes.
  ///
  /// OTP: Elixir's `Agent.cast/2`.
  public func cast<State>(
    _ body: @escaping @Sendable (inout State) throws -> Void
  ) where Server == Agent<State> {
    cast(Agent.Request(run: body))
  }
}
