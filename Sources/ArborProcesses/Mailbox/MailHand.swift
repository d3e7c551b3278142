import ArborPrimitives
import Synchronization

/// What a server's loop has taken out of its mailbox, all that was there at once, to handle it one by
/// one: while it does, the senders have the lock of the mailbox to themselves.
///
/// For everybody else it is still in the mailbox. Whoever looks into one under the lock of its process
/// has the machine take it back first, see ``ProcessMachine/takeBack()``, so that an exit takes it along,
/// a flush finds it, and what is counted is true.
///
/// Its lock is the last to be taken: under it nothing is called.
package final class MailHand: Sendable {
  struct Content: Sendable {
    var mail = MailQueue()
    /// How many have been taken out of it since it was filled, and which was the last.
    var handled = 0
    var current: CurrentMail?
  }

  private let content = Lock(Content())
  /// How many are left, for senders, who would have to wait for the lock.
  private let left = Atomic(0)

  init() {}

  var count: Int { left.load(ordering: .relaxed) }

  /// The next mail, for the loop.
  package func next() -> Mail? {
    content.withLock { content in
      guard let mail = content.mail.popFirst() else { return nil }
      content.handled += 1
      content.current = CurrentMail(mail)
      left.store(content.mail.count, ordering: .relaxed)
      return mail
    }
  }

  /// Takes all of a queue; there is nothing in the hand.
  func fill(_ mail: inout MailQueue) {
    content.withLock { content in
      swap(&content.mail, &mail)
      left.store(content.mail.count, ordering: .relaxed)
    }
  }

  /// Gives back what is left, and says what became of the rest.
  func empty() -> Content {
    content.withLock { content in
      defer { content = Content() }
      left.store(0, ordering: .relaxed)
      return content
    }
  }
}

extension ProcessMachine {
  /// Takes back what the loop has in its hand, before anybody else looks at mail.
  @inline(__always) package mutating func takeBack() {
    if handed > 0 { takeAllBack() }
  }

  @inline(never) private mutating func takeAllBack() {
    guard let hand else { return }
    handed = 0
    var content = hand.empty()
    mail.prepend(&content.mail)
    guard content.handled > 0 else { return }
    ledger.handled += content.handled
    current = content.current
  }

  /// Gives the loop all mail that there is; nil if it is to take one at a time. A bounded mailbox counts
  /// what leaves it, and a receive of a task of the server's looks at all.
  package mutating func handOver() -> Unmanaged<MailHand>? {
    if bounds != nil || isReceiving { return nil }
    guard case .running = status else { return nil }
    let hand = hand ?? MailHand()
    self.hand = hand
    handed = mail.count
    hand.fill(&mail)
    return .passUnretained(hand)
  }

  /// Takes a mail out of the queue that nobody shall read.
  package mutating func flush(where isThat: (Mail) -> Bool) -> Mail? {
    takeBack()
    let flushed = mail.removeFirst(where: isThat) ?? skipped.removeFirst(where: isThat)
    if flushed != nil { ledger.flushed += 1 }
    return flushed
  }

  /// The ledger, up to date.
  package mutating func countedLedger() -> MailboxLedger {
    takeBack()
    return ledger
  }
}
