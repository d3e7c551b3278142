/// The rows of a `bag` or `duplicateBag`: any number of values under each key, oldest first.
@usableFromInline
package struct BagStorage<Key: Hashable & Sendable, Value: Sendable>: HashedStorage {
  @usableFromInline package typealias Slot = [Value]
  @usableFromInline package typealias Cursor = HashCursor

  @usableFromInline package let rows: ShardedHash<Key, [Value]>
  /// Tells values that are the same to a `bag`, which keeps one of them; nil for a `duplicateBag`.
  @usableFromInline let isSame: (@Sendable (Value, Value) -> Bool)?

  @inlinable
  package init(seed: UInt64, isSame: (@Sendable (Value, Value) -> Bool)?) {
    rows = ShardedHash(seed: seed)
    self.isSame = isSame
  }

  @inlinable package static var hasSingleValues: Bool { false }

  @inlinable package static func first(of slot: [Value]) -> Value { slot[0] }
  @inlinable package static func values(of slot: [Value]) -> [Value] { slot }

  @inlinable
  package static func slot(of values: [Value]) -> [Value]? { values.isEmpty ? nil : values }

  // What a bag has already is found out without a lock, since values are compared by a user's `==`:
  // on what stands there now, and again if the key was written meanwhile.

  @inlinable
  package func insert(_ key: Key, _ value: Value) -> [Value]? {
    let hash = rows.hash(key)
    guard let isSame else {
      rows.withShard(hash) { $0.append(key, hash, value) }
      return nil
    }
    while true {
      let stamp = stampUnlessHeld(key, hash) { isSame($0, value) }
      guard let stamp else { return nil }
      let isDone = rows.withShard(hash) { shard in
        guard shard.stamp(of: key, tag: HashShard<Key, [Value]>.tag(hash)) == stamp else {
          return false
        }
        shard.append(key, hash, value)
        return true
      }
      if isDone { return nil }
    }
  }

  /// The stamp of the key's values; nil if one of them is the one sought.
  ///
  /// The values themselves are let go of, so that the table can append to its own in place.
  @inlinable
  func stampUnlessHeld(_ key: Key, _ hash: UInt64, _ isSought: (Value) -> Bool) -> UInt64? {
    let found = rows.withShard(hash) {
      $0.lookupStamped(key, tag: HashShard<Key, [Value]>.tag(hash))
    }
    guard let found else { return HashShard<Key, [Value]>.Header.gap }
    return found.slot.contains(where: isSought) ? nil : found.stamp
  }

  @inlinable
  package func insertNew(_ key: Key, _ value: Value) -> Bool {
    let hash = rows.hash(key)
    return rows.withShard(hash) { shard in
      guard shard.insertNew(key, tag: HashShard<Key, [Value]>.tag(hash), [value]) else {
        return false
      }
      shard.objects &+= 1
      return true
    }
  }

  @inlinable
  package func insert(
    contentsOf new: [(key: Key, value: Value)]
  ) -> [(key: Key, value: Value)] {
    guard isSame != nil else {
      rows.withShards(of: new) { append(new, $1, to: $0) }
      return []
    }
    let distinct = distinct(new)
    while true {
      var missing: [(key: Key, value: Value)] = []
      let stamps = distinct.map { row -> UInt64 in
        let found = lookupStamped(row.key)
        if let isSame, let found, found.slot.contains(where: { isSame($0, row.value) }) {
          return found.stamp
        }
        missing.append(row)
        return found?.stamp ?? HashShard<Key, [Value]>.Header.gap
      }
      let missingHashes = missing.map { rows.hash($0.key) }
      let isDone = rows.withShards(of: distinct) { shards, hashes in
        for (number, hash) in hashes.enumerated() {
          let stamp = shards.shard(rows.shard(of: hash)).pointee.stamp(
            of: distinct[number].key, tag: HashShard<Key, [Value]>.tag(hash))
          if stamp != stamps[number] { return false }
        }
        append(missing, missingHashes, to: shards)
        return true
      }
      if isDone { return [] }
    }
  }

  @inlinable
  package func insertNew(contentsOf new: [(key: Key, value: Value)]) -> Bool {
    let distinct = distinct(new)
    return rows.withShards(of: distinct) { shards, hashes in
      for (row, hash) in zip(distinct, hashes) {
        let shard = shards.shard(rows.shard(of: hash))
        if shard.pointee.contains(row.key, tag: HashShard<Key, [Value]>.tag(hash)) { return false }
      }
      append(distinct, hashes, to: shards)
      return true
    }
  }

  /// The rows without those that a bag would not keep, because the list has them twice.
  @inlinable
  func distinct(_ new: [(key: Key, value: Value)]) -> [(key: Key, value: Value)] {
    guard let isSame else { return new }
    var values: [Key: [Value]] = [:]
    return new.filter { row in
      if values[row.key, default: []].contains(where: { isSame($0, row.value) }) { return false }
      values[row.key, default: []].append(row.value)
      return true
    }
  }

  @inlinable
  func append(
    _ new: [(key: Key, value: Value)], _ hashes: [UInt64], to shards: HeldShards<Key, [Value]>
  ) {
    for (row, hash) in zip(new, hashes) {
      shards.shard(rows.shard(of: hash)).pointee.append(row.key, hash, row.value)
    }
  }
}

extension HashShard {
  /// Adds a value behind those that the key has.
  @inlinable
  mutating func append<Value>(_ key: Key, _ hash: UInt64, _ value: Value) where Slot == [Value] {
    objects &+= 1
    let tag = Self.tag(hash)
    if modify(key, tag: tag, { $0.append(value) }) == nil { _ = insert(key, tag: tag, [value]) }
  }
}
