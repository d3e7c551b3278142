/// One message in a mailbox: the envelope and, in ``ValueMail``, what is inside.
///
/// An object with its own link, so that a mailbox is a list without further allocations, and an
/// append is two writes.
@usableFromInline
package class Mail: @unchecked Sendable {
  // Unchecked: `next` belongs to the queue that the mail stands in and is only touched under the lock
  // around that, or by the one who took the mail or the whole queue out; the rest never changes.

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

  // Unchecked for exclusive access as well: under that lock nobody can overlap.
  @exclusivity(unchecked) package final var next: Mail?
  @usableFromInline package final let kind: Kind
  /// The trace that the sender was in; nil if in none.
  @usableFromInline package final let context: Ambient?

  @usableFromInline
  package init(_ kind: Kind, context: Ambient?) {
    self.kind = kind
    self.context = context
  }

  /// What is inside, of whatever type it is.
  @usableFromInline
  package var payload: any Sendable { fatalError("mail without a value") }

  /// The type of what is inside.
  package class var valueType: Any.Type { Never.self }
}

/// A mail and its value.
@usableFromInline
package final class ValueMail<Value: Sendable>: Mail, @unchecked Sendable {
  // Unchecked: as `Mail`; the value never changes.
  @usableFromInline package let value: Value

  @inlinable
  package init(_ kind: Kind, _ value: Value, context: Ambient?) {
    self.value = value
    super.init(kind, context: context)
  }

  @inlinable
  override package var payload: any Sendable { value }
  override package class var valueType: Any.Type { Value.self }
}

extension Mail {
  /// The value, if the mail was made for exactly this type. The mail itself is not retained for it.
  @inlinable
  @inline(__always)
  package final func exactValue<Value: Sendable>(of type: Value.Type) -> Value? {
    guard Swift.type(of: self) == ValueMail<Value>.self else { return nil }
    return Unmanaged.passUnretained(unsafeDowncast(self, to: ValueMail<Value>.self))
      ._withUnsafeGuaranteedRef { $0.value }
  }

  /// The mail as one of exactly that type, if it is: one comparison of classes, where `as?` asks the
  /// runtime.
  @inlinable
  @inline(__always)
  package final func exactly<Value: Sendable>(_ type: ValueMail<Value>.Type) -> ValueMail<Value>? {
    Swift.type(of: self) == type ? unsafeDowncast(self, to: type) : nil
  }

  /// The value, if it is of that type. Tells the common case, the very type, without a cast.
  @inlinable
  package final func value<Value: Sendable>(as type: Value.Type) -> Value? {
    if let mail = exactly(ValueMail<Value>.self) { return mail.value }
    return payload as? Value
  }
}
