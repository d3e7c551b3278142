/// What a bounded mailbox has beside its queue: its measure, and who waits for room in it.
///
/// An object, so that an unbounded mailbox pays for it with one word.
package final class MailboxBounds: @unchecked Sendable {
  // Unchecked: touched only under the lock of the process that it belongs to.
  package let capacity: Int
  package let overflow: MailboxOverflow
  /// How many of the queued messages take room.
  package var load = 0
  /// Who was let into it, until that is told.
  var room: Room?
  private var tickets: UInt32 = 0
  private var waiting: [RoomRequest?] = []
  private var waitingHead = 0

  private init(_ capacity: Int, _ overflow: MailboxOverflow) {
    precondition(
      capacity > 0, "A mailbox for no message at all takes none; bound it to one or more.")
    self.capacity = capacity
    self.overflow = overflow
  }

  /// Nil for a mailbox without bounds.
  // Not an initializer that fails, which would have made the object by then.
  package static func of(_ limit: MailboxLimit) -> MailboxBounds? {
    guard case .bounded(let capacity, let overflow) = limit else { return nil }
    return MailboxBounds(capacity, overflow)
  }

  package var isFull: Bool { load >= capacity }
  package var waitingCount: Int { waiting.count - waitingHead }

  /// Gives a request and who waits for its answer one number, by which the one finds the other.
  package func mark(_ mail: Mail, as wait: AnyCallWait) {
    tickets = tickets == .max ? 1 : tickets + 1
    mail.ticket = tickets
    wait.ticket = tickets
  }

  /// Puts a request behind the others.
  ///
  /// - Returns: requests that were given up meanwhile, to be let go of after the lock. They are
  ///   looked for only when the list is to grow, so that giving up costs no search.
  package func append(_ request: RoomRequest) -> [RoomRequest] {
    var ended: [RoomRequest] = []
    if waiting.count == waiting.capacity, waitingCount > 0 {
      var wanted: [RoomRequest?] = []
      for case let request? in waiting[waitingHead...] {
        if request.isWanted { wanted.append(request) } else { ended.append(request) }
      }
      wanted.reserveCapacity(2 * wanted.count + 8)
      waiting = wanted
      waitingHead = 0
    }
    waiting.append(request)
    return ended
  }

  package func popFirst() -> RoomRequest? {
    guard waitingHead < waiting.count else { return nil }
    // Moved out: nothing that is kept here may be let go of later, under the lock.
    var first: RoomRequest?
    swap(&first, &waiting[waitingHead])
    waitingHead += 1
    if waitingHead == waiting.count {
      waiting = []
      waitingHead = 0
    } else if waitingHead >= 32, waitingHead * 2 > waiting.count {
      waiting.removeFirst(waitingHead)
      waitingHead = 0
    }
    return first
  }

  package func takeAll() -> [RoomRequest] {
    defer {
      waiting = []
      waitingHead = 0
    }
    return waiting.compactMap(\.self)
  }
}

/// What is to be done once a message has left a bounded mailbox.
package struct Room: Sendable {
  /// Its message is in the mailbox now.
  package var admitted: RoomRequest?
  /// Its sender, who is to be told.
  package var resumer: Resumer?
  /// Given up meanwhile: let go of them.
  package var ended: [RoomRequest] = []

  package func finish() { resumer?.resume() }
}

/// A message that waits for room, and who waits with it.
package final class RoomRequest: Sendable {
  package let mail: Mail
  /// The wait of the call that the message is, or that of its sender.
  package let wait: Wait

  package init(_ mail: Mail, wait: Wait) {
    self.mail = mail
    self.wait = wait
  }

  /// False once it was given up: for its timeout, or the end of who waits.
  package var isWanted: Bool { !wait.isOver }

  /// Asks to let the message in; nil if it was given up. From then on a sender's wait is over, and the
  /// sender to be resumed if it is suspended already; a call waits on, for its answer.
  package func admit() -> (resumer: Resumer?, Void)? {
    if mail.kind == .call { return wait.isOver ? nil : (nil, ()) }
    return wait.claim()
  }

  /// Tells the sender that its message will never be taken. A call is told by the release.
  package func refuse(_ error: SendError) { (wait as? RoomWait)?.fail(error) }
}

/// A sender that waits for room.
package final class RoomWait: Wait, @unchecked Sendable {
  // Unchecked: as `Wait`.
  /// Why its message was not taken; nil if it was.
  private(set) var error: SendError?

  func fail(_ error: SendError) { end { self.error = error } }

  override package func interrupt(_ interruption: Interruption) {
    fail(interruption == .timeout ? .timeout : .cancelled)
  }
}
