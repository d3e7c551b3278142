public import ArborPrimitives
public import ArborProcesses

/// A typed reference to a server: by PID, or by name, which is looked up at each use, so that its
/// holder does not notice a restart.
///
///     let counter = ServerRef<Counter>(named: "counter")
///
///     extension ServerRef<Counter> {              // the client API
///       func add(_ n: Int) { cast(.add(n)) }
///       var value: Int { get async throws(CallError) { try await call(Counter.Call.value) } }
///     }
///
/// OTP: the `ServerRef` of `gen_server:call/2`.
public struct ServerRef<Server: GenServer>: Sendable, Hashable {
  // One of the two. Not an enum: of that a sender retains the process, whose count the receiver waits
  // for, and of a stored property it does not.
  @usableFromInline let process: ProcessCore?
  @usableFromInline let name: Name?

  /// A name, and where to look for it; nowhere said, on the caller's node.
  @usableFromInline
  struct Name: Sendable, Hashable {
    let name: ProcessName
    let node: Node?

    @usableFromInline
    static func == (left: Name, right: Name) -> Bool {
      left.name == right.name && left.node === right.node
    }

    @usableFromInline
    func hash(into hasher: inout Hasher) { hasher.combine(name) }

    @usableFromInline
    var core: ProcessCore? { (node ?? .current).names.find(name) }
  }

  /// A reference to the server that has this PID.
  @inlinable
  public init(_ pid: PID) {
    process = pid.core
    name = nil
  }

  /// A reference to whichever server holds a name.
  ///
  /// - Parameter node: where to look; the caller's node at each use if not said.
  public init(named name: ProcessName, on node: Node? = nil) {
    process = nil
    self.name = Name(name: name, node: node)
  }

  public static func == (left: Self, right: Self) -> Bool {
    left.process === right.process && left.name == right.name
  }

  public func hash(into hasher: inout Hasher) {
    hasher.combine(process?.id)
    hasher.combine(name)
  }

  /// Who it refers to now; nil if nobody holds the name.
  public var pid: PID? { core?.pid }

  @inlinable
  var core: ProcessCore? { process ?? name?.core }

  /// The server's process, made sure that it is a server of this type.
  @inlinable
  func resolve() throws(CallError) -> ProcessCore {
    guard let core else { throw .noproc }
    try Self.check(core)
    return core
  }

  @inlinable
  static func check(_ core: ProcessCore) throws(CallError) {
    if !core.isServer(Server.self) { throw core.isReleased ? .noproc : .wrongServer }
  }
}

extension ServerRef {
  /// Sends a request and waits for its answer.
  ///
  ///     let value = try await counter.call { .value($0) }
  ///     let same = try await counter.call(Counter.Call.value)
  ///
  /// - Parameters:
  ///   - timeout: how long to wait; left out it is five seconds, nil waits without end.
  ///   - request: makes the request around the return address.
  /// - Throws: ``CallError``: the server's reason if it ended, `noproc`, `timeout`, `callingSelf`,
  ///   `cancelled`, `wrongServer`, `noReply`, `overloaded`; `badarg` for a negative timeout. It never hangs.
  ///
  /// OTP: `gen_server:call/2,3`.
  @inlinable
  public func call<Reply: Sendable>(
    timeout: Duration?, _ request: (From<Reply>) -> Server.Call
  ) async throws(CallError) -> Reply {
    if let timeout, timeout < .zero { throw .badarg }
    return try await ask(timeout: timeout?.wholeNanoseconds, request)
  }

  /// Sends a request and waits for its answer, for five seconds.
  // Apart from the one with a timeout, because to reckon with a `Duration` takes as long as to send.
  @inlinable
  public func call<Reply: Sendable>(
    _ request: (From<Reply>) -> Server.Call
  ) async throws(CallError) -> Reply {
    try await ask(timeout: 5_000_000_000, request)
  }

  @inlinable
  @inline(__always)
  func ask<Reply: Sendable>(
    timeout: UInt64?, _ request: (From<Reply>) -> Server.Call
  ) async throws(CallError) -> Reply {
    guard process != nil else { return try await askByName(timeout: timeout, request) }
    // Not bound to a name, nor handed on: either would count a reference, and many callers of one server wait
    // for one another on that count.
    try Self.check(process.unsafelyUnwrapped)
    let core = process.unsafelyUnwrapped
    if let observer = Server.messageTracing.post?.observer {
      return try await observer.calling(Server.self) { () async throws(CallError) -> Reply in
        try await core.call(timeout: timeout, request)
      }
    }
    if Server.answersInPlace { return try await core.callInPlace(timeout: timeout, request) }
    return try await core.call(timeout: timeout, request)
  }

  // Apart, so that all the rest is not there twice.
  @inlinable
  @inline(never)
  func askByName<Reply: Sendable>(
    timeout: UInt64?, _ request: (From<Reply>) -> Server.Call
  ) async throws(CallError) -> Reply {
    try await ServerRef(try resolve().pid).ask(timeout: timeout, request)
  }

  /// Sends a request and goes on. To nobody, it vanishes.
  ///
  /// OTP: `gen_server:cast/2`.
  // Not inlined: as a function of its own it counts one reference less than inlined into its caller, by
  // callgrind. Senders and receiver of much mail wait for one another on the counts.
  @inlinable
  @inline(never)
  public func cast(_ request: Server.Cast) {
    if process != nil {
      Self.cast(request, to: process.unsafelyUnwrapped)
    } else if let core = name?.core {
      Self.cast(request, to: core)
    }
  }

  @inlinable
  @inline(__always)
  static func cast(_ request: Server.Cast, to core: ProcessCore) {
    guard core.isServer(Server.self) else { return }
    if let observer = Server.messageTracing.post?.observer {
      observer.casting(Server.self) { core.cast(request) }
    } else {
      core.cast(request)
    }
  }

  /// Sends a request and goes on, or says why it was not taken.
  ///
  ///     do { try worker.tryCast(.job(job)) } catch SendError.full { … }
  ///
  /// - Throws: ``SendError``: `full` if the server's mailbox is bounded and does not take it,
  ///   `noproc`, `wrongServer`; `cancelled` if the calling process is exiting.
  public func tryCast(_ request: Server.Cast) throws(SendError) {
    try resolveToSend().tryCast(request)
  }

  /// Sends a request, and waits for room in the server's mailbox if it is bounded and full, whatever
  /// its policy.
  ///
  /// - Parameter timeout: how long to wait; nil, the default, is without end.
  /// - Throws: ``SendError``, as ``PID/sendWaiting(_:timeout:)`` has it, and `wrongServer`.
  public func castWaiting(
    _ request: Server.Cast, timeout: Duration? = nil
  ) async throws(SendError) {
    try await resolveToSend().castWaiting(request, timeout: timeout)
  }

  private func resolveToSend() throws(SendError) -> ProcessCore {
    do throws(CallError) {
      return try resolve()
    } catch {
      throw error == .wrongServer ? .wrongServer : .noproc
    }
  }

  /// What became of the messages to the server so far; nil if nobody holds the name.
  public var mailbox: MailboxLedger? { pid?.mailbox }

  /// Asks the server to stop, has it call ``GenServer/terminate(_:)``, and waits until it is gone.
  ///
  /// - Parameters:
  ///   - reason: what it shall end with.
  ///   - timeout: how long to wait; nil, the default, without end.
  /// - Throws: ``CallError``: `noproc` if there is none, `exit` if it ended for another reason,
  ///   `timeout`.
  ///
  /// OTP: `gen_server:stop/1,3`.
  public func stop(
    _ reason: ExitReason = .normal, timeout: Duration? = nil
  ) async throws(CallError) {
    if let timeout, timeout < .zero { throw .badarg }
    let end = try await resolve().stopAndWait(reason, timeout: timeout?.wholeNanoseconds)
    if end != reason { throw .exit(end) }
  }
}

extension ServerRef: CustomStringConvertible {
  public var description: String {
    "\(Server.self)(\(process.map { "\($0.pid)" } ?? "\"\(name.map { "\($0.name)" } ?? "")\""))"
  }
}
