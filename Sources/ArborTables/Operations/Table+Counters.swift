extension Table where Value: FixedWidthInteger {
  /// Adds to the value under a key, atomically.
  ///
  ///     try hits.updateCounter("/", by: 1, default: 0)
  ///
  /// - Parameters:
  ///   - step: what is added; may be negative.
  ///   - limit: with a step up, a sum above `threshold` becomes `reset`, also one that does not fit;
  ///     with a step down, one below it.
  ///   - initial: the value to add to if there is no row, which then comes into being.
  /// - Returns: the new value.
  /// - Throws: ``TableError/noSuchKey(_:)`` if there is neither a row nor a default,
  ///   ``TableError/overflow(_:)`` if the sum does not fit and there is no limit;
  ///   ``TableError/wrongKind(_:)`` in a bag. The row stays as it was.
  ///
  /// OTP: `ets:update_counter/3,4`.
  @inlinable @discardableResult
  public func updateCounter(
    _ key: Key, by step: Value = 1, limit: CounterLimit<Value>? = nil, default initial: Value? = nil
  ) throws(TableError) -> Value {
    if ownsRows { return try updateOwnedCounter(key, by: step, limit: limit, default: initial) }
    while true {
      let sum: Value?? = try writing { engine in
        switch engine {
        case .set(let rows): rows.modify(key) { Self.add(step, limit, to: &$0) }
        case .ordered(let rows): rows.modify(key) { Self.add(step, limit, to: &$0) }
        case .bag: nil
        }
      }
      if let sum {
        guard let sum else { throw .overflow(description) }
        return sum
      }
      if let sum = try insertCounter(key, step, limit, initial) { return sum }
    }
  }

  /// The row is not there; nil if meanwhile it is.
  @usableFromInline
  func insertCounter(
    _ key: Key, _ step: Value, _ limit: CounterLimit<Value>?, _ initial: Value?
  ) throws(TableError) -> Value? {
    if kindIsBag { throw .wrongKind(description) }
    guard var value = initial else { throw .noSuchKey(description) }
    guard let sum = Self.add(step, limit, to: &value) else { throw .overflow(description) }
    return try insertNew(key, value) ? sum : nil
  }

  @usableFromInline
  func updateOwnedCounter(
    _ key: Key, by step: Value, limit: CounterLimit<Value>?, default initial: Value?
  ) throws(TableError) -> Value {
    if kindIsBag { throw .wrongKind(description) }
    while true {
      let found = try writing { $0.lookupStamped(key) }
      if let old = found.values.first {
        var value = old
        guard let sum = Self.add(step, limit, to: &value) else { throw .overflow(description) }
        if try put([value], over: [old], under: key, ifStamp: found.stamp) { return sum }
      } else if let sum = try insertCounter(key, step, limit, initial) {
        return sum
      }
    }
  }

  /// Nil, and nothing changed, if the sum does not fit.
  @inlinable @inline(__always)
  static func add(_ step: Value, _ limit: CounterLimit<Value>?, to value: inout Value) -> Value? {
    let (sum, overflows) = value.addingReportingOverflow(step)
    // What does not fit is beyond every limit.
    if let limit, overflows || (step < 0 ? sum < limit.threshold : sum > limit.threshold) {
      value = limit.reset
      return value
    }
    if overflows { return nil }
    value = sum
    return sum
  }
}

/// Where a counter starts again.
public struct CounterLimit<Value: FixedWidthInteger & Sendable>: Sendable {
  /// The last value that is let stand.
  public let threshold: Value
  /// What the counter becomes beyond it.
  public let reset: Value

  @inlinable
  public init(threshold: Value, reset: Value) {
    self.threshold = threshold
    self.reset = reset
  }
}

/// One counter of a row, and what to add to it.
///
///     try rows.updateCounters("a", [.init(\.hits), .init(\.bytes, by: 512)])
public struct CounterStep<Row>: Sendable {
  let path: any WritableKeyPath<Row, Int> & Sendable
  let step: Int
  let limit: CounterLimit<Int>?

  /// - Parameters:
  ///   - path: the counter.
  ///   - step: what is added; may be negative.
  ///   - limit: with a step up, a sum above `threshold` becomes `reset`; with a step down, one below
  ///     it.
  public init(
    _ path: any WritableKeyPath<Row, Int> & Sendable, by step: Int = 1,
    limit: CounterLimit<Int>? = nil
  ) {
    self.path = path
    self.step = step
    self.limit = limit
  }
}

extension Table {
  /// Adds to several counters of a row, one after the other, as one step. The same counter may come
  /// more than once.
  ///
  /// - Parameter initial: the row to add to if there is none, which then comes into being.
  /// - Returns: the counters' new values, in the order of the steps.
  /// - Throws: as `updateCounter`. If one of the steps fails, none has an effect.
  ///
  /// OTP: `ets:update_counter/3,4` with a list.
  @discardableResult
  public func updateCounters(
    _ key: Key, _ steps: [CounterStep<Value>], default initial: Value? = nil
  ) throws(TableError) -> [Int] {
    let take = { (row: inout Value) throws(TableError) -> [Int] in
      var sums: [Int] = []
      for step in steps {
        let sum = Table<Key, Int>.add(step.step, step.limit, to: &row[keyPath: step.path])
        guard let sum else { throw .overflow(self.description) }
        sums.append(sum)
      }
      return sums
    }
    do {
      if let initial { return try update(key, default: initial, take) }
      if let sums = try update(key, take) { return sums }
    } catch let error as TableError {
      throw error
    } catch {
      preconditionFailure("adding to counters throws nothing else: \(error)")
    }
    throw .noSuchKey(description)
  }
}
