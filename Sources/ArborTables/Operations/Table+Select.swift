// Conditions are a user's closures. They run on rows that were copied out, without any lock; a row
// that is then to be changed is changed only if it still is what the closure saw, else the closure
// is asked again.

extension Table {
  /// All rows, in the table's order.
  ///
  /// What is inserted, deleted and changed meanwhile is or is not seen; every row that is there
  /// throughout comes exactly once.
  ///
  /// OTP: `ets:tab2list/1`.
  public func rows() throws(TableError) -> [(key: Key, value: Value)] {
    do {
      return try select { _, _ in true }
    } catch let error as TableError {
      throw error
    } catch {
      preconditionFailure("reading rows throws nothing else: \(error)")
    }
  }

  /// The rows that fit a condition, in the table's order.
  ///
  ///     let high = try scores.select { _, score in score > 100 }
  ///
  /// Each row is looked at once, at one moment, without any lock held; the table may change
  /// meanwhile, as in ``rows()``.
  ///
  /// OTP: `ets:select/2`.
  public func select(
    where matches: (Key, Value) throws -> Bool
  ) throws -> [(key: Key, value: Value)] {
    var selected: [(key: Key, value: Value)] = []
    try visit { key, value in
      if try matches(key, value) { selected.append((key, value)) }
    }
    return selected
  }

  /// How many rows fit a condition.
  ///
  /// OTP: `ets:select_count/2`.
  public func selectCount(where matches: (Key, Value) throws -> Bool) throws -> Int {
    var count = 0
    try visit { key, value in if try matches(key, value) { count += 1 } }
    return count
  }

  /// Puts all rows together into one result, in the table's order.
  ///
  ///     let sum = try scores.fold(0) { $0 + $2 }
  ///
  /// OTP: `ets:foldl/3`.
  public func fold<Result>(
    _ initial: Result, _ combine: (Result, Key, Value) throws -> Result
  ) throws -> Result {
    var result = initial
    try visit { key, value in result = try combine(result, key, value) }
    return result
  }

  /// Calls `body` with every row, in the table's order, without any lock held while it runs.
  ///
  /// Every key that is there throughout is met exactly once, whatever is inserted and deleted
  /// meanwhile, also by `body` itself. Of a row that changes, one of its values is met.
  public func visit(_ body: (Key, Value) throws -> Void) throws {
    try checkMayRead()
    switch engine {
    case .set(let rows): try visit(in: rows) { try body($0.key, $0.slot) }
    case .ordered(let rows): try visit(in: rows) { try body($0.key, $0.slot) }
    case .bag(let rows):
      try visit(in: rows) { row in for value in row.slot { try body(row.key, value) } }
    }
  }

  func visit<Storage: TableStorage<Key, Value>>(
    in storage: Storage, _ body: (TraversedRow<Key, Storage.Slot>) throws -> Void
  ) throws {
    var cursor: Storage.Cursor?
    var rows: [TraversedRow<Key, Storage.Slot>] = []
    repeat {
      rows.removeAll(keepingCapacity: true)
      cursor = try sheltered { storage.chunk(after: cursor, limit: 128, into: &rows) }
      for row in rows { try body(row) }
    } while cursor != nil
  }
}

// MARK: Changing what fits

extension Table {
  /// Deletes the rows that fit a condition.
  ///
  /// - Returns: how many were deleted.
  ///
  /// OTP: `ets:select_delete/2`.
  @discardableResult
  public func selectDelete(where matches: (Key, Value) throws -> Bool) throws -> Int {
    var deleted = 0
    try changeRows { key, values in
      let rest = try values.filter { try !matches(key, $0) }
      return rest.count < values.count ? rest : nil
    } counting: {
      deleted += $0.count - $1.count
    }
    return deleted
  }

  /// Replaces rows: each by what `replacement` returns for it; one for which that is nil stays.
  ///
  ///     try scores.selectReplace { _, score in score < 0 ? 0 : nil }
  ///
  /// - Returns: how many were replaced.
  /// - Throws: ``TableError/wrongKind(_:)`` in a `bag`, where a replacement could equal another row;
  ///   what `replacement` throws: rows that were replaced before remain so.
  ///
  /// OTP: `ets:select_replace/2`.
  @discardableResult
  public func selectReplace(
    _ replacement: (Key, Value) throws -> Value?
  ) throws -> Int {
    if case .bag = kind.shape { throw TableError.wrongKind(description) }
    var replaced = 0
    var attempt = 0
    try changeRows { key, values in
      attempt = 0
      let new = try values.map { value in
        guard let new = try replacement(key, value) else { return value }
        attempt += 1
        return new
      }
      return attempt > 0 ? new : nil
    } counting: { _, _ in
      replaced += attempt
    }
    return replaced
  }

  /// Walks through the table and puts in place of each key's values what `change` makes of them, if
  /// that is not nil. `counting` is told the values before and after, once for each change made.
  private func changeRows(
    _ change: (Key, [Value]) throws -> [Value]?, counting: ([Value], [Value]) -> Void
  ) throws {
    try checkMayRead()
    try checkMayWrite()
    switch engine {
    case .set(let rows): try changeRows(in: rows, change, counting)
    case .ordered(let rows): try changeRows(in: rows, change, counting)
    case .bag(let rows): try changeRows(in: rows, change, counting)
    }
  }

  private func changeRows<Storage: TableStorage<Key, Value>>(
    in storage: Storage, _ change: (Key, [Value]) throws -> [Value]?,
    _ counting: ([Value], [Value]) -> Void
  ) throws {
    try visit(in: storage) { row in
      var found = (values: Storage.values(of: row.slot), stamp: row.stamp)
      while !found.values.isEmpty {
        guard let new = try change(row.key, found.values) else { break }
        if try put(new, over: found.values, under: row.key, ifStamp: found.stamp) {
          counting(found.values, new)
          break
        }
        found = try sheltered { engine.lookupStamped(row.key) }
      }
    }
  }
}
