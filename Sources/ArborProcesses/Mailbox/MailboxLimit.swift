/// How many messages may wait in a mailbox, and what becomes of one that finds it full.
///
///     let log = spawn(mailbox: .bounded(100, .dropOldest)) { context in … }
///     let writer = try await Writer.start(mailbox: .bounded(1000, .suspend)) { Writer() }
///
/// What counts is what was sent: messages, calls and casts. DOWN, EXIT and the runtime's own
/// messages take no room and are never refused.
///
/// OTP: none; its mailboxes are without bounds.
public enum MailboxLimit: Sendable, Equatable {
  /// As many as there is memory for. The default.
  case unbounded
  /// At most so many; at least one.
  case bounded(Int, MailboxOverflow)
}

/// What becomes of a message that finds a bounded mailbox full.
///
/// Whatever it is, `trySend` and `tryCast` throw where a message is not taken, `sendWaiting` and
/// `castWaiting` wait for room, and a call that does not wait fails with ``CallError/overloaded``.
public enum MailboxOverflow: Sendable, Equatable {
  /// It is refused; one that was sent without asking is dropped and counted as refused.
  case fail
  /// It is dropped.
  case dropNewest
  /// It gets in, and the message that has waited longest is dropped for it. (A call that is dropped
  /// so fails with ``CallError/overloaded``; a call itself displaces nothing.)
  case dropOldest
  /// A call waits for room, within its timeout; what cannot wait is dropped and counted as refused.
  case suspend
}

/// Why a message was not taken.
public enum SendError: Error, Sendable, Equatable {
  /// The mailbox is bounded and full.
  case full
  /// There is no such process: it has ended, or nobody has that name, or it is a plain actor's,
  /// which has no mailbox.
  case noproc
  /// There was no room in time.
  case timeout
  /// The sending task was cancelled, or its process is exiting.
  case cancelled
  /// The name or PID is held by another type of server than the reference names.
  case wrongServer
  /// The timeout is negative.
  case badarg
}

extension SendError: CustomStringConvertible {
  public var description: String {
    switch self {
    case .full: "the mailbox is full; send later, wait for room, or let it hold more"
    case .noproc: "no such process: it has ended, has no mailbox, or nobody holds that name"
    case .timeout: "no room in time; pass a longer timeout, or look at what the receiver waits for"
    case .cancelled: "the sender was cancelled, or is exiting"
    case .wrongServer: "another type of server holds that name or PID"
    case .badarg: "a timeout must not be negative; leave it out to wait without end"
    }
  }
}
