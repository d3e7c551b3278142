extension Table {
  /// The value under a key; nil if there is none. Of a bag, the oldest of the key's values.
  ///
  /// - Throws: ``TableError/notOwner(_:caller:)`` if the table is private and not the caller's.
  ///
  /// OTP: `ets:lookup/2`.
  @inlinable
  public func lookup(_ key: Key) throws(TableError) -> Value? {
    try reading {
      switch $0 {
      case .set(let rows): rows.lookup(key)
      }
    }
  }

  /// Whether there is a row under the key.
  ///
  /// OTP: `ets:member/2`.
  @inlinable
  public func contains(_ key: Key) throws(TableError) -> Bool {
    try reading {
      switch $0 {
      case .set(let rows): rows.contains(key)
      }
    }
  }

  /// How many rows there are.
  ///
  /// OTP: `ets:info(Table, size)`.
  public var count: Int {
    get throws(TableError) {
      try reading {
        switch $0 {
        case .set(let rows): rows.count
        }
      }
    }
  }

  /// Puts a row into the table, in place of one that is there.
  ///
  /// - Throws: ``TableError/notOwner(_:caller:)`` if the caller may not write the table,
  ///   ``TableError/callerExiting``.
  ///
  /// OTP: `ets:insert/2`.
  @inlinable
  public func insert(_ key: Key, _ value: Value) throws(TableError) {
    let displaced = try writing {
      switch $0 {
      case .set(let rows): rows.insert(key, value)
      }
    }
    _ = displaced
  }

  /// Puts several rows into the table as one step: others see all of them or none. If a key comes
  /// twice, its last row counts.
  ///
  /// OTP: `ets:insert/2` with a list.
  public func insert(contentsOf rows: [(key: Key, value: Value)]) throws(TableError) {
    let displaced = try writing {
      switch $0 {
      case .set(let storage): storage.insert(contentsOf: rows)
      }
    }
    _ = displaced
  }

  /// Puts a row into the table unless there is one under its key.
  ///
  /// - Returns: whether it went in.
  ///
  /// OTP: `ets:insert_new/2`.
  @inlinable @discardableResult
  public func insertNew(_ key: Key, _ value: Value) throws(TableError) -> Bool {
    try writing {
      switch $0 {
      case .set(let rows): rows.insertNew(key, value)
      }
    }
  }

  /// Puts several rows into the table as one step, unless there is one under any of their keys.
  ///
  /// - Returns: whether they went in: all or none.
  ///
  /// OTP: `ets:insert_new/2` with a list.
  @discardableResult
  public func insertNew(
    contentsOf rows: [(key: Key, value: Value)]
  ) throws(TableError) -> Bool {
    try writing {
      switch $0 {
      case .set(let storage): storage.insertNew(contentsOf: rows)
      }
    }
  }

  /// Takes a row out of the table and returns it; nil if there is none.
  ///
  /// OTP: `ets:take/2`.
  @inlinable @discardableResult
  public func take(_ key: Key) throws(TableError) -> Value? {
    let removed = try writing {
      switch $0 {
      case .set(let rows): rows.remove(key, stamp: nil)
      }
    }
    return removed?.slot
  }

  /// Deletes what stands under the key. Nothing happens if there is nothing.
  ///
  /// OTP: `ets:delete/2`.
  @inlinable
  public func delete(_ key: Key) throws(TableError) {
    let removed = try writing {
      switch $0 {
      case .set(let rows): rows.remove(key, stamp: nil)
      }
    }
    _ = removed
  }

  /// Deletes all rows.
  ///
  /// OTP: `ets:delete_all_objects/1`.
  public func deleteAll() throws(TableError) {
    let removed = try writing { $0.removeAll() }
    _ = removed
  }

  /// Changes a row in place, atomically.
  ///
  ///     try table.update("a") { $0.hits += 1 }
  ///
  /// No lock is held while `change` runs: it works on a copy, and if the row was written meanwhile
  /// it runs again on the new value. So it should be short and do nothing but change the value.
  ///
  /// - Returns: what `change` returned; nil if there is no such row.
  /// - Throws: what `change` throws, when the row stays as it was; or a ``TableError``.
  ///
  /// OTP: a loop around `ets:select_replace/2`.
  @inlinable @discardableResult
  public func update<Result>(
    _ key: Key, _ change: (inout Value) throws -> Result
  ) throws -> Result? {
    while true {
      let found = try writing {
        switch $0 {
        case .set(let rows): rows.lookupStamped(key)
        }
      }
      guard let found else { return nil }
      var value = found.slot
      let result = try change(&value)
      let changed = value
      let displaced = try writing {
        switch $0 {
        case .set(let rows): rows.replace(key, stamp: found.stamp, with: changed)
        }
      }
      if displaced != nil { return result }
    }
  }
}
