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
    var mail: Mail? = mail
    return deliver(&mail)
  }

  /// Queues a mail, which is then no longer in the variable: a sender that still held it would count its
  /// references at the same time as the receiver. Refused, it stays, to be let go of without the lock.
  package mutating func deliver(_ mail: inout Mail?) -> Delivery {
    ledger.sent += 1
    guard hasMailbox else {
      ledger.noReceiver += 1
      return .refused
    }
    guard case .running = status else {
      ledger.droppedByExit += 1
      return .refused
    }
    if let bounds, let new = mail {
      switch overflow(new, bounds) {
      case .refused: return .full
      case .admitted(let displaced?):
        let call = caller(of: displaced)
        append(&mail)
        return .displaced(Displaced(mail: displaced, call: call), takeReceiver())
      case .admitted(nil): break
      }
    }
    append(&mail)
    guard let receiver = takeReceiver() else { return .queued }
    return .woke(receiver)
  }

  @inline(__always) mutating func append(_ mail: inout Mail?) {
    self.mail.append(&mail)
    let most = waiting &+ handed
    if most > ledger.highWater { raiseHighWater() }
  }

  private mutating func raiseHighWater() { ledger.highWater = max(ledger.highWater, queueLength) }

  /// How many messages wait, one that a receive is looking at included.
  package var queueLength: Int { waiting &+ (handed > 0 ? hand?.count ?? 0 : 0) }

  /// Without those in the hand.
  @inline(__always) private var waiting: Int {
    mail.count &+ skipped.count &+ (isLooking ? 1 : 0)
  }

  @usableFromInline
  package enum Next: Sendable {
    case mail(Mail)
    /// Nothing to look at: wait.
    case empty
    case interrupted(Interruption)
  }

  /// The next mail for a process that takes whatever comes: a server's loop.
  package mutating func next() -> Next {
    takeBack()
    if case .running = status {} else { return .interrupted(.exiting) }
    if let first = mail.popFirst() {
      handle(first)
      return .mail(first)
    }
    return isCancelled ? .interrupted(.cancelled) : .empty
  }

  @inline(__always) private mutating func handle(_ mail: Mail) {
    ledger.handled += 1
    current = CurrentMail(mail)
    if let bounds { makeRoom(mail, bounds) }
  }

  /// Begins a selective receive; false if one is running.
  package mutating func beginReceive() -> Bool {
    if isReceiving { return false }
    isReceiving = true
    hasTimedOut = false
    takeBack()
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
    if isCancelled { return .interrupted(.cancelled) }
    return hasTimedOut ? .interrupted(.timeout) : .empty
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

  /// Takes the mail that was looked at; false if an exit came in between, which takes it along.
  package mutating func accept(_ mail: Mail) -> Bool {
    isLooking = false
    guard case .running = status else {
      ledger.droppedByExit += 1
      return false
    }
    handle(mail)
    return true
  }

  package mutating func endReceive() {
    isReceiving = false
    // A deadline that comes now ends nothing any more.
    receiveNumber += 1
    hasTimedOut = false
    mail.prepend(&skipped)
  }

  /// Begins a wait for mail that a deadline may end: the number is what the deadline has to say.
  package mutating func beginWait() -> UInt64 {
    receiveNumber += 1
    hasTimedOut = false
    return receiveNumber
  }

  /// Puts a waiting receiver in place; false if there is by now something to do at once.
  package mutating func park(_ receiver: Receiver) -> Bool {
    // On its caller's stack a loop parks with mail in its hand.
    guard case .running = status, mail.isEmpty, handed == 0, !isCancelled, !hasTimedOut else {
      return false
    }
    current = nil
    self.receiver = receiver
    return true
  }

  package mutating func takeReceiver() -> Receiver? {
    guard let waiting = receiver else { return nil }
    receiver = nil
    return waiting
  }

  /// The deadline of wait `number` has come; nil if that wait is over.
  package mutating func receiveTimedOut(_ number: UInt64) -> Receiver? {
    guard receiveNumber == number else { return nil }
    hasTimedOut = true
    return takeReceiver()
  }
}
