extension Table {
  /// Runs `body` with the table fixed: keys that are deleted meanwhile keep their neighbours, so that
  /// ``next(after:)`` goes on from them. Every key that is there throughout is met exactly once,
  /// whatever is inserted and deleted.
  ///
  ///     try table.withFixedTable {
  ///       var key = try table.first()
  ///       while let current = key {
  ///         try table.delete(current)
  ///         key = try table.next(after: current)
  ///       }
  ///     }
  ///
  /// May be nested. A table stays in memory as large as it gets while it is fixed.
  ///
  /// OTP: `ets:safe_fixtable/2`.
  public func withFixedTable<Result>(_ body: () throws -> Result) throws -> Result {
    try checkMayRead()
    engine.beginWalk()
    defer { engine.endWalk() }
    return try body()
  }

  /// The same with a body that may wait.
  public func withFixedTable<Result>(
    isolation: isolated (any Actor)? = #isolation, _ body: () async throws -> Result
  ) async throws -> Result {
    try checkMayRead()
    engine.beginWalk()
    defer { engine.endWalk() }
    return try await body()
  }

  /// The first key in the table's order; nil if it is empty. The order of a set is its own, and
  /// stays the same for keys that stay.
  ///
  /// OTP: `ets:first/1`.
  public func first() throws(TableError) -> Key? { try reading { $0.end(.forward) } }

  /// The last key in the table's order; nil if it is empty.
  ///
  /// OTP: `ets:last/1`.
  public func last() throws(TableError) -> Key? { try reading { $0.end(.backward) } }

  /// The key that follows another one; nil if none does.
  ///
  /// - Throws: ``TableError/noSuchKey(_:)`` if the table does not know the key. That of a deleted row
  ///   is known while the table is fixed, and an ordered set knows every key's place.
  ///
  /// OTP: `ets:next/2`.
  public func next(after key: Key) throws(TableError) -> Key? {
    guard let next = try reading({ $0.neighbour(of: key, .forward) }) else {
      throw .noSuchKey(description)
    }
    return next
  }

  /// The key that stands before another one; nil if none does. Throws as ``next(after:)``.
  ///
  /// OTP: `ets:prev/2`.
  public func previous(before key: Key) throws(TableError) -> Key? {
    guard let previous = try reading({ $0.neighbour(of: key, .backward) }) else {
      throw .noSuchKey(description)
    }
    return previous
  }

  /// Calls `body` with every row, in the table's order, without holding any lock while it runs.
  ///
  /// Every key that is there throughout is met exactly once, whatever is inserted and deleted
  /// meanwhile, also by `body` itself. Of a row that changes, one of its values is met.
  ///
  /// OTP: `ets:foldl/3`.
  public func forEach(_ body: (Key, Value) throws -> Void) throws {
    switch engine {
    case .set(let rows): try forEach(of: rows) { try body($0.key, $0.slot) }
    }
  }

  /// Calls `body` with every row of the storage that this table keeps.
  @inlinable
  func forEach<Storage: TableStorage<Key, Value>>(
    of storage: Storage, _ body: (TraversedRow<Key, Storage.Slot>) throws -> Void
  ) throws {
    var cursor: Storage.Cursor?
    var rows: [TraversedRow<Key, Storage.Slot>] = []
    repeat {
      rows.removeAll(keepingCapacity: true)
      cursor = try reading { _ in storage.chunk(after: cursor, limit: 128, into: &rows) }
      for row in rows { try body(row) }
    } while cursor != nil
  }

  func checkMayRead() throws(TableError) { try reading { _ in } }
}
