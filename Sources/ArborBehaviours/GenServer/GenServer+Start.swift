public import ArborPrimitives
public import ArborProcesses

extension GenServer {
  /// Starts a server, in a process of its own, and waits until it is ready.
  ///
  ///     let counter = try await Counter.start(named: "counter") { Counter() }
  ///
  /// - Parameters:
  ///   - name: the name to register it under, on its node.
  ///   - node: where; the caller's node if not said.
  ///   - mailbox: how many messages may wait; without bounds if not said.
  ///   - timeout: how long `make` may take; nil, the default, is as long as it takes. A server that is
  ///     not ready by then is killed.
  ///   - hibernateAfter: how long it waits for a message before it hibernates by itself; nil, the
  ///     default, is never.
  ///   - make: makes the server. It runs inside the new process; what it throws fails the start.
  /// - Returns: a reference to it; never the actor itself, whose methods would bypass the mailbox.
  /// - Throws: ``StartError``; `badarg` if a timeout is negative.
  ///
  /// OTP: `gen_server:start/3,4`.
  @inlinable
  public static func start(
    named name: ProcessName? = nil, on node: Node? = nil, mailbox: MailboxLimit = .unbounded,
    timeout: Duration? = nil, hibernateAfter: Duration? = nil,
    _ make: @escaping @Sendable () async throws -> Self
  ) async throws(StartError) -> ServerRef<Self> {
    try check(timeout, hibernateAfter)
    let parent = ProcessCore.current
    let core = ProcessCore(
      node: node ?? parent?.node ?? .shared, parent: parent?.pid, mailbox: mailbox)
    try await launch(
      core, named: name, timeout: timeout, hibernateAfter: hibernateAfter, make)
    return ServerRef(core.pid)
  }

  /// Starts a server that is linked to the calling process from its first moment. If that process
  /// ends, the server does; a server that traps exits calls ``terminate(_:)`` first.
  ///
  /// Parameters as in ``start(named:on:mailbox:timeout:hibernateAfter:_:)``.
  ///
  /// - Throws: ``StartError``; `notInProcess` outside any process. A start that fails ends the
  ///   caller through the link, as in OTP, unless it traps exits.
  ///
  /// OTP: `gen_server:start_link/3,4`.
  @inlinable
  public static func startLink(
    named name: ProcessName? = nil, mailbox: MailboxLimit = .unbounded, timeout: Duration? = nil,
    hibernateAfter: Duration? = nil, _ make: @escaping @Sendable () async throws -> Self
  ) async throws(StartError) -> ServerRef<Self> {
    try check(timeout, hibernateAfter)
    guard let parent = ProcessCore.current else { throw .notInProcess }
    let core = ProcessCore(linkedTo: parent, mailbox: mailbox)
    try await launch(
      core, named: name, timeout: timeout, hibernateAfter: hibernateAfter, make)
    return ServerRef(core.pid)
  }

  /// Starts a server that the calling process monitors from its first moment.
  ///
  ///     let (counter, ref) = try await Counter.startMonitor { Counter() }
  ///
  /// Parameters as in ``start(named:on:mailbox:timeout:hibernateAfter:_:)``.
  ///
  /// - Returns: the server, and the monitor. A start that fails leaves no DOWN.
  /// - Throws: ``StartError``; `notInProcess` outside any process.
  ///
  /// OTP: `gen_server:start_monitor/3,4`.
  @inlinable
  public static func startMonitor(
    named name: ProcessName? = nil, on node: Node? = nil, mailbox: MailboxLimit = .unbounded,
    timeout: Duration? = nil, hibernateAfter: Duration? = nil,
    _ make: @escaping @Sendable () async throws -> Self
  ) async throws(StartError) -> (server: ServerRef<Self>, monitor: MonitorRef) {
    try check(timeout, hibernateAfter)
    guard let parent = ProcessCore.current else { throw .notInProcess }
    let core = ProcessCore(node: node ?? parent.node, parent: parent.pid, mailbox: mailbox)
    let ref = parent.watchStart(of: core)
    do throws(StartError) {
      try await launch(
        core, named: name, timeout: timeout, hibernateAfter: hibernateAfter, make)
    } catch {
      parent.forgetStart(ref)
      throw error
    }
    return (ServerRef(core.pid), ref)
  }

  /// Before there is a process: a start that is refused leaves none, and breaks no link.
  @inlinable
  static func check(_ timeout: Duration?, _ hibernateAfter: Duration?) throws(StartError) {
    if let timeout, timeout < .zero { throw .badarg }
    if let hibernateAfter, hibernateAfter < .zero { throw .badarg }
  }

  @inlinable
  static func launch(
    _ core: ProcessCore, named name: ProcessName?, timeout: Duration?, hibernateAfter: Duration?,
    _ make: @escaping @Sendable () async throws -> Self
  ) async throws(StartError) {
    let start = ServerStart(
      core, named: name, hibernateAfter: hibernateAfter?.wholeNanoseconds,
      under: Ambient.current?.cursor, make)
    let refusal: (any Error)?
    do {
      refusal = try await core.launchAndWait(start, timeout: timeout?.wholeNanoseconds) {
        // As `ProcessCore` makes the tasks of raw processes, and for the same reasons; here, because
        // each function in between would be a step at which the Swift runtime looks for a change of
        // executors.
        Task(executorPreference: core) {
          guard core.mayBegin else { return }
          do {
            // Two steps, so that what only the start needs is gone from the task's memory while it
            // serves.
            if let server = try await begin(core) { await server.serve(as: core) }
            core.finish(.normal)
          } catch {
            core.finish(ExitReason(error))
          }
        }
      }
    } catch {
      throw StartError(error)
    }
    if let refusal { throw refusal as? StartError ?? .failed(ExitReason(refusal)) }
  }

  /// The start as the new process sees it.
  ///
  /// - Returns: nil if it was not to start, which the starter has been told.
  @inlinable
  @inline(never)
  static func begin(_ core: ProcessCore) async throws -> Self? {
    guard let start = core.takeStart() else { return nil }
    // As `launch` has made it.
    let options = unsafeDowncast(start, to: ServerStart<Self>.self)
    // Before it can be found by its name: who calls it while it starts shall wait, not be told
    // that it is no such server.
    core.becomes(Self.self)
    if let hibernateAfter = options.hibernateAfter { core.hibernate(after: hibernateAfter) }
    do throws(StartError) {
      if let name = options.name { try register(name, for: core) }
    } catch {
      // No failure of the server's: its starter hears of it, and nobody else.
      guard case .alreadyStarted = error else { throw error }
      start.refuse(error)
      return nil
    }
    let server: Self
    do {
      // The start belongs to its starter's trace; the messages that come later do not.
      if let cursor = options.cursor {
        server = try await Ambient.local.withValue(Ambient(process: core, cursor: cursor)) {
          try await adopt(core, options.make)
        }
      } else {
        server = try await adopt(core, options.make)
      }
    } catch StartError.ignored {
      start.refuse(StartError.ignored)
      return nil
    }
    guard server.process.pid == core.pid else { throw StartError.foreignServer }
    start.succeed()
    return server
  }

  /// Makes the server, whose context is to be the process's.
  @inlinable
  static func adopt(_ core: ProcessCore, _ make: () async throws -> Self) async throws -> Self {
    core.offerAdoption()
    defer { core.withdrawAdoption() }
    return try await make()
  }

  @usableFromInline
  static func register(
    _ name: ProcessName, for core: ProcessCore
  ) throws(StartError) {
    do {
      try core.node.register(name, for: core.pid)
    } catch {
      if case .taken(_, let holder) = error { throw .alreadyStarted(holder) }
      throw .failed(.error(error))
    }
  }
}
