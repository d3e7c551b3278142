/// A dictionary for what mostly has none, one or a few entries, but may have many: the links,
/// monitors and names of a process.
///
/// One entry stands in it by itself and costs no memory elsewhere; up to eight are a plain array that
/// is searched from end to end, which for so few is faster than hashing; beyond that it becomes a
/// `Dictionary`. Has no order that may be relied on.
@usableFromInline
package struct SmallMap<Key: Hashable, Value> {
  @usableFromInline
  struct Entry {
    @usableFromInline let key: Key
    @usableFromInline var value: Value

    @inlinable
    init(_ key: Key, _ value: Value) {
      self.key = key
      self.value = value
    }
  }

  @usableFromInline
  enum Storage {
    case none
    case one(Entry)
    case few([Entry])
    case many([Key: Value])
  }

  @usableFromInline var storage: Storage

  @inlinable package init() { storage = .none }

  @inlinable package static var limit: Int { 8 }

  @inlinable package var count: Int {
    switch storage {
    case .none: 0
    case .one: 1
    case .few(let entries): entries.count
    case .many(let entries): entries.count
    }
  }

  @inlinable package var isEmpty: Bool { if case .none = storage { true } else { false } }

  // No closures here, nor anything of the standard library's that takes one: where the optimiser
  // leaves such a generic call as it is, it costs more than all the rest.

  @inlinable static func index(of key: Key, in entries: [Entry]) -> Int? {
    var index = 0
    while index < entries.count {
      if entries[index].key == key { return index }
      index += 1
    }
    return nil
  }

  @inlinable package subscript(key: Key) -> Value? {
    get {
      switch storage {
      case .none: return nil
      case .one(let entry): return entry.key == key ? entry.value : nil
      case .few(let entries): return Self.index(of: key, in: entries).map { entries[$0].value }
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
    case .none:
      storage = .one(Entry(key, value))
      return nil
    case .one(let entry):
      if entry.key == key {
        storage = .one(Entry(key, value))
        return entry.value
      }
      storage = .few([entry, Entry(key, value)])
      return nil
    case .few(var entries):
      storage = .none  // keep `entries` the only reference, so that it changes in place
      if let index = Self.index(of: key, in: entries) {
        let old = entries[index].value
        entries[index].value = value
        storage = .few(entries)
        return old
      }
      if entries.count < Self.limit {
        entries.append(Entry(key, value))
        storage = .few(entries)
      } else {
        var many = [Key: Value](minimumCapacity: 2 * Self.limit)
        for entry in entries { many[entry.key] = entry.value }
        many[key] = value
        storage = .many(many)
      }
      return nil
    case .many(var entries):
      storage = .none
      let old = entries.updateValue(value, forKey: key)
      storage = .many(entries)
      return old
    }
  }

  @inlinable @discardableResult
  package mutating func removeValue(forKey key: Key) -> Value? {
    switch storage {
    case .none: return nil
    case .one(let entry):
      guard entry.key == key else { return nil }
      storage = .none
      return entry.value
    case .few(var entries):
      guard let index = Self.index(of: key, in: entries) else { return nil }
      storage = .none
      let old = entries[index].value
      let last = entries.removeLast()
      if index < entries.count { entries[index] = last }
      if !entries.isEmpty { storage = .few(entries) }
      return old
    case .many(var entries):
      storage = .none
      let old = entries.removeValue(forKey: key)
      if !entries.isEmpty { storage = .many(entries) }
      return old
    }
  }

  /// All values, in no particular order.
  @inlinable package var values: [Value] {
    switch storage {
    case .none: return []
    case .one(let entry): return [entry.value]
    case .few(let entries):
      var values: [Value] = []
      values.reserveCapacity(entries.count)
      for entry in entries { values.append(entry.value) }
      return values
    case .many(let entries): return Array(entries.values)
    }
  }

  /// Empties the map and returns what was in it.
  @inlinable package mutating func takeValues() -> [Value] {
    let taken = values
    storage = .none
    return taken
  }

  /// Empties the map and returns it as it was.
  @inlinable package mutating func take() -> SmallMap {
    exchange(&self, with: SmallMap())
  }

  /// Calls `body` with each value, in no particular order.
  @inlinable
  package func visit(_ body: (Value) -> Void) {
    switch storage {
    case .none: break
    case .one(let entry): body(entry.value)
    case .few, .many: for value in values { body(value) }
    }
  }

  /// Calls `body` with each value, by the order of a number that each has: a map has none of its
  /// own, and the same seed is to give the same run.
  @inlinable
  package func visit(by number: (Value) -> UInt64, _ body: (Value) -> Void) {
    switch storage {
    case .none: break
    case .one(let entry): body(entry.value)
    case .few, .many: for value in values.sorted(by: { number($0) < number($1) }) { body(value) }
    }
  }
}

extension SmallMap: Sendable where Key: Sendable, Value: Sendable {}
extension SmallMap.Storage: Sendable where Key: Sendable, Value: Sendable {}
extension SmallMap.Entry: Sendable where Key: Sendable, Value: Sendable {}
