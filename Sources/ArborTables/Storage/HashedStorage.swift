public import Synchronization

/// A storage whose rows stand in a ``ShardedHash``.
@usableFromInline
package protocol HashedStorage<Key, Value>: TableStorage where Cursor == HashCursor {
  var rows: ShardedHash<Key, Slot> { get }
  /// False if a slot holds several values, which are then counted in the shard.
  static var hasSingleValues: Bool { get }
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
  @inlinable @inline(__always)
  package func lookup(_ key: Key) -> Slot? {
    let hash = rows.hash(key)
    return rows.withShard(hash) { $0.lookup(key, tag: HashShard<Key, Slot>.tag(hash)) }
  }

  @inlinable @inline(__always)
  package func lookupStamped(_ key: Key) -> (slot: Slot, stamp: UInt64)? {
    let hash = rows.hash(key)
    return rows.withShard(hash) { $0.lookupStamped(key, tag: HashShard<Key, Slot>.tag(hash)) }
  }

  @inlinable @inline(__always)
  package func contains(_ key: Key) -> Bool {
    let hash = rows.hash(key)
    return rows.withShard(hash) { $0.contains(key, tag: HashShard<Key, Slot>.tag(hash)) }
  }

  @inlinable
  package func stamp(of key: Key) -> UInt64 {
    let hash = rows.hash(key)
    return rows.withShard(hash) { $0.stamp(of: key, tag: HashShard<Key, Slot>.tag(hash)) }
  }

  @inlinable @inline(__always)
  package func modify<Result: Sendable>(
    _ key: Key, _ change: (inout Slot) -> Result
  ) -> Result? {
    let hash = rows.hash(key)
    return rows.withShard(hash) { $0.modify(key, tag: HashShard<Key, Slot>.tag(hash), change) }
  }

  @inlinable @inline(__always)
  package func replace(_ key: Key, stamp: UInt64, with slot: Slot) -> Slot? {
    let hash = rows.hash(key)
    return rows.withShard(hash) { shard in
      let old = shard.replace(key, tag: HashShard<Key, Slot>.tag(hash), stamp: stamp, with: slot)
      if !Self.hasSingleValues, let old {
        shard.objects &+= Self.values(of: slot).count &- Self.values(of: old).count
      }
      return old
    }
  }

  @inlinable @inline(__always)
  package func remove(_ key: Key, stamp: UInt64?) -> RemovedRow<Key, Slot>? {
    let hash = rows.hash(key)
    return rows.withShard(hash) { shard in
      let removed = shard.remove(
        key, tag: HashShard<Key, Slot>.tag(hash), stamp: stamp, leavingGhost: rows.hasWalkers)
      if !Self.hasSingleValues, let removed {
        shard.objects &-= Self.values(of: removed.slot).count
      }
      return removed
    }
  }

  @inlinable
  package func removeAll() -> RemovedRows<Key, Slot> {
    rows.withShards(rows.allShards) { shards in
      let hasWalkers = rows.hasWalkers
      let removed = RemovedRows<Key, Slot>()
      for number in 0..<rows.shardCount {
        let shard = shards.shard(number)
        if hasWalkers {
          removed.leavingGhosts += shard.pointee.takeAllLeavingGhosts()
        } else {
          removed.shards.append(shard.pointee.takeAll())
        }
      }
      return removed
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
    let hash = rows.hash(key)
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

  @inlinable package var hasWalkers: Bool { rows.hasWalkers }

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
      (0..<rows.shardCount).reduce(0) { sum, number in
        let shard = shards.shard(number)
        return sum + (Self.hasSingleValues ? shard.pointee.live : shard.pointee.objects)
      }
    }
  }

  @inlinable
  package var byteCount: Int {
    (0..<rows.shardCount).reduce(rows.shardCount * ShardedHash<Key, Slot>.spacing) {
      $0 + rows.withShard(number: $1) { $0.byteCount }
    }
  }
}
