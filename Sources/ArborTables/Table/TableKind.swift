/// What a table is: how it treats a second row under one key, and whether it keeps an order.
///
///     let scores = try Table<String, Int>(.orderedSet)
///
/// OTP: the types of `ets:new/2`.
public struct TableKind<Key: Hashable & Sendable, Value: Sendable>: Sendable {
  enum Shape: Sendable {
    case set
    case orderedSet(@Sendable (Key, Key) -> Bool)
    case bag(@Sendable (Value, Value) -> Bool)
    case duplicateBag
  }

  let shape: Shape

  init(_ shape: Shape) { self.shape = shape }

  /// One row under each key, in no order.
  public static var set: TableKind { TableKind(.set) }

  /// Any number of rows under each key, oldest first, also equal ones.
  public static var duplicateBag: TableKind { TableKind(.duplicateBag) }

  /// The kind without its types.
  public var name: TableKindName {
    switch shape {
    case .set: .set
    case .orderedSet: .orderedSet
    case .bag: .bag
    case .duplicateBag: .duplicateBag
    }
  }

  @usableFromInline
  init(isLess: @escaping @Sendable (Key, Key) -> Bool) { shape = .orderedSet(isLess) }

  @usableFromInline
  init(isSame: @escaping @Sendable (Value, Value) -> Bool) { shape = .bag(isSame) }
}

// Inlinable, so that the operators are those of the very type, without a witness between.

extension TableKind where Key: Comparable {
  /// One row under each key, in the order of the keys.
  ///
  /// The order decides, not `==`: keys of which neither is less than the other are one key.
  @inlinable
  public static var orderedSet: TableKind { TableKind(isLess: { $0 < $1 }) }
}

extension TableKind where Value: Equatable {
  /// Any number of rows under each key, oldest first, but only one of several that are equal.
  @inlinable
  public static var bag: TableKind { TableKind(isSame: { $0 == $1 }) }
}

/// The kinds of tables, whatever their rows are.
public enum TableKindName: String, Sendable, Hashable, CaseIterable {
  case set
  case orderedSet
  case bag
  case duplicateBag
}

/// Who may read and write a table. Its owner may do both always.
///
/// OTP: the access rights of `ets:new/2`.
public enum TableAccess: String, Sendable, Hashable, CaseIterable {
  /// All may read and write.
  case `public`
  /// All may read, the owner alone may write.
  case protected
  /// The owner alone may read and write.
  case `private`
}
