/// Some of the rows of a selection, and the way to the next ones.
///
/// OTP: what `ets:select/3` returns.
public struct TablePage<Key: Hashable & Sendable, Value: Sendable>: Sendable {
  /// As many rows as were asked for, fewer only at the end.
  public let rows: [(key: Key, value: Value)]
  /// Nil if there are no more rows.
  public let continuation: TableContinuation<Key, Value>?
}

/// A place in a selection.
///
/// It stays with its table: once that is gone, going on throws ``TableError/dead(_:)``, also if a new
/// table has the name.
///
/// OTP: the continuation of `ets:select/1`.
public struct TableContinuation<Key: Hashable & Sendable, Value: Sendable>: Sendable {
  enum Place: Sendable {
    case start
    case end
    case hash(HashCursor)
    case ordered(OrderedStorage<Key, Value>.Cursor)
  }

  let table: Table<Key, Value>
  let place: Place
  /// Values of the last bag that the page before had no room for.
  let left: [(key: Key, value: Value)]
  let limit: Int
  let matches: @Sendable (Key, Value) throws -> Bool
}

extension Table {
  /// The first rows that fit a condition, in the table's order.
  ///
  ///     var page = try scores.select(limit: 100) { _, score in score > 0 }
  ///     while let next = page.continuation { page = try scores.select(next) }
  ///
  /// Every row that is there throughout is in exactly one of the pages, whatever is inserted and
  /// deleted between them.
  ///
  /// - Parameter limit: how many rows; at least 1.
  ///
  /// OTP: `ets:select/3`.
  public func select(
    limit: Int, where matches: @escaping @Sendable (Key, Value) throws -> Bool
  ) throws -> TablePage<Key, Value> {
    precondition(limit > 0, "a page needs room for at least one row")
    return try select(
      TableContinuation(table: self, place: .start, left: [], limit: limit, matches: matches))
  }

  /// The next rows of a selection.
  ///
  /// OTP: `ets:select/1`.
  public func select(
    _ continuation: TableContinuation<Key, Value>
  ) throws -> TablePage<Key, Value> {
    // A continuation knows its table; another one's would be a place that means nothing here.
    let table = continuation.table
    try table.checkMayRead()
    var rows = continuation.left
    var place: TableContinuation<Key, Value>.Place? = continuation.place
    while rows.count < continuation.limit, let current = place {
      place = try table.page(current, continuation.limit - rows.count, continuation.matches, &rows)
    }
    let left = Array(rows.dropFirst(continuation.limit))
    rows.removeLast(left.count)
    guard place != nil || !left.isEmpty else { return TablePage(rows: rows, continuation: nil) }
    return TablePage(
      rows: rows,
      continuation: TableContinuation(
        table: table, place: place ?? .end, left: left, limit: continuation.limit,
        matches: continuation.matches))
  }

  private func page(
    _ place: TableContinuation<Key, Value>.Place, _ limit: Int,
    _ matches: (Key, Value) throws -> Bool, _ selected: inout [(key: Key, value: Value)]
  ) throws -> TableContinuation<Key, Value>.Place? {
    func chunk<Storage: TableStorage<Key, Value>>(
      of storage: Storage, after cursor: Storage.Cursor?
    ) throws -> Storage.Cursor? {
      var rows: [TraversedRow<Key, Storage.Slot>] = []
      let next = try sheltered { storage.chunk(after: cursor, limit: limit, into: &rows) }
      for row in rows {
        for value in Storage.values(of: row.slot) where try matches(row.key, value) {
          selected.append((row.key, value))
        }
      }
      return next
    }
    var hashCursor: HashCursor?
    var orderedCursor: OrderedStorage<Key, Value>.Cursor?
    switch place {
    case .start: break
    case .end: return nil
    case .hash(let cursor): hashCursor = cursor
    case .ordered(let cursor): orderedCursor = cursor
    }
    switch engine {
    case .set(let rows): return try chunk(of: rows, after: hashCursor).map { .hash($0) }
    case .bag(let rows): return try chunk(of: rows, after: hashCursor).map { .hash($0) }
    case .ordered(let rows): return try chunk(of: rows, after: orderedCursor).map { .ordered($0) }
    }
  }
}
