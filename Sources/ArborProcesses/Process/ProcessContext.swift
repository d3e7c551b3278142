import ArborPrimitives

/// A process as its own code sees it: what it is, and what it does to others.
///
/// A raw process is handed one; a server has one as its `process`:
///
///     actor Counter: GenServer {
///       let process = ProcessContext()
///       …
///     }
///
/// The first one that is made while a server starts adopts the starting process; made anywhere
/// else it is a process of its own that only has an identity: others can monitor it, and it ends
/// with `normal` when the actor that holds it is deinitialised.
///
/// What a context does, its process does: a message sent through it counts as sent by that process
/// and has no effect once the process is exiting.
public final class ProcessContext: Sendable {
  @usableFromInline package let core: ProcessCore
  /// True if the context is all there is of the process, which then ends with it.
  private let isWhole: Bool

  public init() {
    if let starting = ProcessCore.current, starting.takeAdoption() {
      core = starting
      isWhole = false
    } else {
      core = ProcessCore(node: .current, parent: ProcessCore.current?.pid, hasMailbox: false)
      isWhole = true
    }
  }

  package init(_ core: ProcessCore) {
    self.core = core
    isWhole = false
  }

  deinit {
    if isWhole { core.finish(.normal) }
  }

  /// The process's identity.
  public var pid: PID { core.pid }

  /// The node it lives on.
  public var node: Node { core.node }

  /// The executor that an actor takes over to be this process: its
  /// `nonisolated var unownedExecutor`. Servers have that from `GenServer`.
  public var unownedExecutor: UnownedSerialExecutor { core.asUnownedSerialExecutor() }
}

extension ProcessContext {
  /// Binds two processes' fates: when one ends, the other gets an exit signal. There is one link
  /// per pair, and it works both ways.
  ///
  /// - Throws: ``LinkError/noproc(_:)`` if the other has ended. A process that traps exits gets
  ///   an ``Exit`` with `noproc` instead.
  ///
  /// OTP: `erlang:link/1`.
  public func link(_ pid: PID) throws(LinkError) {
    if case .peerIsGone(trapped: false) = core.link(to: pid.core) { throw .noproc(pid) }
  }

  /// Takes a link back, from both sides. Nothing happens if there is none.
  ///
  /// OTP: `erlang:unlink/1`.
  public func unlink(_ pid: PID) { core.unlink(from: pid.core) }

  /// Says whether exit signals shall arrive as mail, ``Exit``, instead of ending the process.
  ///
  /// - Returns: what was set before.
  ///
  /// OTP: `process_flag(trap_exit, Boolean)`.
  @discardableResult
  public func trapExit(_ isTrapping: Bool = true) -> Bool {
    core.machine.withLock { machine in
      defer { machine.trapsExit = isTrapping }
      return machine.trapsExit
    }
  }

  /// Sends an exit signal: see ``PID/sendExit(_:)``. With one's own PID: stop, once the running
  /// handler has returned.
  ///
  /// OTP: `erlang:exit/2`.
  public func sendExit(_ reason: ExitReason, to pid: PID) {
    if !core.isFenced { pid.core.receiveExit(reason, from: core) }
  }

  /// Sends a message. Never waits and never throws; to a process that has ended it vanishes.
  ///
  /// OTP: `Pid ! Message`.
  @inlinable
  public func send<Message: Sendable>(_ message: Message, to pid: PID) {
    if core.isFenced { return }
    let envelope = core.node.fences.isQuiet ? nil : Ambient.current?.envelope
    var mail: Mail? = core.makeMail(.message, message, context: envelope)
    core.send(&mail, to: pid.core)
  }

  /// Gives this process a name. See ``Node/register(_:for:)``.
  public func register(_ name: ProcessName) throws(NameError) {
    try node.register(name, for: pid)
  }
}

/// Why a link cannot be made.
///
/// OTP: `noproc` of `erlang:link/1`.
public enum LinkError: Error, Sendable, Equatable, CustomStringConvertible {
  case noproc(PID)
  public var description: String {
    switch self {
    case .noproc(let pid): "\(pid) has ended and cannot be linked; trap exits to hear of it as mail"
    }
  }
}

extension PID {
  /// Sends a message. Never waits and never throws; to a process that has ended it vanishes.
  ///
  /// Whoever calls this is the sender: the calling process, if there is one.
  ///
  /// OTP: `Pid ! Message`.
  @inlinable
  public func send<Message: Sendable>(_ message: Message) {
    core.take(.message, message)
  }

  /// Sends an exit signal: the process ends with that reason, unless it traps exits, when the
  /// signal becomes mail. `normal` is ignored by others than oneself; `kill` cannot be trapped and
  /// is told on as `killed`.
  ///
  /// OTP: `erlang:exit/2`.
  public func sendExit(_ reason: ExitReason) {
    let sender = ProcessCore.current
    if sender?.isFenced != true { core.receiveExit(reason, from: sender) }
  }
}
