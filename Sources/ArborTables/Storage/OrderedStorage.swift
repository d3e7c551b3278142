public import ArborPrimitives
public import Synchronization

/// The rows of an `orderedSet`: one value under each key, in the order of the keys, under one lock.
@usableFromInline
package struct OrderedStorage<Key: Hashable & Sendable, Value: Sendable>: TableStorage {
  @usableFromInline package typealias Slot = Value

  /// A place in a traversal: the last key met, and the last one to be met.
  @usableFromInline
  package struct Cursor: Sendable {
    @usableFromInline let key: Key
    @usableFromInline let last: Key?
    @inlinable
    init(key: Key, last: Key?) {
      self.key = key
      self.last = last
    }
  }

  @usableFromInline
  final class Box: @unchecked Sendable {
    // Unchecked: a lock around rows whose keys and values are sendable.
    @usableFromInline let lock: Lock<OrderedRows<Key, Value>>
    @usableFromInline let walkers = Atomic(0)
    @inlinable
    init(isLess: @escaping @Sendable (Key, Key) -> Bool) {
      lock = Lock(OrderedRows(isLess: isLess))
    }
    deinit { lock.withLock { $0.destroy() } }
  }

  @usableFromInline let box: Box

  @inlinable
  package init(isLess: @escaping @Sendable (Key, Key) -> Bool) {
    box = Box(isLess: isLess)
  }

  /// Runs `body`, which is never a user's code.
  @inlinable
  func withRows<Result: Sendable>(_ body: (inout OrderedRows<Key, Value>) -> Result) -> Result {
    box.lock.withLock { body(&$0) }
  }

  @inlinable package static func first(of slot: Value) -> Value { slot }
  @inlinable package static func values(of slot: Value) -> [Value] { [slot] }
  @inlinable package static func slot(of values: [Value]) -> Value? { values.first }

  @inlinable package func lookup(_ key: Key) -> Value? { withRows { $0.lookup(key) } }
  @inlinable package func contains(_ key: Key) -> Bool { withRows { $0.contains(key) } }

  @inlinable
  package func lookupStamped(_ key: Key) -> (slot: Value, stamp: UInt64)? {
    withRows { $0.lookupStamped(key) }
  }

  @inlinable
  package func insert(_ key: Key, _ value: Value) -> Value? {
    withRows { $0.insert(key, value) }?.slot
  }

  @inlinable
  package func insertNew(_ key: Key, _ value: Value) -> Bool {
    withRows { $0.insertNew(key, value) }
  }

  @inlinable
  package func insert(
    contentsOf new: [(key: Key, value: Value)]
  ) -> [(key: Key, value: Value)] {
    let displaced = withRows { rows in new.compactMap { rows.insert($0.key, $0.value) } }
    return displaced.compactMap { row in row.key.map { ($0, row.slot) } }
  }

  @inlinable
  package func insertNew(contentsOf new: [(key: Key, value: Value)]) -> Bool {
    withRows { rows in
      for row in new where rows.contains(row.key) { return false }
      // A key that the list has twice is no obstacle to itself, and the list still holds its
      // first value.
      for row in new { _ = rows.insert(row.key, row.value) }
      return true
    }
  }

  @inlinable
  package func replace(_ key: Key, stamp: UInt64, with slot: Value) -> Value? {
    withRows { $0.replace(key, stamp: stamp, with: slot) }
  }

  @inlinable
  package func remove(_ key: Key, stamp: UInt64?) -> RemovedRow<Key, Value>? {
    withRows { $0.remove(key, stamp: stamp) }
  }

  @inlinable
  package func stamp(of key: Key) -> UInt64 {
    withRows { $0.lookupStamped(key)?.stamp ?? 0 }
  }

  @inlinable
  package func modify<Result: Sendable>(
    _ key: Key, _ change: (inout Value) -> Result
  ) -> Result? {
    withRows { $0.modify(key, change) }
  }

  @inlinable
  package func removeAll() -> RemovedRows<Key, Value> {
    withRows { rows in
      let removed = RemovedRows<Key, Value>()
      removed.ordered = rows.takeAll()
      return removed
    }
  }

  @inlinable
  package func chunk(
    after cursor: Cursor?, limit: Int, into copies: inout [TraversedRow<Key, Value>]
  ) -> Cursor? {
    withRows { rows in
      // What is inserted behind the last key meanwhile is not waited for.
      let last = cursor.map(\.last) ?? rows.last()
      let hasMore = rows.copyRows(after: cursor?.key, upTo: last, limit: limit, into: &copies)
      return hasMore ? copies.last.map { Cursor(key: $0.key, last: last) } : nil
    }
  }

  @inlinable
  package func end(_ step: Step) -> Key? {
    withRows { step == .forward ? $0.first() : $0.last() }
  }

  @inlinable
  package func neighbour(of key: Key, _ step: Step) -> Key?? {
    .some(withRows { step == .forward ? $0.next(after: key) : $0.previous(before: key) })
  }

  // Every key has its place in the order, deleted or not.
  @inlinable package func beginWalk() { box.walkers.wrappingAdd(1, ordering: .relaxed) }
  @inlinable package func endWalk() { box.walkers.wrappingSubtract(1, ordering: .relaxed) }
  @inlinable package var hasWalkers: Bool { box.walkers.load(ordering: .relaxed) > 0 }

  @inlinable package var count: Int { withRows { $0.count } }
  @inlinable package var byteCount: Int { withRows { $0.byteCount } }
}
