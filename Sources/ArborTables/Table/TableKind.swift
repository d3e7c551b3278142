/// What a table is: how it treats a second row under one key, and whether it keeps an order.
///
///     let scores = try Table<String, Int>(.set)
///
/// OTP: the types of `ets:new/2`.
public struct TableKind<Key: Hashable & Sendable, Value: Sendable>: Sendable {
  enum Shape: Sendable {
    case set
  }

  let shape: Shape

  /// One row under each key, in no order.
  public static var set: TableKind { TableKind(shape: .set) }

  /// The kind without its types.
  public var name: TableKindName {
    switch shape {
    case .set: .set
    }
  }
}

/// The kinds of tables, whatever their rows are.
public enum TableKindName: String, Sendable, Hashable, CaseIterable {
  case set, orderedSet, bag, duplicateBag
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
