/// What became of the messages of one mailbox: at any moment
/// `sent == handled + queued + dropped`.
///
///     print(pid.mailbox.queued, pid.mailbox.highWater)
///
/// A message whose sender waits for room is not sent yet.
///
/// OTP: `erlang:process_info(Pid, message_queue_len)`, and more.
public struct MailboxLedger: Sendable, Equatable {
  /// Messages that arrived, signals that became mail (DOWN, EXIT) included.
  public internal(set) var sent = 0
  /// Messages that were received or handed to a handler.
  public internal(set) var handled = 0
  /// The most that have ever waited at a time.
  public internal(set) var highWater = 0
  /// Messages that the process's end took along, or that came after it.
  public internal(set) var droppedByExit = 0
  /// Messages that `demonitor(flush:)` took back, or a start that was given up.
  public internal(set) var flushed: Int {
    get { self[.flushed] }
    set { self[.flushed] = newValue }
  }
  /// Messages through an ``Alias`` that was off.
  public internal(set) var droppedByAlias: Int {
    get { self[.droppedByAlias] }
    set { self[.droppedByAlias] = newValue }
  }
  /// Messages to a process that has no mailbox: a plain actor.
  public internal(set) var noReceiver: Int {
    get { self[.noReceiver] }
    set { self[.noReceiver] = newValue }
  }
  /// Messages that a full mailbox did not take because its policy is to fail, or because they could
  /// not wait; and calls that it did not take.
  public internal(set) var refused: Int {
    get { self[.refused] }
    set { self[.refused] = newValue }
  }
  /// Messages that a full mailbox dropped because they were the newest.
  public internal(set) var droppedNewest: Int {
    get { self[.droppedNewest] }
    set { self[.droppedNewest] = newValue }
  }
  /// Messages that a full mailbox dropped for newer ones.
  public internal(set) var droppedOldest: Int {
    get { self[.droppedOldest] }
    set { self[.droppedOldest] = newValue }
  }

  /// What few mailboxes lose anything to, so that the others pay for it with one word.
  private enum RareCause: Int, CaseIterable {
    case flushed, droppedByAlias, noReceiver, refused, droppedNewest, droppedOldest
  }
  /// How many by each of these; empty for none.
  private var rare: [Int] = []

  private subscript(cause: RareCause) -> Int {
    get { rare.isEmpty ? 0 : rare[cause.rawValue] }
    set {
      if rare.isEmpty { rare = Array(repeating: 0, count: RareCause.allCases.count) }
      rare[cause.rawValue] = newValue
    }
  }

  /// Messages that wait.
  public var queued: Int { sent - handled - dropped }
  /// All messages that nobody will ever see.
  public var dropped: Int {
    rare.reduce(droppedByExit, +)
  }
}
