/// The storage of one table: whichever its kind needs.
///
/// An enum and not an existential, so that each operation is specialised down to the storage. What
/// depends on the storage's own types, like a traversal, is written once for any ``TableStorage``.
@usableFromInline
enum StorageEngine<Key: Hashable & Sendable, Value: Sendable>: Sendable {
  case set(SetStorage<Key, Value>)
  case ordered(OrderedStorage<Key, Value>)
  case bag(BagStorage<Key, Value>)

  init(_ kind: TableKind<Key, Value>, seed: UInt64) {
    switch kind.shape {
    case .set: self = .set(SetStorage(seed: seed))
    case .orderedSet(let isLess): self = .ordered(OrderedStorage(isLess: isLess))
    case .bag(let isSame): self = .bag(BagStorage(seed: seed, isSame: isSame))
    case .duplicateBag: self = .bag(BagStorage(seed: seed, isSame: nil))
    }
  }
}

/// What was taken out of a table, to be dropped without a lock.
@usableFromInline
enum TakenOut<Key: Sendable, Value: Sendable>: Sendable {
  case nothing
  case row(RemovedRow<Key, Value>)
  case bag(RemovedRow<Key, [Value]>)

  @inlinable
  init(_ removed: RemovedRow<Key, Value>?) {
    if let removed { self = .row(removed) } else { self = .nothing }
  }

  @inlinable
  init(_ removed: RemovedRow<Key, [Value]>?) {
    if let removed { self = .bag(removed) } else { self = .nothing }
  }

  @inlinable var first: Value? {
    switch self {
    case .nothing: nil
    case .row(let row): row.slot
    case .bag(let row): row.slot[0]
    }
  }

  @inlinable var all: [Value] {
    switch self {
    case .nothing: []
    case .row(let row): [row.slot]
    case .bag(let row): row.slot
    }
  }
}

// MARK: Reading

extension StorageEngine {
  @inlinable
  func lookup(_ key: Key) -> Value? {
    switch self {
    case .set(let rows): rows.lookup(key)
    case .ordered(let rows): rows.lookup(key)
    case .bag(let rows): rows.lookup(key)?[0]
    }
  }

  @inlinable
  func lookupAll(_ key: Key) -> [Value] {
    switch self {
    case .set(let rows): rows.lookup(key).map { [$0] } ?? []
    case .ordered(let rows): rows.lookup(key).map { [$0] } ?? []
    case .bag(let rows): rows.lookup(key) ?? []
    }
  }

  @inlinable
  func contains(_ key: Key) -> Bool {
    switch self {
    case .set(let rows): rows.contains(key)
    case .ordered(let rows): rows.contains(key)
    case .bag(let rows): rows.contains(key)
    }
  }

  @inlinable
  func stamp(of key: Key) -> UInt64 {
    switch self {
    case .set(let rows): rows.stamp(of: key)
    case .ordered(let rows): rows.stamp(of: key)
    case .bag(let rows): rows.stamp(of: key)
    }
  }

  /// The value of a set's row with its stamp; nil also in a bag.
  @inlinable
  func lookupSingle(_ key: Key) -> (slot: Value, stamp: UInt64)? {
    switch self {
    case .set(let rows): rows.lookupStamped(key)
    case .ordered(let rows): rows.lookupStamped(key)
    case .bag: nil
    }
  }

  /// The values under a key, with the stamp for `put(_:under:ifStamp:)`; 0 if there are none.
  @inlinable
  func lookupStamped(_ key: Key) -> (values: [Value], stamp: UInt64) {
    switch self {
    case .set(let rows): rows.lookupStamped(key).map { ([$0.slot], $0.stamp) } ?? ([], 0)
    case .ordered(let rows): rows.lookupStamped(key).map { ([$0.slot], $0.stamp) } ?? ([], 0)
    case .bag(let rows): rows.lookupStamped(key).map { ($0.slot, $0.stamp) } ?? ([], 0)
    }
  }

  var count: Int {
    switch self {
    case .set(let rows): rows.count
    case .ordered(let rows): rows.count
    case .bag(let rows): rows.count
    }
  }

  var byteCount: Int {
    switch self {
    case .set(let rows): rows.byteCount
    case .ordered(let rows): rows.byteCount
    case .bag(let rows): rows.byteCount
    }
  }
}

// MARK: Writing

extension StorageEngine {
  /// Returns what the row displaced: nothing in a bag.
  @inlinable
  func insert(_ key: Key, _ value: Value) -> Value? {
    switch self {
    case .set(let rows): return rows.insert(key, value)
    case .ordered(let rows): return rows.insert(key, value)
    case .bag(let rows):
      _ = rows.insert(key, value)
      return nil
    }
  }

  @inlinable
  func insert(contentsOf new: [(key: Key, value: Value)]) -> [(key: Key, value: Value)] {
    switch self {
    case .set(let rows): return rows.insert(contentsOf: new)
    case .ordered(let rows): return rows.insert(contentsOf: new)
    case .bag(let rows):
      _ = rows.insert(contentsOf: new)
      return []
    }
  }

  @inlinable
  func insertNew(_ key: Key, _ value: Value) -> Bool {
    switch self {
    case .set(let rows): rows.insertNew(key, value)
    case .ordered(let rows): rows.insertNew(key, value)
    case .bag(let rows): rows.insertNew(key, value)
    }
  }

  @inlinable
  func insertNew(contentsOf new: [(key: Key, value: Value)]) -> Bool {
    switch self {
    case .set(let rows): rows.insertNew(contentsOf: new)
    case .ordered(let rows): rows.insertNew(contentsOf: new)
    case .bag(let rows): rows.insertNew(contentsOf: new)
    }
  }

  /// Returns the old value; nil, and nothing changed, if the row was written meanwhile.
  @inlinable
  func replaceSingle(_ key: Key, stamp: UInt64, with value: Value) -> Value? {
    switch self {
    case .set(let rows): rows.replace(key, stamp: stamp, with: value)
    case .ordered(let rows): rows.replace(key, stamp: stamp, with: value)
    case .bag: nil
    }
  }

  @inlinable @inline(__always)
  func remove(_ key: Key, stamp: UInt64? = nil) -> TakenOut<Key, Value> {
    switch self {
    case .set(let rows): TakenOut(rows.remove(key, stamp: stamp))
    case .ordered(let rows): TakenOut(rows.remove(key, stamp: stamp))
    case .bag(let rows): TakenOut(rows.remove(key, stamp: stamp))
    }
  }

  /// Puts these values in place of those that were read with this stamp; takes them away if there
  /// are none.
  ///
  /// - Returns: nil if the key was written meanwhile, and nothing changed; else what stood there.
  @inlinable
  func put(_ values: [Value], under key: Key, ifStamp stamp: UInt64) -> [Value]? {
    switch self {
    case .set(let rows): rows.put(values, under: key, ifStamp: stamp)
    case .ordered(let rows): rows.put(values, under: key, ifStamp: stamp)
    case .bag(let rows): rows.put(values, under: key, ifStamp: stamp)
    }
  }

  func removeAll() -> RemovedAll<Key, Value> {
    switch self {
    case .set(let rows): .rows(rows.removeAll())
    case .ordered(let rows): .rows(rows.removeAll())
    case .bag(let rows): .bag(rows.removeAll())
    }
  }
}

extension TableStorage {
  @inlinable
  func put(_ values: [Value], under key: Key, ifStamp stamp: UInt64) -> [Value]? {
    let displaced =
      if let slot = Self.slot(of: values) {
        replace(key, stamp: stamp, with: slot)
      } else {
        remove(key, stamp: stamp)?.slot
      }
    return displaced.map(Self.values(of:))
  }
}

/// All that was taken out of a table at once.
enum RemovedAll<Key: Hashable & Sendable, Value: Sendable>: Sendable {
  case rows(RemovedRows<Key, Value>)
  case bag(RemovedRows<Key, [Value]>)

  func visit(_ body: (Key, Value) -> Void) {
    switch self {
    case .rows(let rows): rows.visit(body)
    case .bag(let rows): rows.visit { key, values in for value in values { body(key, value) } }
    }
  }
}

// MARK: Walking through

extension StorageEngine {
  func end(_ step: Step) -> Key? {
    switch self {
    case .set(let rows): rows.end(step)
    case .ordered(let rows): rows.end(step)
    case .bag(let rows): rows.end(step)
    }
  }

  func neighbour(of key: Key, _ step: Step) -> Key?? {
    switch self {
    case .set(let rows): rows.neighbour(of: key, step)
    case .ordered(let rows): rows.neighbour(of: key, step)
    case .bag(let rows): rows.neighbour(of: key, step)
    }
  }

  func beginWalk() {
    switch self {
    case .set(let rows): rows.beginWalk()
    case .ordered(let rows): rows.beginWalk()
    case .bag(let rows): rows.beginWalk()
    }
  }

  func endWalk() {
    switch self {
    case .set(let rows): rows.endWalk()
    case .ordered(let rows): rows.endWalk()
    case .bag(let rows): rows.endWalk()
    }
  }

  var hasWalkers: Bool {
    switch self {
    case .set(let rows): rows.hasWalkers
    case .ordered(let rows): rows.hasWalkers
    case .bag(let rows): rows.hasWalkers
    }
  }
}
