import ArborPrimitives
import ArborProcesses

/// Whose the rows of a table are, and the ledgers of all who have some.
///
/// `owner` is the user's and runs without any lock. Two locks are held together only here: those of the
/// ledgers, in the order of their PIDs, and inside them the table's own.
@usableFromInline
final class OwnedRows<Key: Hashable & Sendable, Value: Sendable>: Sendable {
  private let owner: @Sendable (Key, Value) -> PID?
  private let engine: StorageEngine<Key, Value>
  private let runsForeignCode: Bool
  /// Nil once the table is gone.
  private let ledgers = Lock<[PID: RowLedger<Key, Value>]?>([:])

  init(
    _ owner: @escaping @Sendable (Key, Value) -> PID?, in engine: StorageEngine<Key, Value>,
    runsForeignCode: Bool
  ) {
    self.owner = owner
    self.engine = engine
    self.runsForeignCode = runsForeignCode
  }

  /// The processes of a key's values, each once.
  func owners(of values: [Value], under key: Key) -> [PID] {
    if values.count == 1 { return owner(key, values[0]).map { [$0] } ?? [] }
    return Array(Set(values.compactMap { owner(key, $0) }))
  }

  /// The ledgers of several processes, made as far as they are new.
  func ledgers(
    of pids: [PID]
  ) throws(TableError) -> [RowLedger<Key, Value>] {
    var found: [RowLedger<Key, Value>] = []
    for pid in pids { found.append(try ledger(of: pid)) }
    return found.sorted { $0.pid < $1.pid }
  }

  private func ledger(of pid: PID) throws(TableError) -> RowLedger<Key, Value> {
    if let ledger = ledgers.withLock({ $0?[pid] }) { return ledger }
    let made = RowLedger(pid, of: self)
    guard pid.core.adopt(made) else { throw .ownerGone(pid) }
    let kept = ledgers.withLock { ledgers -> RowLedger<Key, Value>? in
      if let other = ledgers?[pid] { return other }
      ledgers?[pid] = made
      return ledgers == nil ? nil : made
    }
    guard let kept else {
      // The write that it is for will find the table dead.
      pid.core.disown(made)
      return made
    }
    if kept !== made {
      pid.core.disown(made)
    } else if made.state.withLock({ $0.isReleased }) {
      drop(made)
    }
    return kept
  }

  /// Runs `body`, which is never a user's code, in a state in which each of these rows is in its
  /// process's ledger and none of the processes has been released.
  ///
  /// - Returns: nil, and `body` did not run, if one has.
  func holding<Result: Sendable>(
    _ ledgers: ArraySlice<RowLedger<Key, Value>>, _ keys: [PID: [Key]], _ body: () -> Result
  ) -> Result? {
    guard let ledger = ledgers.first else { return body() }
    return ledger.state.withLock { state -> Result? in
      if state.isReleased { return nil }
      state.keys.formUnion(keys[ledger.pid] ?? [])
      return holding(ledgers.dropFirst(), keys, body)
    }
  }

  /// Takes a key out of a process's ledger, unless it has a row under it.
  func forget(_ key: Key, of pid: PID) {
    guard let ledger = ledgers.withLock({ $0?[pid] }) else { return }
    while true {
      let found = sheltered { engine.lookupStamped(key) }
      if found.values.contains(where: { owner(key, $0) == pid }) { return }
      // Rows of the process come in under this lock, so the stamp tells whether one did.
      let (isDone, removed) = sheltered {
        ledger.state.withLock { state -> (Bool, Key?) in
          guard engine.stamp(of: key) == found.stamp else { return (false, nil) }
          return (true, state.keys.remove(key))
        }
      }
      _ = removed
      if isDone { return }
    }
  }

  /// Deletes a dead process's rows under a key.
  func reap(_ key: Key, of pid: PID) {
    while true {
      let found = sheltered { engine.lookupStamped(key) }
      let rest = found.values.filter { owner(key, $0) != pid }
      if rest.count == found.values.count { return }
      let displaced = sheltered { engine.put(rest, under: key, ifStamp: found.stamp) }
      if displaced != nil { return }
    }
  }

  func drop(_ ledger: RowLedger<Key, Value>) {
    ledgers.withLock { ledgers in
      if ledgers?[ledger.pid] === ledger { ledgers?[ledger.pid] = nil }
    }
  }

  /// The table is gone.
  func dropAll() {
    let all = ledgers.withLock { ledgers in
      defer { ledgers = nil }
      return ledgers.map { Array($0.values) } ?? []
    }
    for ledger in all { ledger.pid.core.disown(ledger) }
  }

  func keys(of pid: PID) -> [Key] {
    guard let ledger = ledgers.withLock({ $0?[pid] }) else { return [] }
    return ledger.state.withLock { Array($0.keys) }
  }

  func keyCount(of pid: PID) -> Int {
    ledgers.withLock { $0?[pid] }?.state.withLock { $0.keys.count } ?? 0
  }

  var ledgerCount: Int { ledgers.withLock { $0?.count ?? 0 } }

  /// Marks the thread for the time that a user's operators run under a lock. What is reaped or
  /// forgotten must not be refused, so a mark that is there already is let stand.
  private func sheltered<Result>(_ body: () -> Result) -> Result {
    let isMine = runsForeignCode && ForeignCode.enter()
    defer { if isMine { ForeignCode.leave() } }
    return body()
  }
}
