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
  let settings = SettingsStorage()
  let counters = TraceCounters()
  private let deathLog = Lock(DeathLog())
  /// The rows of processes that have ended with spans open, until they are closed: the table that they
  /// are in may be lost meanwhile, and its processes are found by nobody any more.
  private let unclosed = Lock<[PID: SpanRow]>([:])
  /// How many restarts within five seconds the tracing's supervisor takes, which is asked once, at
  /// the first span. Tests that kill a lot allow more.
  let maxRestarts = Atomic(10)

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
    if let row = Self.existingRow(of: core) { return row }
    let new = SpanRow(seed: core.node.nextRandom(), self)
    guard core.slot.fill(new) else { return Self.existingRow(of: core) ?? new }
    list(new, of: core)
    return new
  }

  /// The row of a process; nil if it has opened no span yet. It stays with the process object, closed once
  /// the process has ended and was cleaned up.
  static func existingRow(of core: ProcessCore) -> SpanRow? {
    core.slot.content(as: SpanRow.self)
  }

  /// Puts a new row into the table and tells the SpanManager of it.
  ///
  /// In this order: the row is in its process's slot, then in the table, then the manager is told.
  /// A manager that comes up later finds the row by its scan, a holder that makes a new table finds
  /// it by the slot.
  private func list(_ row: SpanRow, of core: ProcessCore) {
    start(on: core.node)
    insert(row, of: core.pid)
    if let fate = core.fate {
      // Dead by now, and perhaps closed and forgotten before the row was there: nobody may come by again.
      return closeRow(of: core.pid, fate)
    }
    SpanManager.adopt(core.pid)
  }

  func insert(_ row: SpanRow, of pid: PID) {
    while let table {
      // Not as the calling process: it may have been told to exit just now, while another of its
      // tasks has opened a span in this row already. It fails only if the table died, when there may
      // be another.
      let isIn = Ambient.local.withValue(.nowhere) { (try? table.insertNew(pid, row)) != nil }
      if isIn { return }
    }
    counters.unrecorded.wrappingAdd(1, ordering: .relaxed)
  }

  /// Takes a row out of the table.
  func takeOut(_ pid: PID) { try? table?.delete(pid) }

  /// Closes what a process that has ended left open, and takes its row. Whoever calls it: of two only
  /// one finds the spans.
  func closeRow(of pid: PID, _ fate: Fate) {
    // By the slot, where it also is if the table was lost.
    let row = Self.existingRow(of: pid.core) ?? (try? table?.lookup(pid)) ?? nil
    row?.close(becauseOf: fate, of: pid)
    takeOut(pid)
    unclosed.withLock { $0[pid] = nil }
  }

  /// Keeps the row of a process that has ended until somebody closes it.
  func keep(_ row: SpanRow, of pid: PID) {
    // With no tree there is nobody who ever will.
    if table == nil, pid.node.pid(named: TracingTree.name) == nil {
      counters.lost.wrappingAdd(row.close().count, ordering: .relaxed)
    } else {
      // Looked at under the lock: who closes it takes it out of here afterwards.
      unclosed.withLock { if row.count > 0 { $0[pid] = row } }
    }
  }

  /// The rows that a lost table was needed for: those of the living, and of the dead that are not closed.
  func rows(on node: Node) -> [(pid: PID, row: SpanRow)] {
    let living = node.processes.all.compactMap { core in
      Self.existingRow(of: core).map { (core.pid, $0) }
    }
    return living + unclosed.withLock { $0.map { ($0.key, $0.value) } }
  }

  func note(_ death: SpanDeath) {
    let capacity = settings.value.deathLogCapacity
    deathLog.withLock { $0.append(death, capacity: capacity) }
  }

  var deaths: [SpanDeath] { deathLog.withLock { $0.all } }

  /// Starts the tracing tree, once.
  ///
  /// The table is there as soon as this returns, owned by the process that starts the tree, so that
  /// no span is too early for it; that process gives it to the holder.
  func start(on node: Node) {
    if isStarted.load(ordering: .acquiring) { return }
    let boot = ProcessCore(node: node, parent: nil)
    guard let table = try? SpanTable(.set, access: .public, owner: boot.pid) else { return }
    // Started and published are one: whoever finds it started has a table to put its row into.
    let isFirst = slot.withLock { slot in
      if isStarted.load(ordering: .relaxed) { return false }
      slot = table
      isStarted.store(true, ordering: .releasing)
      return true
    }
    guard isFirst else { return boot.finish(.normal) }
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
