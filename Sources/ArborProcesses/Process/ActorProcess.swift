/// What makes a plain actor a process: it has a PID, which others can monitor and link, and ends with
/// `normal` when the actor is deinitialised.
///
///     actor Session {
///       let process = ActorProcess()
///       nonisolated var pid: PID { process.pid }
///     }
///
///     let ref = context.monitor(session.pid)     // a DOWN comes when the session is let go of
///
/// The runtime does not keep the actor alive. It has no mailbox: mail to it is dropped, and counted as
/// ``MailboxLedger/noReceiver``. An exit signal ends the process at once, and tells its links and
/// monitors; the actor itself lives on, as nobody but its owners can end it. Its methods run as
/// whoever calls them.
///
/// A ``ProcessContext`` in an actor does the same, unless it is made while a server starts, when it
/// becomes the server's; this never does.
///
/// OTP: none; a port comes nearest, being owned, linked and monitored without running code.
public final class ActorProcess: Sendable {
  package let core: ProcessCore

  /// Makes a process.
  ///
  /// - Parameter node: where; the caller's node if not said.
  public init(on node: Node? = nil) {
    core = ProcessCore(
      node: node ?? .current, parent: ProcessCore.current?.pid, hasMailbox: false)
  }

  deinit { core.finish(.normal) }

  /// The process's identity; valid also after its end.
  public var pid: PID { core.pid }

  /// The node it lives on.
  public var node: Node { core.node }

  /// The node's threads as an executor: an actor that takes it over, as its `nonisolated var
  /// unownedExecutor`, runs where processes do, and is called by them without a change of threads.
  public var unownedExecutor: UnownedSerialExecutor { core.asUnownedSerialExecutor() }
}
