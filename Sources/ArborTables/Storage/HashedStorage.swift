public import Synchronization

/// A storage whose rows stand in a ``ShardedHash``.
@usableFromInline
package protocol HashedStorage<Key, Value>: TableStorage where Cursor == HashCursor {
  var rows: ShardedHash<Key, Slot> { get }
}

/// A place in the traversal of a hash table: shard by shard, in the order of the rows' births.
@usableFromInline
package struct HashCursor: Sendable {
  @usableFromInline var shard: Int
  /// The birth of the last row met in the shard.
  @usableFromInline var birth: UInt64
  /// The last birth to be met in it: what is inserted behind the traveller is not waited for.
  @usableFromInline var last: UInt64

  @inlinable
  init(shard: Int, birth: UInt64, last: UInt64) {
    self.shard = shard
    self.birth = birth
    self.last = last
  }
}

extension HashedStorage {
  @inlinable
  package func lookup(_ key: Key) -> Slot? {
    let hash = ShardedHash<Key, Slot>.hash(key)
    return rows.withShard(hash) { $0.lookup(key, tag: HashShard<Key, Slot>.tag(hash)) }
  }

  @inlinable
  package func lookupStamped(_ key: Key) -> (slot: Slot, stamp: UInt64)? {
    let hash = ShardedHash<Key, Slot>.hash(key)
    return rows.withShard(hash) { $0.lookupStamped(key, tag: HashShard<Key, Slot>.tag(hash)) }
  }

  @inlinable
  package func contains(_ key: Key) -> Bool {
    let hash = ShardedHash<Key, Slot>.hash(key)
    return rows.withShard(hash) { $0.contains(key, tag: HashShard<Key, Slot>.tag(hash)) }
  }

  @inlinable
  package func replace(_ key: Key, stamp: UInt64, with slot: Slot) -> Slot? {
    let hash = ShardedHash<Key, Slot>.hash(key)
    return rows.withShard(hash) {
      $0.replace(key, tag: HashShard<Key, Slot>.tag(hash), stamp: stamp, with: slot)
    }
  }

  @inlinable
  package func remove(_ key: Key, stamp: UInt64?) -> RemovedRow<Key, Slot>? {
    let hash = ShardedHash<Key, Slot>.hash(key)
    return rows.withShard(hash) {
      $0.remove(
        key, tag: HashShard<Key, Slot>.tag(hash), stamp: stamp, leavingGhost: rows.hasWalkers)
    }
  }

  @inlinable
  package func removeAll() -> (any AnyObject & Sendable)? {
    rows.withShards(rows.allShards) { shards -> HashRemains<Key, Slot> in
      let hasWalkers = rows.hasWalkers
      let remains = HashRemains<Key, Slot>()
      for number in 0..<rows.shardCount {
        let shard = shards.shard(number)
        if hasWalkers {
          remains.slots += shard.pointee.takeAllLeavingGhosts()
        } else {
          remains.shards.append(shard.pointee.takeAll())
        }
      }
      return remains
    }
  }

  @inlinable
  package func chunk(
    after cursor: HashCursor?, limit: Int, into copies: inout [TraversedRow<Key, Slot>]
  ) -> HashCursor? {
    var place = cursor ?? HashCursor(shard: 0, birth: 0, last: .max)
    let wanted = copies.count + limit
    while place.shard < rows.shardCount {
      let next = rows.withShard(number: place.shard) { shard -> HashCursor? in
        let last = min(place.last, shard.clock)
        let birth = shard.copyRows(
          after: place.birth, upTo: last, limit: wanted - copies.count, into: &copies)
        return birth.map { HashCursor(shard: place.shard, birth: $0, last: last) }
      }
      place = next ?? HashCursor(shard: place.shard + 1, birth: 0, last: .max)
      if copies.count >= wanted { break }
    }
    return place.shard < rows.shardCount ? place : nil
  }

  @inlinable
  package func end(_ step: Step) -> Key? {
    for number in 0..<rows.shardCount {
      let shard = step == .forward ? number : rows.shardCount - 1 - number
      let key = rows.withShard(number: shard) { step == .forward ? $0.first() : $0.last() }
      if let key { return key }
    }
    return nil
  }

  @inlinable
  package func neighbour(of key: Key, _ step: Step) -> Key?? {
    let hash = ShardedHash<Key, Slot>.hash(key)
    let found = rows.withShard(hash) {
      $0.neighbour(of: key, tag: HashShard<Key, Slot>.tag(hash), step: step.rawValue)
    }
    guard let beside = found else { return nil }
    if let beside { return .some(beside) }
    var number = rows.shard(of: hash) + step.rawValue
    while number >= 0, number < rows.shardCount {
      let key = rows.withShard(number: number) { step == .forward ? $0.first() : $0.last() }
      if let key { return .some(key) }
      number += step.rawValue
    }
    return .some(nil)
  }

  @inlinable
  package func beginWalk() { rows.walkers.wrappingAdd(1, ordering: .relaxed) }

  @inlinable
  package func endWalk() {
    guard rows.walkers.wrappingSubtract(1, ordering: .relaxed).newValue == 0 else { return }
    for number in 0..<rows.shardCount {
      // Whoever deletes asks for walkers under the same lock, so no ghost is left behind here.
      let keys = rows.withShard(number: number) { shard in
        rows.hasWalkers ? [] : shard.takeGhosts()
      }
      _ = keys
    }
  }

  @inlinable
  package var count: Int {
    rows.withShards(rows.allShards) { shards in
      (0..<rows.shardCount).reduce(0) { $0 + shards.shard($1).pointee.live }
    }
  }

  @inlinable
  package var byteCount: Int {
    (0..<rows.shardCount).reduce(rows.shardCount * ShardedHash<Key, Slot>.spacing) {
      $0 + rows.withShard(number: $1) { $0.byteCount }
    }
  }
}

/// What a table held when it was emptied; releases it with itself.
@usableFromInline
package final class HashRemains<Key: Hashable & Sendable, Slot: Sendable>: @unchecked Sendable {
  // Unchecked: filled by whoever emptied the table, then owned by the one reference to it.
  @usableFromInline var shards: [HashShard<Key, Slot>] = []
  @usableFromInline var slots: [Slot] = []
  @inlinable init() {}
  deinit { for shard in shards { shard.destroy() } }
}
