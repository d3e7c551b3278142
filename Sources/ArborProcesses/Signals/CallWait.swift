/// A call under way, as its server's process sees it: somebody to tell if the server ends.
@usableFromInline
package class AnyCallWait: Wait, @unchecked Sendable {
  // Unchecked, for exclusive access too: the links belong to the server's process and are touched
  // under its lock.
  // A variable because a wait may be used again: then nobody else holds it.
  @exclusivity(unchecked) @usableFromInline package final private(set) var server: ProcessCore
  // Not retained: who waits takes the call off the list before it lets go of it.
  @exclusivity(unchecked) fileprivate final var next: Unmanaged<AnyCallWait>?
  @exclusivity(unchecked) fileprivate final var previous: Unmanaged<AnyCallWait>?
  @exclusivity(unchecked) fileprivate final var isListed = false
  /// Names the mail of the request, in a bounded mailbox, which may have to drop it; else 0.
  @exclusivity(unchecked) package final var ticket: UInt32 = 0

  @usableFromInline
  package init(server: ProcessCore) { self.server = server }

  /// Makes ready for another call, by the same task: for it alone, who holds the only reference.
  final func reopen(for server: ProcessCore) {
    if server !== self.server { self.server = server }
    ticket = 0
    clock = nil
    reopen()
  }

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
  // Unchecked: as `Wait`. Two optionals, because a generic class asks the runtime for a `Result` of
  // its parameter anew each time that one is let go of.
  @exclusivity(unchecked) @usableFromInline var answer: Reply?
  @exclusivity(unchecked) @usableFromInline var error = CallError.cancelled

  @inlinable
  package override init(server: ProcessCore) { super.init(server: server) }

  /// A wait that was made ready to be used again, see ``ProcessMachine/reenter(_:for:until:)``. Who used it
  /// before may have left the answer in it.
  @inlinable
  static func again(_ last: Unmanaged<AnyCallWait>) -> CallWait {
    let wait = unsafeDowncast(last.takeRetainedValue(), to: CallWait.self)
    wait.answer = nil
    return wait
  }

  @inlinable
  package func reply(_ reply: Reply) { end { answer = reply } }

  @inlinable
  override package func fail(_ error: CallError) { end { self.error = error } }

  /// What came of it, once it is over.
  package func get() throws(CallError) -> Reply {
    guard let answer else { throw error }
    return answer
  }

  /// The same, taken out: who keeps the wait then does not keep the answer.
  @inlinable
  package func take() throws(CallError) -> Reply {
    guard let answer = answer.take() else { throw exchange(&error, with: .cancelled) }
    return answer
  }

  /// The same, as a value.
  package var outcome: Result<Reply, CallError> { answer.map { .success($0) } ?? .failure(error) }
}

/// The calls that a process has not answered yet: a list through the calls themselves, so that one
/// that is answered leaves it in a few writes.
package struct CallList: @unchecked Sendable {
  // Unchecked: guarded as a whole by the lock of the process it belongs to.
  private var head: Unmanaged<AnyCallWait>?
  package private(set) var count = 0

  package init() {}

  package mutating func insert(_ call: AnyCallWait) {
    let link = Unmanaged.passUnretained(call)
    call.next = head
    head?._withUnsafeGuaranteedRef { $0.previous = link }
    head = link
    call.isListed = true
    count += 1
  }

  package mutating func remove(_ call: AnyCallWait) {
    guard call.isListed else { return }
    call.isListed = false
    let (next, previous) = (call.next, call.previous)
    call.next = nil
    call.previous = nil
    next?._withUnsafeGuaranteedRef { $0.previous = previous }
    if let previous {
      previous._withUnsafeGuaranteedRef { $0.next = next }
    } else {
      head = next
    }
    count -= 1
  }

  package func first(where fits: (AnyCallWait) -> Bool) -> AnyCallWait? {
    var current = head
    while let call = current?.takeUnretainedValue() {
      if fits(call) { return call }
      current = call.next
    }
    return nil
  }

  package mutating func takeAll() -> [AnyCallWait] {
    if head == nil { return [] }
    var all: [AnyCallWait] = []
    all.reserveCapacity(count)
    while let call = head?.takeUnretainedValue() {
      remove(call)
      all.append(call)
    }
    return all
  }
}
