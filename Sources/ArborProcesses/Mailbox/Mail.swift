/// One message in a mailbox: the envelope and what is inside, of whatever type that is.
///
/// An object with its own link, so that a mailbox is a list without further allocations, and an append is
/// two writes. A mail that has been handled is used again, whatever it had inside, see ``SpareMail``.
@usableFromInline
package final class Mail: @unchecked Sendable {
  // Unchecked, and for exclusive access as well: `next` belongs to the queue that the mail stands in and is
  // only touched under the lock around that, or by the one who took the mail or the whole queue out. The
  // rest changes only while one alone holds the mail, before it is sent and after it has been handled.

  @usableFromInline
  package enum Kind: UInt8, Sendable {
    /// From `send`.
    case message
    /// To a GenServer, typed.
    case call, cast
    /// From the runtime; never dropped by a bounded mailbox.
    case down, exit, timeout, system
    /// From a server to itself, before anything else.
    case step
  }

  @exclusivity(unchecked) package final var next: Mail?
  /// Where the sender was, if that is to be carried along.
  @exclusivity(unchecked) @usableFromInline final var sender: Ambient?
  /// The type of what is inside; nil if that has been taken out, to be used again.
  @exclusivity(unchecked) @usableFromInline final var type: (any Sendable.Type)?
  /// What is inside: the value itself, or where it has no room a ``LargeValue``.
  @exclusivity(unchecked) @usableFromInline final var content: Content = (0, 0, 0, 0, 0, 0)
  @exclusivity(unchecked) @usableFromInline final var sort = Kind.message
  /// True if others than the receiver have been shown it, who may still look: then it is not used again.
  @exclusivity(unchecked) final var isShown = false
  /// Names a call's mail in a bounded mailbox; 0 elsewhere.
  @exclusivity(unchecked) final var ticket: UInt32 = 0

  // These are read so, because in other modules the attributes above would count for nothing.

  @inlinable package final var kind: Kind { sort }
  /// The trace that the sender was in; nil if in none.
  @inlinable package final var context: Ambient? { sender }

  // Good beyond the closure that it comes out of: a stored property stays where it is as long as its object.
  // Never inlined: where the optimiser sees that it leads to numbers, it takes it that no object can get out
  // that way, and makes one that is sent on the sender's stack.
  @inline(never)
  @usableFromInline final var place: UnsafeMutableRawPointer {
    withUnsafeMutablePointer(to: &content) { UnsafeMutableRawPointer($0) }
  }

  // As much as fits into what malloc hands out for a mail anyway; and a ``Down`` does.
  @usableFromInline typealias Content = (UInt, UInt, UInt, UInt, UInt, UInt8)

  @usableFromInline
  init() {}

  deinit { if type != nil { clear() } }

  /// A mail for a message.
  package static func make<Value: Sendable>(
    _ kind: Kind, _ value: Value, context: Ambient?
  ) -> Mail {
    let mail = Mail()
    mail.fill(kind, value, context)
    return mail
  }

  /// Puts a message into a mail that is empty.
  @inlinable
  @inline(__always)
  final func fill<Value: Sendable>(_ kind: Kind, _ value: Value, _ context: Ambient?) {
    sort = kind
    sender = context
    type = Value.self
    if Self.fits(Value.self) {
      place.initializeMemory(as: Value.self, to: value)
    } else {
      place.initializeMemory(as: LargeValue<Value>.self, to: LargeValue(value))
    }
  }

  /// Makes it ready for another message. What it lets go of may run a user's code.
  final func empty() {
    if type != nil { clear() }
    if sender != nil { sender = nil }
    ticket = 0
  }

  /// Whether a value of that type has room in the mail itself.
  @inlinable
  @inline(__always)
  static func fits<Value>(_ type: Value.Type) -> Bool {
    MemoryLayout<Value>.size <= MemoryLayout<Content>.size
      && MemoryLayout<Value>.alignment <= MemoryLayout<Content>.alignment
  }

  /// The value, which is of that type.
  @inlinable
  @inline(__always)
  final func load<Value: Sendable>(as type: Value.Type) -> Value {
    Self.fits(type)
      ? place.assumingMemoryBound(to: type).pointee
      : place.assumingMemoryBound(to: LargeValue<Value>.self).pointee.value
  }

  /// Lets go of the value, which is of that type.
  @inlinable
  @inline(__always)
  final func clear<Value>(as type: Value.Type) {
    self.type = nil
    if Self.fits(type) {
      place.assumingMemoryBound(to: type).deinitialize(count: 1)
    } else {
      place.assumingMemoryBound(to: LargeValue<Value>.self).deinitialize(count: 1)
    }
  }

  // Where the type is not known, it is what the mail says: these are opened and not specialised.

  @usableFromInline
  final func clear() {
    func clear<Value: Sendable>(_ type: Value.Type) { self.clear(as: type) }
    if let type { clear(type) }
  }

  /// What is inside, of whatever type it is.
  @usableFromInline
  package final var payload: any Sendable {
    func load<Value: Sendable>(_ type: Value.Type) -> any Sendable { self.load(as: type) }
    guard let type else { fatalError("a mail without a value") }
    return load(type)
  }

  /// The type of what is inside.
  package final var valueType: any Sendable.Type { type ?? Never.self }
}

/// A value that has no room in a mail.
@usableFromInline
final class LargeValue<Value>: @unchecked Sendable {
  // Unchecked: it is made for values only that may be sent.
  @usableFromInline let value: Value
  @inlinable init(_ value: Value) { self.value = value }
}

extension Mail {
  /// The value, if it is of exactly that type: one comparison, where a cast asks the runtime.
  @inlinable
  @inline(__always)
  package func exactValue<Value: Sendable>(of type: Value.Type) -> Value? {
    self.type == type ? load(as: type) : nil
  }

  /// The value, if it is of that type. Tells the common case, the very type, without a cast.
  @inlinable
  package func value<Value: Sendable>(as type: Value.Type) -> Value? {
    exactValue(of: type) ?? payload as? Value
  }
}
