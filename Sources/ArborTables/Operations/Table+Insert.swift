extension Table {
  /// Puts a row into the table: in a set in place of the one under its key, in a bag beside those,
  /// unless a `bag` has an equal one.
  ///
  /// - Throws: ``TableError/notOwner(_:caller:)`` if the caller may not write the table,
  ///   ``TableError/callerExiting``, ``TableError/ownerGone(_:)`` if the row's own process has ended.
  ///
  /// OTP: `ets:insert/2`.
  @inlinable
  public func insert(_ key: Key, _ value: Value) throws(TableError) {
    if ownsRows { return try insertOwned([(key, value)]) }
    // Dropped when the locks are let go: its `deinit` may be anything.
    let displaced = try writing { $0.insert(key, value) }
    _ = displaced
  }

  /// Puts several rows into the table as one step: others see all of them or none. Of two rows
  /// with one key a set takes the later one.
  ///
  /// OTP: `ets:insert/2` with a list.
  @inlinable
  public func insert(contentsOf rows: [(key: Key, value: Value)]) throws(TableError) {
    if ownsRows { return try insertOwned(rows) }
    let displaced = try writing { $0.insert(contentsOf: rows) }
    _ = displaced
  }

  /// Puts a row into the table unless there is one under its key.
  ///
  /// - Returns: whether it went in.
  ///
  /// OTP: `ets:insert_new/2`.
  @inlinable @discardableResult
  public func insertNew(_ key: Key, _ value: Value) throws(TableError) -> Bool {
    if ownsRows { return try insertNewOwned([(key, value)]) }
    return try writing { $0.insertNew(key, value) }
  }

  /// Puts several rows into the table as one step, unless there is one under any of their keys.
  ///
  /// - Returns: whether they went in: all or none.
  ///
  /// OTP: `ets:insert_new/2` with a list.
  @inlinable @discardableResult
  public func insertNew(
    contentsOf rows: [(key: Key, value: Value)]
  ) throws(TableError) -> Bool {
    if ownsRows { return try insertNewOwned(rows) }
    return try writing { $0.insertNew(contentsOf: rows) }
  }
}
