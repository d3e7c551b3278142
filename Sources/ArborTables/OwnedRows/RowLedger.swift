import ArborPrimitives
import ArborProcesses

/// Under which keys of one table a process may have rows.
///
/// A row of that process goes in while the ledger's lock is held, and its key is in the ledger
/// before it is in the table. So once the ledger is released no further row comes, and those that
/// came are all found.
final class RowLedger<Key: Hashable & Sendable, Value: Sendable>: OwnedResource {
  struct State: Sendable {
    var isReleased = false
    var keys: Set<Key> = []
  }

  let pid: PID
  let state = Lock(State())
  private let rows: OwnedRows<Key, Value>

  init(_ pid: PID, of rows: OwnedRows<Key, Value>) {
    self.pid = pid
    self.rows = rows
  }

  func ownerReleased(_ owner: PID, reason: ExitReason) {
    // Those who hold the lock now finish their insertion first; later ones are refused.
    let keys = state.withLock { state in
      state.isReleased = true
      let keys = state.keys
      state.keys = []
      return keys
    }
    for key in keys { rows.reap(key, of: owner) }
    rows.drop(self)
  }
}
