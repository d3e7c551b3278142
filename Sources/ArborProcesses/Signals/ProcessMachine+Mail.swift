extension ProcessMachine {
  package enum Delivery: Sendable {
    case refused
    case queued
    /// Queued, and this one waited for it.
    case woke(Receiver)
  }

  package mutating func deliver(_ mail: Mail) -> Delivery {
    ledger.sent += 1
    guard hasMailbox else {
      ledger.noReceiver += 1
      return .refused
    }
    guard status == .running else {
      ledger.droppedByExit += 1
      return .refused
    }
    self.mail.append(mail)
    guard let receiver = takeReceiver() else { return .queued }
    return .woke(receiver)
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
    if case .running = status {} else { return .interrupted(.exiting) }
    if let first = mail.popFirst() {
      ledger.handled += 1
      return .mail(first)
    }
    return isCancelled ? .interrupted(.cancelled) : .empty
  }

  /// Begins a selective receive; false if one is running.
  package mutating func beginReceive() -> Bool {
    if isReceiving { return false }
    isReceiving = true
    hasTimedOut = false
    mail.prepend(&skipped)
    return true
  }

  /// The next mail for a selective receive to look at. It still counts as queued; the receive
  /// then says `accept` or `skip`.
  package mutating func look() -> Next {
    if case .running = status {} else { return .interrupted(.exiting) }
    if let first = mail.popFirst() { return .mail(first) }
    if isCancelled { return .interrupted(.cancelled) }
    return hasTimedOut ? .interrupted(.timeout) : .empty
  }

  package mutating func skip(_ mail: Mail) {
    if case .running = status {
      skipped.append(mail)
    } else {
      ledger.droppedByExit += 1
    }
  }

  /// Takes the mail that was looked at; false if an exit came in between, which takes it along.
  package mutating func accept() -> Bool {
    guard case .running = status else {
      ledger.droppedByExit += 1
      return false
    }
    ledger.handled += 1
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
    guard case .running = status, mail.isEmpty, !isCancelled, !hasTimedOut else { return false }
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
