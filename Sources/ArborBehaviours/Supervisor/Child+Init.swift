public import ArborProcesses

// Those of servers can be inlined: where the type of the server is known its loop is made for it.
extension Child {
  /// A server.
  ///
  ///     Child("counter", named: "counter") { Counter() }
  ///     Child("workers") {
  ///       try await Supervisor(.oneForAll) { Child("worker") { Worker() } }
  ///     }
  ///
  /// - Parameters:
  ///   - id: names the child within its supervisor.
  ///   - name: what to register its server as, at each start.
  ///   - restart: when to start it again; `permanent` if not said.
  ///   - significant: whether its end counts for its supervisor's ``AutoShutdown``.
  ///   - shutdown: how to end it; after five seconds if not said, for a supervisor whenever it is
  ///     done.
  ///   - mailbox: how many messages may wait at it; without bounds if not said.
  ///   - startTimeout: how long `make` may take; nil, the default, is as long as it takes. Its
  ///     supervisor waits for it meanwhile.
  ///   - make: makes the server, anew for each start, inside the new process. If it throws
  ///     ``StartError/ignored`` the child is kept without a process; a temporary one is not kept.
  @inlinable
  public init<Server: GenServer>(
    _ id: String, named name: ProcessName? = nil, restart: Restart = .permanent,
    significant: Bool = false, shutdown: Shutdown? = nil, mailbox: MailboxLimit = .unbounded,
    startTimeout: Duration? = nil, _ make: @escaping @Sendable () async throws -> Server
  ) {
    self.init(
      id, restart: restart, significant: significant, shutdown: shutdown, type: Server.self
    ) { (_: (any Sendable)?) async throws(StartError) -> PID? in
      try await Self.start(make, name, mailbox, startTimeout)
    }
  }

  /// A server that takes what its ``DynamicSupervisor`` was given to pass to its children.
  ///
  ///     let sessions = try await DynamicSupervisor.start(extraArguments: database)
  ///     try await sessions.startChild(
  ///       Child("session", restart: .temporary, taking: Database.self) { database in
  ///         Session(user, database)
  ///       })
  ///
  /// The other parameters are as in ``init(_:named:restart:significant:shutdown:mailbox:startTimeout:_:)``.
  ///
  /// - Parameter extraType: the type of what the supervisor was given.
  ///
  /// OTP: `extra_arguments` of Elixir's `DynamicSupervisor`.
  @inlinable
  public init<Server: GenServer, Extra: Sendable>(
    _ id: String, named name: ProcessName? = nil, restart: Restart = .permanent,
    shutdown: Shutdown? = nil, mailbox: MailboxLimit = .unbounded, startTimeout: Duration? = nil,
    taking extraType: Extra.Type, _ make: @escaping @Sendable (Extra) async throws -> Server
  ) {
    self.init(
      id, restart: restart, significant: false, shutdown: shutdown, type: Server.self,
      extra: ExtraArguments(type: extraType) { $0 is Extra }
    ) { (extra: (any Sendable)?) async throws(StartError) -> PID? in
      // The supervisor has made sure of it.
      guard let extra = extra as? Extra else { throw .failed(.noproc) }
      return try await Self.start({ try await make(extra) }, name, mailbox, startTimeout)
    }
  }

  /// The process of a plain body, that ends with `normal` when the body returns, and with what it
  /// throws.
  ///
  ///     Child("ticker", restart: .transient) { while !isDone { try await tick() } }
  ///
  /// A body counts as started at once. It does not trap exits, so it ends with `shutdown` when its
  /// supervisor asks it to: its task is cancelled, and what it waits for ends.
  ///
  /// The parameters are as in ``init(_:named:restart:significant:shutdown:mailbox:startTimeout:_:)``.
  ///
  /// OTP: `Task` of Elixir as a child.
  public init(
    _ id: String, named name: ProcessName? = nil, restart: Restart = .permanent,
    significant: Bool = false, shutdown: Shutdown? = nil,
    _ body: @escaping @Sendable () async throws -> Void
  ) {
    self.init(
      id, named: name, restart: restart, significant: significant, shutdown: shutdown
    ) { (_: ProcessContext) in try await body() }
  }

  /// The process of a body that wants to know its context, to receive and to monitor.
  ///
  ///     Child("printer", named: "printer") { context in
  ///       while true { print(try await context.receive(String.self)) }
  ///     }
  public init(
    _ id: String, named name: ProcessName? = nil, restart: Restart = .permanent,
    significant: Bool = false, shutdown: Shutdown? = nil,
    _ body: @escaping @Sendable (ProcessContext) async throws -> Void
  ) {
    self.init(
      id, restart: restart, significant: significant, shutdown: shutdown
    ) { (parent: ProcessContext) throws(StartError) in
      try parent.startChild(named: name, as: id, body)
    }
  }

  /// Whatever a closure starts: it returns the PID of a process that it has linked to the calling
  /// one, the supervisor's, or nil if there is none.
  package init(
    _ id: String, restart: Restart = .permanent, significant: Bool = false,
    shutdown: Shutdown? = nil, type: (any GenServer.Type)? = nil,
    starting start:
      @escaping @Sendable (_ supervisor: ProcessContext) async throws(StartError)
      -> PID?
  ) {
    self.init(
      id, restart: restart, significant: significant, shutdown: shutdown, type: type
    ) { (_: (any Sendable)?) async throws(StartError) -> PID? in
      guard let supervisor = ProcessCore.current else { throw .notInProcess }
      return try await start(ProcessContext(supervisor))
    }
  }

  @inlinable
  static func start<Server: GenServer>(
    _ make: @escaping @Sendable () async throws -> Server, _ name: ProcessName?,
    _ mailbox: MailboxLimit, _ timeout: Duration?
  ) async throws(StartError) -> PID? {
    do {
      return try await Server.startLink(named: name, mailbox: mailbox, timeout: timeout, make).pid
    } catch {
      if error == .ignored { return nil }
      throw error
    }
  }
}

extension ProcessContext {
  /// Starts a linked process that has its name before it runs.
  fileprivate func startChild(
    named name: ProcessName?, as initialCall: String,
    _ body: @escaping @Sendable (ProcessContext) async throws -> Void
  ) throws(StartError) -> PID {
    let child = ProcessCore(linkedTo: core, as: initialCall)
    if let name {
      do {
        try node.register(name, for: child.pid)
      } catch {
        child.finish(.killed)
        if case .taken(_, let holder) = error { throw .alreadyStarted(holder) }
        throw .failed(.error(error))
      }
    }
    child.launchBody(under: nil, body)
    return child.pid
  }
}
