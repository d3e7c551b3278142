/// A dictionary for what mostly has none, one or a few entries, but may have many: the links,
/// monitors and names of a process.
///
/// Up to eight entries it is a plain array that is searched from end to end, which for so few is
/// faster than hashing and takes no memory while empty; beyond that it becomes a `Dictionary`.
/// Has no order that may be relied on.
package struct SmallMap<Key: Hashable, Value> {
  @usableFromInline
  enum Storage {
    case few([(key: Key, value: Value)])
    case many([Key: Value])
  }

  @usableFromInline var storage: Storage = .few([])

  @inlinable package init() {}

  @inlinable package static var limit: Int { 8 }

  @inlinable package var count: Int {
    switch storage {
    case .few(let entries): entries.count
    case .many(let entries): entries.count
    }
  }

  @inlinable package var isEmpty: Bool { count == 0 }

  @inlinable package subscript(key: Key) -> Value? {
    get {
      switch storage {
      case .few(let entries):
        for entry in entries where entry.key == key { return entry.value }
        return nil
      case .many(let entries): return entries[key]
      }
    }
    set {
      if let newValue {
        updateValue(newValue, forKey: key)
      } else {
        removeValue(forKey: key)
      }
    }
  }

  /// Sets the value of a key; returns the one it had.
  @inlinable @discardableResult
  package mutating func updateValue(_ value: Value, forKey key: Key) -> Value? {
    switch storage {
    case .few(var entries):
      storage = .few([])  // keep `entries` the only reference, so that it changes in place
      if let index = entries.firstIndex(where: { $0.key == key }) {
        let old = entries[index].value
        entries[index].value = value
        storage = .few(entries)
        return old
      }
      if entries.count < Self.limit {
        entries.append((key, value))
        storage = .few(entries)
      } else {
        var many = [Key: Value](minimumCapacity: 2 * Self.limit)
        for entry in entries { many[entry.key] = entry.value }
        many[key] = value
        storage = .many(many)
      }
      return nil
    case .many(var entries):
      storage = .few([])
      let old = entries.updateValue(value, forKey: key)
      storage = .many(entries)
      return old
    }
  }

  @inlinable @discardableResult
  package mutating func removeValue(forKey key: Key) -> Value? {
    switch storage {
    case .few(var entries):
      guard let index = entries.firstIndex(where: { $0.key == key }) else { return nil }
      storage = .few([])
      entries.swapAt(index, entries.count - 1)
      let old = entries.removeLast().value
      if !entries.isEmpty { storage = .few(entries) }
      return old
    case .many(var entries):
      storage = .few([])
      let old = entries.removeValue(forKey: key)
      storage = entries.isEmpty ? .few([]) : .many(entries)
      return old
    }
  }

  /// All values, in no particular order.
  @inlinable package var values: [Value] {
    switch storage {
    case .few(let entries): entries.map { $0.value }
    case .many(let entries): Array(entries.values)
    }
  }

  /// Empties the map and returns what was in it.
  @inlinable package mutating func takeValues() -> [Value] {
    defer { storage = .few([]) }
    return values
  }
}

extension SmallMap: Sendable where Key: Sendable, Value: Sendable {}
extension SmallMap.Storage: Sendable where Key: Sendable, Value: Sendable {}
