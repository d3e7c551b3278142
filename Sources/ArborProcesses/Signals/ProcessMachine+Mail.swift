extension ProcessMachine {
  package enum Delivery: Sendable {
    case refused
    case queued
    /// Queued, and this one waited for it.
    case woke(Receiver)
    /// Its mailbox is bounded and full.
    case full
    /// Queued, and another message dropped for it; this one waited, if any.
    case displaced(Displaced, Receiver?)
  }

  package mutating func deliver(_ mail: Mail) -> Delivery {
    ledger.sent += 1
    guard hasMailbox else {
      ledger.noReceiver += 1
      return .refused
    }
    guard case .running = status else {
      ledger.droppedByExit += 1
      return .refused
    }
    if let bounds {
      switch overflow(mail, bounds) {
      case .refused: return .full
      case .admitted(let displaced?):
        let call = caller(of: displaced)
        append(mail)
        return .displaced(Displaced(mail: displaced, call: call), takeReceiver())
      case .admitted(nil): break
      }
    }
    append(mail)
    guard let receiver = takeReceiver() else { return .queued }
    return .woke(receiver)
  }

  @inline(__always) mutating func append(_ mail: Mail) {
    self.mail.append(mail)
    let length = queueLength
    if length > ledger.highWater { ledger.highWater = length }
  }

  /// How many messages wait, one that a receive is looking at included.
  @inline(__always) package var queueLength: Int {
    mail.count &+ skipped.count &+ (isLooking ? 1 : 0)
  }

  package enum Next: Sendable {
    case mail(Mail)
    /// Its leaving a bounded mailbox has let others in.
    case mailMakingRoom(Mail, Room)
    /// Nothing to look at: wait.
    case empty
    case interrupted(Interruption)
  }

  /// The next mail for a process that takes whatever comes: a server's loop.
  package mutating func next() -> Next {
    if case .running = status {} else { return .interrupted(.exiting) }
    if let first = mail.popFirst() {
      ledger.handled += 1
      current = CurrentMail(kind: first.kind, type: type(of: first))
      if let bounds, let room = makeRoom(first, bounds) { return .mailMakingRoom(first, room) }
      return .mail(first)
    }
    return isCancelled ? .interrupted(.cancelled) : .empty
  }

  /// Begins a selective receive; false if one is running.
  package mutating func beginReceive() -> Bool {
    if isReceiving { return false }
    isReceiving = true
    mail.prepend(&skipped)
    return true
  }

  /// The next mail for a selective receive to look at. It still counts as queued; the receive
  /// then says `accept` or `skip`.
  package mutating func look() -> Next {
    if case .running = status {} else { return .interrupted(.exiting) }
    if let first = mail.popFirst() {
      isLooking = true
      return .mail(first)
    }
    return isCancelled ? .interrupted(.cancelled) : .empty
  }

  /// Leaves the mail that was looked at for a later receive.
  ///
  /// - Returns: what a bounded mailbox drops on the occasion.
  package mutating func skip(_ mail: Mail) -> Displaced? {
    isLooking = false
    guard case .running = status else {
      ledger.droppedByExit += 1
      return nil
    }
    if let bounds { return skipBounded(mail, bounds) }
    skipped.append(mail)
    return nil
  }

  /// What came of taking the mail that was looked at.
  package enum Accepted: Sendable {
    /// With whom it let into a bounded mailbox. `endsTurn` now and then: a process that always finds
    /// what it looks for has to let others run.
    case taken(Room?, endsTurn: Bool)
    /// An exit came in between, which takes it along.
    case exiting
  }

  /// Takes the mail that was looked at.
  package mutating func accept(_ mail: Mail) -> Accepted {
    isLooking = false
    guard case .running = status else {
      ledger.droppedByExit += 1
      return .exiting
    }
    ledger.handled += 1
    current = CurrentMail(kind: mail.kind, type: type(of: mail))
    var room: Room?
    if let bounds { room = makeRoom(mail, bounds) }
    return .taken(room, endsTurn: ledger.handled & 127 == 0)
  }

  package mutating func endReceive() {
    isReceiving = false
    mail.prepend(&skipped)
  }

  /// Puts a waiting receiver in place, unless there is by now something to do at once.
  package mutating func park(_ receiver: Receiver) -> MailWake? {
    if case .running = status {} else { return .interrupted(.exiting) }
    if !mail.isEmpty { return .mail }
    if isCancelled { return .interrupted(.cancelled) }
    receiveNumber += 1
    current = nil
    self.receiver = receiver
    return nil
  }

  package mutating func takeReceiver() -> Receiver? {
    guard let waiting = receiver else { return nil }
    receiver = nil
    return waiting
  }

  /// The deadline of wait `number` has come; nil if that wait is over.
  package mutating func receiveTimedOut(_ number: UInt64) -> Receiver? {
    receiveNumber == number ? takeReceiver() : nil
  }
}
