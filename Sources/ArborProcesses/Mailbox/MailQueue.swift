/// A first-in first-out list of mail, linked through the mails themselves.
///
/// Whoever lets go of one that is not empty calls ``removeAll()`` first: letting go of the head of
/// a long list would end the nodes recursively and run out of stack.
package struct MailQueue: @unchecked Sendable {
  // Unchecked: a value that is guarded as a whole, by the lock of the process or hand that it belongs to.
  private var head: Mail?
  // Not retained: the list itself holds it.
  private var tail: Unmanaged<Mail>?
  package private(set) var count = 0

  package init() {}

  package var isEmpty: Bool { head == nil }

  package mutating func append(_ mail: Mail) {
    var mail: Mail? = mail
    append(&mail)
  }

  /// Takes a mail out of a variable: nobody else then holds it, and nobody has to let go of it.
  package mutating func append(_ mail: inout Mail?) {
    guard let last = mail.map(Unmanaged.passUnretained) else { return }
    if let tail {
      tail._withUnsafeGuaranteedRef { $0.next = mail.take() }
    } else {
      head = mail.take()
    }
    tail = last
    count += 1
  }

  package mutating func popFirst() -> Mail? {
    guard let mail = head else { return nil }
    head = mail.next
    mail.next = nil
    if head == nil { tail = nil }
    count -= 1
    return mail
  }

  /// Puts another queue's mail before one's own.
  package mutating func prepend(_ other: inout MailQueue) {
    guard let otherTail = other.tail else { return }
    let head = head
    otherTail._withUnsafeGuaranteedRef { $0.next = head }
    self.head = other.head
    if tail == nil { tail = otherTail }
    count += other.count
    other = MailQueue()
  }

  /// Takes out the first mail that fits. The closure is the runtime's, never a user's.
  package mutating func removeFirst(where fits: (Mail) -> Bool) -> Mail? {
    var previous: Mail?
    var current = head
    while let mail = current {
      if fits(mail) {
        if let previous { previous.next = mail.next } else { head = mail.next }
        if mail.next == nil { tail = previous.map(Unmanaged.passUnretained) }
        mail.next = nil
        count -= 1
        return mail
      }
      previous = mail
      current = mail.next
    }
    return nil
  }

  /// Ends every mail in it, one by one.
  package mutating func removeAll() {
    while popFirst() != nil {}
  }

  package func visit(_ body: (Mail) -> Void) {
    var current = head
    while let mail = current {
      body(mail)
      current = mail.next
    }
  }
}
