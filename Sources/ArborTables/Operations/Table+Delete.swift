extension Table {
  /// Takes what stands under a key out of the table, and returns the value; nil if there is none. Of
  /// a bag all values go, and the oldest is returned.
  ///
  /// OTP: `ets:take/2`.
  @inlinable @discardableResult
  public func take(_ key: Key) throws(TableError) -> Value? {
    try takeOut(key).first
  }

  /// Takes all values under a key out of the table, and returns them, oldest first.
  ///
  /// OTP: `ets:take/2`.
  @inlinable @discardableResult
  public func takeAll(_ key: Key) throws(TableError) -> [Value] {
    try takeOut(key).all
  }

  /// Deletes what stands under a key. Nothing happens if there is nothing.
  ///
  /// OTP: `ets:delete/2`.
  @inlinable
  public func delete(_ key: Key) throws(TableError) { _ = try takeOut(key) }

  @inlinable
  func takeOut(_ key: Key) throws(TableError) -> TakenOut<Key, Value> {
    let taken = try writing { $0.remove(key) }
    if ownsRows { forgetOwners(of: taken.all, under: key) }
    return taken
  }

  /// Deletes all rows, as one step.
  ///
  /// OTP: `ets:delete_all_objects/1`.
  public func deleteAll() throws(TableError) {
    let removed = try writing { $0.removeAll() }
    if ownsRows { removed.visit { forgetOwners(of: [$1], under: $0) } }
  }
}

extension Table where Value: Equatable {
  /// Deletes the rows that have this key and this value: of a `duplicateBag` all of them. Nothing
  /// happens if there is none.
  ///
  /// OTP: `ets:delete_object/2`.
  public func delete(_ key: Key, _ value: Value) throws(TableError) {
    while true {
      let found = try writing { $0.lookupStamped(key) }
      let rest = found.values.filter { $0 != value }
      if rest.count == found.values.count { return }
      if try put(rest, over: found.values, under: key, ifStamp: found.stamp) { return }
    }
  }
}
