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
  /// May be nested, and by any number of processes at once. While a table is fixed, keys that are
  /// deleted still take memory.
  ///
  /// - Throws: what `body` throws; ``TableError/notOwner(_:caller:)`` if the caller may not read.
  ///
  /// OTP: `ets:safe_fixtable/2`.
  public func withFixedTable<Result>(_ body: () throws -> Result) throws -> Result {
    try checkMayRead()
    engine.beginWalk()
    defer { unfix() }
    return try body()
  }

  /// The same with a body that may wait.
  public func withFixedTable<Result>(
    isolation: isolated (any Actor)? = #isolation, _ body: () async throws -> Result
  ) async throws -> Result {
    try checkMayRead()
    engine.beginWalk()
    defer { unfix() }
    return try await body()
  }

  private func unfix() { engine.endWalk() }

  /// The first key in the table's order; nil if it is empty.
  ///
  /// The order of a set is its own, and stays the same for keys that stay.
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
}
