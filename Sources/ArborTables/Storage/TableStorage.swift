/// What every kind of table keeps its rows in: one protocol, so that one suite tests them all.
///
/// Each call is atomic. Nothing of a user's runs inside one but the key's `==`, `hash` and `<`, and
/// a bag's `==` of values. What a change throws out is returned for the caller to drop.
@usableFromInline
package protocol TableStorage<Key, Value>: Sendable {
  associatedtype Key: Hashable & Sendable
  associatedtype Value: Sendable
  /// What stands under one key: a value, or a bag's values.
  associatedtype Slot: Sendable
  /// A place in a traversal.
  associatedtype Cursor: Sendable

  /// The oldest value of the slot.
  static func first(of slot: Slot) -> Value
  static func values(of slot: Slot) -> [Value]

  func lookup(_ key: Key) -> Slot?
  func lookupStamped(_ key: Key) -> (slot: Slot, stamp: UInt64)?
  func contains(_ key: Key) -> Bool

  func insert(_ key: Key, _ value: Value) -> Slot?
  func insert(contentsOf rows: [(key: Key, value: Value)]) -> [Slot]
  func insertNew(_ key: Key, _ value: Value) -> Bool
  func insertNew(contentsOf rows: [(key: Key, value: Value)]) -> Bool
  func replace(_ key: Key, stamp: UInt64, with slot: Slot) -> Slot?
  func remove(_ key: Key, stamp: UInt64?) -> RemovedRow<Key, Slot>?
  func removeAll() -> (any AnyObject & Sendable)?

  /// Copies out about `limit` rows that come after the cursor.
  ///
  /// Every key that is there from the first chunk to the last is in exactly one of them.
  ///
  /// - Returns: the place to go on at; nil at the end.
  func chunk(
    after cursor: Cursor?, limit: Int, into rows: inout [TraversedRow<Key, Slot>]
  ) -> Cursor?

  /// The key at one end, in the order of `chunk`.
  func end(_ step: Step) -> Key?
  /// The key beside another one; nil if that one is unknown, a nil key if there is none beside it.
  func neighbour(of key: Key, _ step: Step) -> Key??

  /// While a walker is there, deleted keys keep their neighbours.
  func beginWalk()
  func endWalk()

  var count: Int { get }
  /// Bytes, without what the rows refer to.
  var byteCount: Int { get }
}

/// A direction in a table's order.
@usableFromInline
package enum Step: Int, Sendable {
  case forward = 1
  case backward = -1
}
