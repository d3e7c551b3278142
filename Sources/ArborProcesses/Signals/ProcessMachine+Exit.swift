package import ArborPrimitives

extension ProcessMachine {
  /// How an exit signal came.
  package enum Path: Sendable {
    /// Sent by `sendExit`; `toSelf` if sender and receiver are one.
    case direct(toSelf: Bool)
    /// From the end of a linked process.
    case link
  }

  /// What an exit signal asks to be done.
  package enum ExitEffect: Sendable {
    case ignored
    /// It was trapped: deliver it as this mail.
    case trapped
    case exiting(Ending)
  }

  /// What stops with the process: who waits is woken, the task is cancelled, the mail let go of.
  package struct Ending: Sendable {
    package var receiver: Receiver?
    /// True if that is the process's loop, between two messages: nothing of a user's runs.
    package var isBetweenMessages = false
    package var wait: Wait?
    package var task: Task<Void, Never>?
    package var mail: MailQueue
    /// Who waits for room in the mailbox.
    package var requests: [RoomRequest]

    /// Lets go of the mail and tells those who wait for room; not under a lock.
    package func dropMail() {
      var mail = mail
      mail.removeAll()
      for request in requests { request.refuse(.noproc) }
    }
  }

  package mutating func receiveExit(
    _ reason: ExitReason, by path: Path, of origin: ExitOrigin = .itself
  ) -> ExitEffect {
    guard status == .running else { return .ignored }  // the first reason wins
    switch path {
    case .direct(let toSelf):
      if reason == .kill { return .exiting(beginExit(.killed, of: origin)) }
      if trapsExit { return .trapped }
      if reason == .normal, !toSelf { return .ignored }
    case .link:
      if trapsExit { return .trapped }
      if reason == .normal { return .ignored }
    }
    return .exiting(beginExit(reason, of: origin))
  }

  /// From here on the process is fenced, and its queued mail will never be handled.
  package mutating func beginExit(_ reason: ExitReason, of origin: ExitOrigin = .itself) -> Ending {
    status = .exiting(reason)
    exitOrigin = origin
    var dropped = mail
    mail = MailQueue()
    dropped.prepend(&skipped)
    ledger.droppedByExit += dropped.count
    let isBetweenMessages = receiver != nil && !isReceiving
    let ending = Ending(
      receiver: takeReceiver(), isBetweenMessages: isBetweenMessages, wait: wait, task: task,
      mail: dropped,
      requests: bounds?.takeAll() ?? [])
    wait = nil
    _ = aliases.take()
    return ending
  }

  /// All that a process held, taken from it at once when it is released.
  package struct Estate: Sendable {
    package var fate: Fate
    package var resources: SmallMap<ObjectIdentifier, any OwnedResource>
    package var names: [ProcessName]
    package var links: SmallMap<ObjectIdentifier, ProcessCore>
    package var monitors: SmallMap<MonitorRef, Monitor>
    package var watchers: SmallMap<ObjectIdentifier, Monitor>
    package var calls: [AnyCallWait]
    package var timers: [MessageTimer]
    /// To be taken out of the clock, should it be set.
    package var alarm: TimerEntry?
    /// Nothing is to be done about it but to let go of it.
    package var origin: Origin
  }

  /// The end. Nil if somebody else has released the process already.
  package mutating func release(at time: UInt64) -> Estate? {
    guard case .exiting(let reason) = status else { return nil }
    status = .released
    let fate = Fate(reason: reason, time: time, origin: exitOrigin)
    self.fate = fate
    task = nil
    wait = nil
    defer {
      names = []
      origin = Origin()
      alarm = nil
    }
    return Estate(
      fate: fate, resources: resources.take(), names: names, links: links.take(),
      monitors: monitors.take(), watchers: watchers.take(),
      calls: calls.takeAll(), timers: timers.takeAll(), alarm: alarm, origin: origin)
  }
}
