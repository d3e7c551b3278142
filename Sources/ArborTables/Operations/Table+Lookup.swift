extension Table {
  /// The value under a key; nil if there is none. Of a bag, the oldest of the key's values.
  ///
  /// - Throws: ``TableError/notOwner(_:caller:)`` if the table is private and not the caller's.
  ///
  /// OTP: `ets:lookup/2`.
  @inlinable
  public func lookup(_ key: Key) throws(TableError) -> Value? {
    try reading { $0.lookup(key) }
  }

  /// All values under a key, oldest first: at most one, unless the table is a bag.
  ///
  /// OTP: `ets:lookup/2`.
  @inlinable
  public func lookupAll(_ key: Key) throws(TableError) -> [Value] {
    try reading { $0.lookupAll(key) }
  }

  /// Whether there is a row under the key.
  ///
  /// OTP: `ets:member/2`.
  @inlinable
  public func contains(_ key: Key) throws(TableError) -> Bool {
    try reading { $0.contains(key) }
  }
}
