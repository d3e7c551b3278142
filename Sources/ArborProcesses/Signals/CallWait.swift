/// A call under way, as its server's process sees it: somebody to tell if the server ends.
@usableFromInline
package class AnyCallWait: Wait, @unchecked Sendable {
  // Unchecked, for exclusive access too: the links belong to the server's process and are touched
  // under its lock.
  @usableFromInline package final let server: ProcessCore
  @exclusivity(unchecked) fileprivate final var next: AnyCallWait?
  @exclusivity(unchecked) fileprivate final unowned(unsafe) var previous: AnyCallWait?
  @exclusivity(unchecked) fileprivate final var isListed = false
  /// Names the mail of the request, in a bounded mailbox, which may have to drop it.
  package final var request: ObjectIdentifier?

  @usableFromInline
  package init(server: ProcessCore) { self.server = server }

  /// Ends the call for want of an answer.
  @usableFromInline
  package func fail(_ error: CallError) {}

  @usableFromInline
  override package final func interrupt(_ interruption: Interruption) {
    fail(interruption == .timeout ? .timeout : .cancelled)
  }
}

/// A call that waits for a reply of one type.
@usableFromInline
package final class CallWait<Reply: Sendable>: AnyCallWait, @unchecked Sendable {
  // Unchecked: as `Wait`.
  @exclusivity(unchecked) @usableFromInline package var result: Result<Reply, CallError> = .failure(
    .cancelled)

  @inlinable
  package override init(server: ProcessCore) { super.init(server: server) }

  @inlinable
  package func reply(_ reply: Reply) { end { self.result = .success(reply) } }

  @inlinable
  override package func fail(_ error: CallError) { end { self.result = .failure(error) } }
}

/// The calls that a process has not answered yet: a list through the calls themselves, so that one
/// that is answered leaves it in a few writes.
package struct CallList: @unchecked Sendable {
  // Unchecked: guarded as a whole by the lock of the process it belongs to.
  private var head: AnyCallWait?
  package private(set) var count = 0

  package init() {}

  package mutating func insert(_ call: AnyCallWait) {
    call.next = head
    head?.previous = call
    head = call
    call.isListed = true
    count += 1
  }

  package mutating func remove(_ call: AnyCallWait) {
    guard call.isListed else { return }
    call.isListed = false
    let next = call.next
    call.next = nil
    next?.previous = call.previous
    if let previous = call.previous { previous.next = next } else { head = next }
    call.previous = nil
    count -= 1
  }

  package func first(where fits: (AnyCallWait) -> Bool) -> AnyCallWait? {
    var current = head
    while let call = current {
      if fits(call) { return call }
      current = call.next
    }
    return nil
  }

  package mutating func takeAll() -> [AnyCallWait] {
    var all: [AnyCallWait] = []
    all.reserveCapacity(count)
    while let call = head {
      remove(call)
      all.append(call)
    }
    return all
  }
}
