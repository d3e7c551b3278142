package import ArborPrimitives

extension ProcessMachine {
  /// How an exit signal came.
  package enum Path: Sendable {
    /// Sent by `sendExit`; `toSelf` if sender and receiver are one.
    case direct(toSelf: Bool)
    /// From the end of a linked process.
    case link
  }

  // What an end has to do is handed on and never copied: most of it is references.

  /// What an exit signal asks to be done.
  package enum ExitEffect: ~Copyable, Sendable {
    case ignored
    /// It was trapped, and is a mail now.
    case trapped(Mail, Delivery)
    case exiting(Ending)
  }

  /// What stops with the process: who waits is woken, the task is cancelled, the mail let go of.
  package struct Ending: ~Copyable, Sendable {
    package var receiver: Receiver?
    /// True if that is the process's loop, between two messages: nothing of a user's runs.
    package var isBetweenMessages: Bool
    package var wait: Wait?
    package var task: Task<Void, any Error>?
    package var unread: Unread
  }

  /// What nobody will ever read.
  package struct Unread: ~Copyable, Sendable {
    package var mail = MailQueue()
    /// Who waits for room in the mailbox.
    package var requests: [RoomRequest] = []

    /// Lets go of the mail and tells those who wait for room; not under a lock.
    package func drop() {
      if !mail.isEmpty {
        var mail = mail
        mail.removeAll()
      }
      for request in requests { request.refuse(.noproc) }
    }
  }

  package mutating func receiveExit(
    _ reason: ExitReason, from sender: PID?, by path: Path, of origin: ExitOrigin = .itself
  ) -> ExitEffect {
    guard status == .running else { return .ignored }  // the first reason wins
    switch path {
    case .direct(let toSelf):
      if reason.isKill { return .exiting(beginExit(.killed, of: origin)) }
      if trapsExit { return trap(reason, from: sender) }
      if reason.isNormal, !toSelf { return .ignored }
    case .link:
      if trapsExit { return trap(reason, from: sender) }
      if reason.isNormal { return .ignored }
    }
    return .exiting(beginExit(reason, of: origin))
  }

  private mutating func trap(_ reason: ExitReason, from sender: PID?) -> ExitEffect {
    let mail = Mail.make(.exit, Exit(pid: sender, reason: reason), context: nil)
    return .trapped(mail, deliver(mail))
  }

  /// From here on the process is fenced, and its queued mail will never be handled.
  package mutating func beginExit(_ reason: ExitReason, of origin: ExitOrigin = .itself) -> Ending {
    let isBetweenMessages = receiver != nil && !isReceiving
    return Ending(
      receiver: takeReceiver(), isBetweenMessages: isBetweenMessages,
      wait: exchange(&wait, with: nil), task: task, unread: close(reason, of: origin))
  }

  private mutating func close(_ reason: ExitReason, of origin: ExitOrigin) -> Unread {
    status = .exiting
    exitReason = reason
    exitOrigin = origin
    backstage?.aliases = SmallMap()
    takeBack()
    var unread = Unread()
    swap(&unread.mail, &mail)
    unread.mail.prepend(&skipped)
    ledger.droppedByExit += unread.mail.count
    if let bounds { unread.requests = bounds.takeAll() }
    return unread
  }

  /// All that a process held, taken from it at once when it is released.
  package struct Estate: ~Copyable, Sendable {
    package var reason: ExitReason
    package var origin: ExitOrigin
    /// What its end has left unread, if that is only now.
    package var unread: Unread
    package var names: [ProcessName]
    package var links: SmallMap<ObjectIdentifier, ProcessCore>
    package var monitors: SmallMap<MonitorRef, Monitor>
    package var watchers: SmallMap<ObjectIdentifier, Monitor>
    package var calls: [AnyCallWait]
    package var timers: [MessageTimer]
    package var backstage: Backstage?
    /// To be taken out of the clock, should they be set.
    package var alarm: TimerEntry?
    package var grace: TimerEntry?
    /// Nothing is to be done about it but to let go of it.
    package var kin: Origin
  }

  /// The body has ended: its end, if no exit signal was first, and the release, in one step. Nil if
  /// somebody else has released the process already.
  package mutating func finish(
    _ reason: ExitReason, of origin: ExitOrigin, at time: UInt64
  ) -> Estate? {
    guard status == .running else { return release(at: time) }
    return release(at: time, leaving: close(reason, of: origin))
  }

  /// The end. Nil if somebody else has released the process already.
  package mutating func release(
    at time: UInt64, leaving unread: consuming Unread = Unread()
  ) -> Estate? {
    guard status == .exiting else { return nil }
    status = .released
    releaseTime = time
    task = nil
    wait = nil
    return Estate(
      reason: exitReason, origin: exitOrigin, unread: unread, names: exchange(&names, with: []),
      links: links.take(), monitors: monitors.take(), watchers: watchers.take(),
      calls: calls.takeAll(), timers: timers.takeAll(), backstage: exchange(&backstage, with: nil),
      alarm: exchange(&alarm, with: nil), grace: exchange(&grace, with: nil),
      kin: exchange(&origin, with: Origin()))
  }

  /// How it ended, once it is released.
  package var fate: Fate? {
    status == .released ? Fate(reason: exitReason, time: releaseTime, origin: exitOrigin) : nil
  }
}
