import ArborPrimitives
package import ArborProcesses
package import ArborTables
import Synchronization

/// The table of open spans: one row for each process that has traced.
package typealias SpanTable = Table<PID, SpanRow>

/// A node's tracing: the slot that its span table is published in, and the tree of the table's
/// holder and the SpanManager, which the first span starts.
package final class Tracing: Sendable {
  private let slot = Lock<SpanTable?>(nil)
  private let isStarted = Atomic(false)

  package static func of(_ node: Node) -> Tracing {
    node.part(Tracing.self) { _ in Tracing() }
  }

  /// The living span table; nil before the first span, and between the loss of one and the next.
  package var table: SpanTable? {
    guard let table = slot.withLock({ $0 }), table.isAlive else { return nil }
    return table
  }

  /// True from the first span on until the table is gone for good: the manager is there, or will be.
  var isUp: Bool { isStarted.load(ordering: .acquiring) && table != nil }

  func publish(_ table: SpanTable) { slot.withLock { $0 = table } }

  /// The row of a process, made at its first span.
  func row(of core: ProcessCore) -> SpanRow {
    let made = core.slot.withLock { slot -> (row: SpanRow, isNew: Bool) in
      // Only the tracing uses the slot.
      if let slot { return (unsafeDowncast(slot, to: SpanRow.self), false) }
      let row = SpanRow()
      slot = row
      return (row, true)
    }
    if made.isNew { list(made.row, of: core) }
    return made.row
  }

  /// Puts a new row into the table and tells the SpanManager of it.
  ///
  /// In this order: the row is in its process's slot, then in the table, then the manager is told.
  /// A manager that comes up later finds the row by its scan, a holder that makes a new table finds
  /// it by the slot.
  private func list(_ row: SpanRow, of core: ProcessCore) {
    start(on: core.node)
    insert(row, of: core.pid)
    SpanManager.adopt(core.pid)
  }

  func insert(_ row: SpanRow, of pid: PID) {
    while let table {
      // Not as the calling process: it may have been told to exit just now, while another of its
      // tasks has opened a span in this row already. It fails only if the table died, when there may
      // be another.
      let isIn = Ambient.local.withValue(nil) { (try? table.insertNew(pid, row)) != nil }
      if isIn { return }
    }
  }

  /// Takes a row out of the table.
  func takeOut(_ pid: PID) { try? table?.delete(pid) }

  /// Starts the tracing tree, once.
  ///
  /// The table is there as soon as this returns, owned by the process that starts the tree, so that
  /// no span is too early for it; that process gives it to the holder.
  func start(on node: Node) {
    guard !isStarted.exchange(true, ordering: .acquiringAndReleasing) else { return }
    let boot = ProcessCore(node: node, parent: nil)
    guard let table = try? SpanTable(.set, access: .public, owner: boot.pid) else { return }
    publish(table)
    boot.launch(under: nil) { core in
      try await TracingTree.start(on: core.node)
      let context = ProcessContext(core)
      while true {
        if let holder = core.node.pid(named: SpanTableHolder.name),
          (try? table.giveAway(to: holder)) != nil
        {
          return
        }
        // The holder ended between two lines; its supervisor is starting the next.
        try await context.sleep(for: .milliseconds(1))
      }
    }
  }
}
