/// What became of the messages of one mailbox: at any moment
/// `sent == handled + queued + dropped`.
public struct MailboxLedger: Sendable, Equatable {
  /// Messages that arrived, signals that became mail (DOWN, EXIT) included.
  public internal(set) var sent = 0
  /// Messages that were received or handed to a handler.
  public internal(set) var handled = 0
  /// Messages that the process's end took along, or that came after it.
  public internal(set) var droppedByExit = 0
  /// Messages that `demonitor(flush:)` took back.
  public internal(set) var flushed = 0
  /// Messages through an ``Alias`` that was off.
  public internal(set) var droppedByAlias = 0
  /// Messages to a process that has no mailbox: a plain actor.
  public internal(set) var noReceiver = 0

  /// Messages that wait.
  public var queued: Int { sent - handled - dropped }
  /// All messages that nobody will ever see.
  public var dropped: Int { droppedByExit + flushed + droppedByAlias + noReceiver }
}
