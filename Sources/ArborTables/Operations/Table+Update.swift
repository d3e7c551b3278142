extension Table {
  /// Changes a row in place, atomically.
  ///
  ///     try table.update("a") { $0.hits += 1 }
  ///
  /// No lock is held while `change` runs: it works on a copy, and if the row was written meanwhile
  /// it runs again on the new value. So it should be short and do nothing but change the value.
  ///
  /// - Returns: what `change` returned; nil if there is no such row.
  /// - Throws: what `change` throws, when the row stays as it was; ``TableError/wrongKind(_:)`` in a
  ///   bag; or another ``TableError``.
  ///
  /// OTP: a loop around `ets:select_replace/2`.
  @inlinable @discardableResult
  public func update<Result>(
    _ key: Key, _ change: (inout Value) throws -> Result
  ) throws -> Result? {
    if kindIsBag { throw TableError.wrongKind(description) }
    while true {
      guard let old = try writing({ $0.lookupSingle(key) }) else { return nil }
      var value = old.slot
      let result = try change(&value)
      let new = value
      if ownsRows {
        if try put([new], over: [old.slot], under: key, ifStamp: old.stamp) { return result }
      } else {
        let displaced = try writing { $0.replaceSingle(key, stamp: old.stamp, with: new) }
        if displaced != nil { return result }
      }
    }
  }

  /// Changes a row in place, atomically, or puts in a changed `initial` if there is none.
  ///
  /// Otherwise as ``update(_:_:)``.
  ///
  /// OTP: `ets:update_element/4`, for any change.
  @inlinable @discardableResult
  public func update<Result>(
    _ key: Key, default initial: Value, _ change: (inout Value) throws -> Result
  ) throws -> Result {
    while true {
      if let result = try update(key, change) { return result }
      var value = initial
      let result = try change(&value)
      if try insertNew(key, value) { return result }
    }
  }

  /// Sets one part of a row.
  ///
  ///     try table.updateElement("a", \.name, to: "b")
  ///
  /// Several parts in one step are set with ``update(_:_:)``.
  ///
  /// - Returns: false if there is no such row.
  ///
  /// OTP: `ets:update_element/3`.
  @discardableResult
  public func updateElement<Element>(
    _ key: Key, _ path: WritableKeyPath<Value, Element>, to element: Element
  ) throws(TableError) -> Bool {
    do {
      return try update(key) { $0[keyPath: path] = element } != nil
    } catch let error as TableError {
      throw error
    } catch {
      preconditionFailure("setting a part of a row does not throw: \(error)")
    }
  }

  /// Puts values in place of those that were read with this stamp, and keeps the rows' processes
  /// told of them.
  ///
  /// - Returns: false if the key was written meanwhile, and nothing changed.
  @usableFromInline
  func put(
    _ values: [Value], over old: [Value], under key: Key, ifStamp stamp: UInt64
  ) throws(TableError) -> Bool {
    if ownsRows { return try putOwned(values, over: old, under: key, ifStamp: stamp) }
    let displaced = try writing { $0.put(values, under: key, ifStamp: stamp) }
    return displaced != nil
  }

  @inlinable var kindIsBag: Bool { if case .bag = engine { true } else { false } }
}
