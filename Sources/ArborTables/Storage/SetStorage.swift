/// The rows of a `set`: one value under each key, in no order.
@usableFromInline
package struct SetStorage<Key: Hashable & Sendable, Value: Sendable>: TableStorage {
  @usableFromInline package typealias Slot = Value
  @usableFromInline package let rows: ShardedHash<Key, Value>

  @inlinable
  package init(seed: UInt64) { rows = ShardedHash(seed: seed) }

  @inlinable package static func first(of slot: Value) -> Value { slot }
  @inlinable package static func values(of slot: Value) -> [Value] { [slot] }
  @inlinable package static func slot(of values: [Value]) -> Value? { values.first }

  @inlinable @inline(__always)
  package func insert(_ key: Key, _ value: Value) -> Value? {
    let hash = rows.hash(key)
    return rows.withShard(hash) { $0.insert(key, tag: HashShard<Key, Value>.tag(hash), value) }
  }

  @inlinable
  package func insert(
    contentsOf new: [(key: Key, value: Value)]
  ) -> [(key: Key, value: Value)] {
    rows.withShards(of: new) { shards, hashes in
      var displaced: [(key: Key, value: Value)] = []
      for (row, hash) in zip(new, hashes) {
        let old = shards.shard(rows.shard(of: hash)).pointee.insert(
          row.key, tag: HashShard<Key, Value>.tag(hash), row.value)
        if let old { displaced.append((row.key, old)) }
      }
      return displaced
    }
  }

  @inlinable
  package func insertNew(_ key: Key, _ value: Value) -> Bool {
    let hash = rows.hash(key)
    return rows.withShard(hash) { $0.insertNew(key, tag: HashShard<Key, Value>.tag(hash), value) }
  }

  @inlinable
  package func insertNew(contentsOf new: [(key: Key, value: Value)]) -> Bool {
    // A key that the list has twice is no obstacle to itself; then its last row counts. What
    // that row displaces came in a moment ago, so the list still holds it.
    rows.withShards(of: new) { shards, hashes in
      for (row, hash) in zip(new, hashes) {
        let shard = shards.shard(rows.shard(of: hash))
        if shard.pointee.contains(row.key, tag: HashShard<Key, Value>.tag(hash)) { return false }
      }
      for (row, hash) in zip(new, hashes) {
        _ = shards.shard(rows.shard(of: hash)).pointee.insert(
          row.key, tag: HashShard<Key, Value>.tag(hash), row.value)
      }
      return true
    }
  }
}

extension SetStorage: HashedStorage {
  @inlinable package static var hasSingleValues: Bool { true }
  @usableFromInline package typealias Cursor = HashCursor
}
