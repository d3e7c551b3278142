package import ArborPrimitives

/// What a process is, as a pure state machine: its mailbox, its links and monitors, and how it
/// comes to its end.
///
/// Every transition runs under the process's lock, calls nobody, and returns what is to be done
/// once the lock is let go. `Receiver` is whoever waits for mail: a parked task in the runtime, a
/// number in the tests.
@usableFromInline
package struct ProcessMachine<Receiver: Sendable>: Sendable {
  @usableFromInline
  package enum Status: Sendable, Equatable {
    case running
    /// An exit signal has taken effect, or the body has ended; what is held is not yet released.
    case exiting
    case released
  }

  // What every message touches comes first: sender and receiver run on two cores, and each line of memory
  // that both write goes from one to the other. What is a yes or a no stands together: apart each would
  // take a word.
  package internal(set) var status = Status.running
  /// True once all that was held has been released: who asks from then on hears of the end at once, and
  /// before that not while a table or a name is still there.
  package private(set) var isSettled = false
  package var trapsExit = false
  /// False for a plain actor: it has a PID and an end, but nobody who would read.
  package let hasMailbox: Bool
  /// True once the surrounding task was cancelled: every later wait ends at once.
  package var isCancelled = false
  package var isReceiving = false
  /// True while a receive looks at a mail that it has taken out.
  package var isLooking = false
  package var hasTimedOut = false

  package var receiver: Receiver?
  /// Nil for a mailbox without bounds.
  package let bounds: MailboxBounds?
  package var mail = MailQueue()
  /// Mail that the running receive has looked at and left.
  package var skipped = MailQueue()
  /// What it is handling; nil while it waits for mail.
  var current: CurrentMail?
  /// What the loop has taken out beside that; made when there is first more than one mail, and kept: the
  /// loop, which looks into it without the lock, may go on after the end.
  var hand: MailHand?
  /// How many were put into the hand, since when some may have left it.
  var handed = 0
  /// But for what has left the hand: see ``countedLedger()``.
  package var ledger = MailboxLedger()

  /// What it ends of, once it does.
  package internal(set) var exitReason = ExitReason.normal
  /// How the exit came about, once there is one.
  package internal(set) var exitOrigin = ExitOrigin.itself
  /// When it was released.
  var releaseTime: UInt64 = 0

  /// Counts the waits for mail, so that a late timer does not end a later one.
  package var receiveNumber: UInt64 = 0

  // By the process, not by its id: two nodes have the same ids.
  package var links = SmallMap<ObjectIdentifier, ProcessCore>()
  package var monitors = SmallMap<MonitorRef, Monitor>()
  package var watchers = SmallMap<ObjectIdentifier, Monitor>()
  package var names: [ProcessName] = []
  /// What few have; nil as long as this one has none of it.
  package var backstage: Backstage?
  package var calls = CallList()
  /// The timers that are to send to this process.
  package var timers = TimerList()
  /// What the process's own task waits for, other than mail.
  package var wait: Wait?
  /// When that is to end; `max` if never, or if it has a timer of its own.
  var waitDeadline = UInt64.max
  /// What ends it then; made for the first that has a deadline.
  var alarm: TimerEntry?
  /// When the alarm comes; `max` if it is not set.
  var alarmTime = UInt64.max
  package var task: Task<Void, any Error>?
  /// What tells those who wait for the end if the handler goes on for too long.
  var grace: TimerEntry?
  package var origin: Origin

  package init(
    hasMailbox: Bool, mailbox: MailboxLimit = .unbounded, origin: Origin = Origin()
  ) {
    self.hasMailbox = hasMailbox
    self.origin = origin
    bounds = MailboxBounds.of(mailbox)
  }

  /// The release is through.
  ///
  /// - Returns: who has come to watch, or to wait for the end, while it was under way.
  package mutating func settle() -> (
    watchers: SmallMap<ObjectIdentifier, Monitor>, calls: [AnyCallWait]
  ) {
    isSettled = true
    return (watchers.take(), calls.takeAll())
  }
}

/// One monitor, seen from both sides: who watches, whom, and what its message says.
package final class Monitor: Sendable {
  package let ref: MonitorRef
  package let watcher: ProcessCore
  package let target: ProcessCore
  package let label: MonitorLabel?

  package init(
    ref: MonitorRef, watcher: ProcessCore, target: ProcessCore, label: MonitorLabel?
  ) {
    self.ref = ref
    self.watcher = watcher
    self.target = target
    self.label = label
  }
}

/// What a process owns beside its own state and what must go when it does: a table, the rows of
/// one.
package protocol OwnedResource: AnyObject, Sendable {
  /// Called once, in the release of `owner`: after its fate is set, before its names, links and
  /// monitors.
  func ownerReleased(_ owner: PID, reason: ExitReason)
}
