import ArborPrimitives
package import ArborProcesses

// The writes of a table whose rows have processes of their own.

extension Table {
  @usableFromInline
  func insertOwned(_ rows: [(key: Key, value: Value)]) throws(TableError) {
    let displaced = try writeOwned(rows) { $0.insert(contentsOf: rows) }
    for (key, value) in displaced { forgetOwners(of: [value], under: key) }
  }

  @usableFromInline
  func insertNewOwned(_ rows: [(key: Key, value: Value)]) throws(TableError) -> Bool {
    let isDone = try writeOwned(rows) { $0.insertNew(contentsOf: rows) }
    if !isDone { for (key, value) in rows { forgetOwners(of: [value], under: key) } }
    return isDone
  }

  @usableFromInline
  func putOwned(
    _ values: [Value], over old: [Value], under key: Key, ifStamp stamp: UInt64
  ) throws(TableError) -> Bool {
    let rows = values.map { (key: key, value: $0) }
    // A process that has a row already needs no entry: it is looked for under the same key.
    let isDone = try writeOwned(rows, besides: old) {
      $0.put(values, under: key, ifStamp: stamp) != nil
    }
    forgetOwners(of: isDone ? old : values, under: key)
    return isDone
  }

  /// Runs `body`, which puts these rows in, while their processes cannot be released.
  private func writeOwned<Result: Sendable>(
    _ rows: [(key: Key, value: Value)], besides old: [Value] = [],
    _ body: (StorageEngine<Key, Value>) -> Result
  ) throws(TableError) -> Result {
    guard let owned else { preconditionFailure("\(self) has no owned rows") }
    try checkMayWrite()
    var keys: [PID: [Key]] = [:]
    for row in rows {
      for pid in owned.owners(of: [row.value], under: row.key) {
        keys[pid, default: []].append(row.key)
      }
    }
    if let key = rows.first?.key {
      for pid in owned.owners(of: old, under: key) { keys[pid] = nil }
    }
    let ledgers = try owned.ledgers(of: Array(keys.keys))
    let result = try writing { engine in
      owned.holding(ledgers[...], keys) { body(engine) }
    }
    if let result { return result }
    for (pid, keys) in keys { for key in keys { owned.forget(key, of: pid) } }
    let gone = ledgers.first { $0.state.withLock { $0.isReleased } } ?? ledgers[0]
    throw .ownerGone(gone.pid)
  }

  /// Takes the key out of the ledgers of those whose values these were, if they have no other there.
  @usableFromInline
  func forgetOwners(of values: [Value], under key: Key) {
    guard let owned else { return }
    for pid in owned.owners(of: values, under: key) { owned.forget(key, of: pid) }
  }
}

// For tests: what is kept beside the rows.
extension Table {
  package func ownedKeyCount(of pid: PID) -> Int { owned?.keyCount(of: pid) ?? 0 }
  package var ledgerCount: Int { owned?.ledgerCount ?? 0 }
}
