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
  /// Nil if there are none; a storage of single values takes the first.
  static func slot(of values: [Value]) -> Slot?

  func lookup(_ key: Key) -> Slot?
  func lookupStamped(_ key: Key) -> (slot: Slot, stamp: UInt64)?
  func contains(_ key: Key) -> Bool
  /// The stamp of what stands under the key; 0 if nothing does.
  func stamp(of key: Key) -> UInt64

  func insert(_ key: Key, _ value: Value) -> Slot?
  /// Returns what was displaced.
  func insert(contentsOf rows: [(key: Key, value: Value)]) -> [(key: Key, value: Value)]
  func insertNew(_ key: Key, _ value: Value) -> Bool
  func insertNew(contentsOf rows: [(key: Key, value: Value)]) -> Bool
  /// Changes in place; `change` is never a user's code and keeps the number of values.
  func modify<Result: Sendable>(_ key: Key, _ change: (inout Slot) -> Result) -> Result?
  func replace(_ key: Key, stamp: UInt64, with slot: Slot) -> Slot?
  func remove(_ key: Key, stamp: UInt64?) -> RemovedRow<Key, Slot>?
  func removeAll() -> RemovedRows<Key, Slot>

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
  var hasWalkers: Bool { get }

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

/// All that a table held when it was emptied; released with this.
@usableFromInline
package final class RemovedRows<Key: Hashable & Sendable, Slot: Sendable>: @unchecked Sendable {
  // Unchecked: filled by whoever empties the table, under its locks, and from then on only read.
  @usableFromInline var shards: [HashShard<Key, Slot>] = []
  /// Of a table that somebody walks through; the keys stay behind.
  @usableFromInline var leavingGhosts: [(key: Key, slot: Slot)] = []
  @usableFromInline var ordered: OrderedRows<Key, Slot>?

  @inlinable init() {}

  deinit {
    for shard in shards { shard.destroy() }
    ordered?.destroy()
  }

  package func visit(_ body: (Key, Slot) -> Void) {
    var rows: [TraversedRow<Key, Slot>] = []
    for shard in shards { _ = shard.copyRows(after: 0, upTo: .max, limit: .max, into: &rows) }
    _ = ordered?.copyRows(after: nil, upTo: nil, limit: .max, into: &rows)
    for row in rows { body(row.key, row.slot) }
    for row in leavingGhosts { body(row.key, row.slot) }
  }
}
