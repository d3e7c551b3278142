public import ArborBehaviours
import ArborPrimitives
public import ArborProcesses
import ArborTables
import Synchronization

/// The server that owns the table of open spans and watches every process that has some, so that a
/// process's spans survive its death, are closed with the reason that it died for, and never leak.
///
/// It is told once, by a cast, when a process opens its first span; from then on the process
/// writes its own row, and nothing passes through here until its DOWN.
///
///     worker.sendExit(.kill)
///     try await SpanManager.settle(worker)      // its spans are closed, their events emitted
///
/// It starts with a node's first span, under the node's root supervisor.
public actor SpanManager: GenServer {
  static let name: ProcessName = "arbor.tracing.manager"

  public enum Call: Sendable {
    /// See ``SpanManager/settle(_:)``.
    case settle(PID, From<Void>)
    /// See ``SpanManager/settle(on:)``.
    case settleAll(From<Void>)
    /// How many processes are watched.
    case watchedCount(From<Int>)
  }

  public enum Cast: Sendable {
    /// A process has opened its first span.
    case adopt(PID)
    /// The table's holder has come up, or has got the table.
    case holderUp(PID)
  }

  public nonisolated let process: ProcessContext
  private let tracing: Tracing
  private var table: SpanTable?
  /// One monitor for each process, however many spans it has.
  private var watched: [PID: MonitorRef] = [:]

  init() {
    process = ProcessContext()
    tracing = Tracing.of(process.node)
  }

  /// A manager that has claimed the table and watches everybody in it, before it reads any mail.
  static func make() async -> SpanManager {
    let manager = SpanManager()
    await manager.claim()
    return manager
  }

  public func handleCall(_ call: Call) {
    switch call {
    case .settle(let pid, let from):
      if let fate = pid.fate { close(pid, fate) }
      from.reply()
    case .settleAll(let from):
      scan()
      from.reply()
    case .watchedCount(let from): from.reply(watched.count)
    }
  }

  public func handleCast(_ cast: Cast) async {
    switch cast {
    case .adopt(let pid): watch(pid)
    case .holderUp(let holder):
      if table == nil {
        await claim()
      } else {
        try? table?.setHeir(holder)
      }
    }
  }

  public func handleInfo(_ info: Info) {
    guard case .down(let down) = info, let pid = down.pid, let fate = pid.fate else { return }
    // This was the monitor: there is nothing to take back, and no mailbox to search for its DOWN.
    if watched[pid] == down.ref { watched[pid] = nil }
    close(pid, fate)
  }

  // No `terminate`: what the manager leaves is the next one's, and the holder's at the very end.

  /// Takes the table over from its holder, and everybody in it. With no holder, or one that has no table
  /// yet, there will be a `holderUp`.
  private func claim() async {
    let holder = ServerRef<SpanTableHolder>(named: SpanTableHolder.name, on: process.node)
    let me = process.pid
    guard let table = try? await holder.call({ .claim(me, $0) }) else { return }
    self.table = table
    scan()
  }

  /// Watches everybody in the table. Rows of the dead are closed by that, at once.
  ///
  /// By the table in the slot, which may not have been handed over yet: all may write it, and whoever
  /// asks to settle must not be told that all is well while it is on its way.
  private func scan() {
    try? tracing.table?.visit { pid, _ in
      // Nothing is begun that would outlive the manager: the next one scans anew.
      if process.pid.isAlive { watch(pid) }
    }
  }

  /// Idempotent: a process is adopted, and found by the scan, and adopted again.
  private func watch(_ pid: PID) {
    if let fate = pid.fate { return close(pid, fate) }
    // Its own spans, which a handler of a stop event may have opened, are the next manager's to find.
    guard watched[pid] == nil, pid != process.pid else { return }
    watched[pid] = process.monitor(pid)
  }

  private func close(_ pid: PID, _ fate: Fate) {
    if let ref = watched.removeValue(forKey: pid) { process.demonitor(ref, flush: true) }
    tracing.closeRow(of: pid, fate)
  }
}

extension SpanManager {
  static func adopt(_ pid: PID) { tell(.adopt(pid), on: pid.node) }

  /// Tells the manager, if there is one. Not as the calling process: one that is exiting is still
  /// to have its row cleaned up.
  static func tell(_ cast: Cast, on node: Node) {
    node.names.find(name)?.deliver(Mail.make(.cast, cast, context: nil))
  }
}
