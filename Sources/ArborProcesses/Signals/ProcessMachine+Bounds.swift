extension Mail.Kind {
  /// True if a bounded mailbox may refuse it. What the runtime says gets in always.
  @inline(__always) package var takesRoom: Bool { rawValue <= Mail.Kind.cast.rawValue }
}

/// Bounded mailboxes.
extension ProcessMachine {
  /// What came of a message to a bounded mailbox that finds it full.
  enum Overflow {
    /// It gets in; `displaced` does not stay.
    case admitted(displaced: Mail?)
    case refused
  }

  /// Decides what becomes of a message that would be queued. Counts what is dropped.
  mutating func overflow(_ mail: Mail, _ bounds: MailboxBounds) -> Overflow {
    guard mail.kind.takesRoom else { return .admitted(displaced: nil) }
    guard bounds.isFull else {
      bounds.load += 1
      return .admitted(displaced: nil)
    }
    switch bounds.overflow {
    case .dropOldest where mail.kind != .call:
      // With none to take, the one that is being looked at is the oldest: `skip` decides.
      guard let oldest = takeOldest() else {
        bounds.load += 1
        return .admitted(displaced: nil)
      }
      ledger.droppedOldest += 1
      return .admitted(displaced: oldest)
    case .dropNewest where mail.kind != .call: ledger.droppedNewest += 1
    case .fail, .suspend, .dropNewest, .dropOldest: ledger.refused += 1
    }
    return .refused
  }

  private mutating func takeOldest() -> Mail? {
    skipped.removeFirst { $0.kind.takesRoom } ?? mail.removeFirst { $0.kind.takesRoom }
  }

  /// The call that a queued request belongs to.
  func caller(of mail: Mail) -> AnyCallWait? {
    mail.ticket == 0 ? nil : calls.first { $0.ticket == mail.ticket }
  }

  /// Queues a message if there is room, without a trace if there is none.
  ///
  /// - Returns: nil if there is none.
  package mutating func deliverIfRoom(_ mail: Mail) -> Delivery? {
    if case .running = status, let bounds, bounds.isFull, mail.kind.takesRoom { return nil }
    return deliver(mail)
  }

  /// What came of a request for room.
  package enum RoomAnswer: Sendable {
    /// And who waits to hear of it, should somebody by now.
    case admitted(Delivery, Resumer?)
    /// Who asked has given up by now.
    case givenUp
    /// It waits. These have given up meanwhile and are to be let go of.
    case waits(ended: [RoomRequest])
  }

  /// Queues a message if there is room, else has it wait for room.
  package mutating func deliverOrWait(_ request: RoomRequest) -> RoomAnswer {
    if case .running = status, let bounds, bounds.isFull {
      return .waits(ended: bounds.append(request))
    }
    guard hasMailbox, case .running = status else {
      return .admitted(deliver(request.mail), nil)
    }
    guard let admission = request.admit() else { return .givenUp }
    return .admitted(deliver(request.mail), admission.resumer)
  }

  /// A message has left: the first who waits for room gets it.
  mutating func makeRoom(_ mail: Mail, _ bounds: MailboxBounds) {
    guard mail.kind.takesRoom else { return }
    bounds.load -= 1
    guard bounds.waitingCount > 0 else { return }
    var room = Room()
    while !bounds.isFull, let next = bounds.popFirst() {
      if let admission = next.admit() {
        bounds.load += 1
        ledger.sent += 1
        var mail: Mail? = next.mail
        append(&mail)
        room.admitted = next
        room.resumer = admission.resumer
      } else {
        room.ended.append(next)
      }
    }
    bounds.room = room
  }

  /// What is to be done because a message has been taken, once the lock is let go.
  @inline(__always) package mutating func takeRoom() -> Room? {
    guard let bounds else { return nil }
    return exchange(&bounds.room, with: nil)
  }

  /// A message that was looked at goes back. If the mailbox, which drops the oldest, has come to
  /// hold one too many meanwhile, the oldest goes.
  ///
  /// - Returns: the message that was dropped, to be let go of.
  mutating func skipBounded(_ mail: Mail, _ bounds: MailboxBounds) -> Displaced? {
    skipped.append(mail)
    guard bounds.load > bounds.capacity, let oldest = takeOldest() else { return nil }
    bounds.load -= 1
    ledger.droppedOldest += 1
    return Displaced(mail: oldest, call: caller(of: oldest))
  }

  /// A message that had to go, and who waits for an answer to it.
  package struct Displaced: Sendable {
    package let mail: Mail
    package let call: AnyCallWait?
  }
}
