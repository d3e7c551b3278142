import ArborBehaviours
import ArborPrimitives
import ArborProcesses
import ArborTables
import ArborTelemetry
import Synchronization

/// The heir of the span table: keeps it while there is no SpanManager, and does nothing else, so
/// that nothing can bring it down.
actor SpanTableHolder: GenServer {
  static let name: ProcessName = "arbor.tracing.table"

  enum Call: Sendable {
    /// The manager asks for the table.
    case claim(PID, From<SpanTable?>)
  }

  let process = ProcessContext()

  init() {
    process.trapExit()
    let tracing = Tracing.of(process.node)
    if tracing.table == nil { replaceTable(tracing) }
    SpanManager.tell(.holderUp(process.pid), on: process.node)
  }

  /// Makes a new table, because the old one's owner and heir have ended at once.
  private nonisolated func replaceTable(_ tracing: Tracing) {
    guard let table = try? SpanTable(.set, access: .public, heir: process.pid) else { return }
    tracing.publish(table)
    // Nothing is lost with a table: the living have their rows, and those that the dead have left open are
    // kept. A process that opens its first span meanwhile finds the table published above.
    var recovered = 0
    for (pid, row) in tracing.rows(on: process.node) {
      tracing.insert(row, of: pid)
      recovered += row.count
    }
    process.node.telemetry.execute(
      .tableLost,
      ["recovered": recovered, "lost": tracing.counters.lost.load(ordering: .relaxed)])
  }

  func handleCall(_ call: Call) {
    switch call {
    case .claim(let manager, let from): from.reply(hand(to: manager))
    }
  }

  /// Decides by who owns the table, not by which messages have been read: the manager's end may have
  /// given it back while its message still waits.
  private func hand(to manager: PID) -> SpanTable? {
    let tracing = Tracing.of(process.node)
    // It may have died after this holder came up: with a manager that had been killed before, but
    // was not released yet, and whose heir was the holder before this one.
    if tracing.table == nil { replaceTable(tracing) }
    guard let table = tracing.table else { return nil }
    switch table.owner {
    case manager: return table
    case process.pid:
      try? table.setHeir(process.pid)
      return (try? table.giveAway(to: manager)) == nil ? nil : table
    default: return nil
    }
  }

  func handleInfo(_ info: Info) {
    guard case .message(let message) = info, message is TableTransfer else { return }
    // Inherited, or given by the process that started the tree: whoever manages may have it.
    SpanManager.tell(.holderUp(process.pid), on: process.node)
  }

  /// The last to end of the tree: what is still open is closed here.
  func terminate(_ reason: ExitReason) {
    guard let table = Tracing.of(process.node).table, table.owner == process.pid else { return }
    let fate = Fate(reason: .shutdown, time: process.node.clock.now())
    try? table.visit { pid, row in
      if let fate = pid.fate {
        row.close(becauseOf: fate, of: pid)
      } else {
        row.drain(becauseOf: fate, of: pid)
      }
    }
  }
}
