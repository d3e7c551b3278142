public import ArborBehaviours
import ArborPrimitives
public import ArborProcesses
import ArborTables

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
  private var table: SpanTable?
  /// One monitor for each process, however many spans it has.
  private var watched: [PID: MonitorRef] = [:]

  init() { process = ProcessContext() }

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
    close(pid, fate)
  }

  /// Takes the table over from its holder, and everybody in it. With no holder, or one that has no table
  /// yet, there will be a `holderUp`.
  private func claim() async {
    let holder = ServerRef<SpanTableHolder>(named: SpanTableHolder.name, on: process.node)
    let me = process.pid
    guard let table = try? await holder.call({ .claim(me, $0) }) else {
      return
    }
    self.table = table
    scan()
  }

  /// Watches everybody in the table. Rows of the dead are closed by that, at once.
  private func scan() {
    try? table?.visit { pid, _ in
      // Nothing is begun that would outlive the manager: the next one scans anew.
      if process.pid.isAlive { watch(pid) }
    }
  }

  /// Idempotent: a process is adopted, and found by the scan, and adopted again.
  private func watch(_ pid: PID) {
    if let fate = pid.fate { return close(pid, fate) }
    guard watched[pid] == nil else { return }
    watched[pid] = process.monitor(pid)
  }

  private func close(_ pid: PID, _ fate: Fate) {
    if let ref = watched.removeValue(forKey: pid) { process.demonitor(ref, flush: true) }
    // By the table in the slot: one that was made anew may be there before it is claimed.
    guard let table = Tracing.of(process.node).table, let row = try? table.lookup(pid) else {
      return
    }
    row.close(becauseOf: fate, on: pid.node)
    try? table.delete(pid)
    pid.core.slot.withLock { $0 = nil }
  }
}

extension SpanManager {
  /// Returns once the spans of a process that has ended are closed, their events emitted and its row
  /// gone; at once if it is alive.
  ///
  /// A DOWN that you see is not ordered against the manager's own: call this before looking at
  /// what the manager did about it.
  ///
  /// - Throws: ``CallError``: `noproc` if nothing was ever traced on the node, or its tracing has been
  ///   shut down; `cancelled`.
  public static func settle(_ pid: PID) async throws(CallError) {
    do {
      try await ask(on: pid.node) { .settle(pid, $0) }
    } catch .callingSelf {
      // From an event handler that runs in the manager: it is closing spans right now.
    }
  }

  /// Returns once the spans of all processes of a node that have ended by now are closed; at once if
  /// nothing was ever traced on it.
  ///
  /// - Throws: ``CallError``: `noproc` if the node's tracing has been shut down; `cancelled`.
  public static func settle(on node: Node = .current) async throws(CallError) {
    guard Tracing.of(node).isUp else { return }
    do {
      try await ask(on: node) { .settleAll($0) }
    } catch .callingSelf {
      // From an event handler that runs in the manager: it is closing spans right now.
    }
  }

  /// Calls the manager, and waits for it if it is just being started.
  private static func ask<Reply: Sendable>(
    on node: Node, _ request: (From<Reply>) -> Call
  ) async throws(CallError) -> Reply {
    let patience = 5_000
    for _ in 0..<patience {
      do {
        return try await ServerRef<SpanManager>(named: name, on: node).call(timeout: nil, request)
      } catch .noproc {
        // Between its end and the next one's start. What starts it tells nobody, so look again.
        guard Tracing.of(node).isUp else { throw .noproc }
        let isOver = await withProcess(on: node) { context in
          (try? await context.sleep(for: .milliseconds(1))) == nil
        }
        if isOver { throw .cancelled }
      }
    }
    throw .noproc
  }

  /// How many processes the manager watches: one for each row, once it has heard of all.
  ///
  /// - Throws: ``CallError`` if the manager cannot answer.
  public static func watchedCount(on node: Node = .current) async throws(CallError) -> Int {
    try await ask(on: node) { .watchedCount($0) }
  }

  /// How many processes have a row in the node's span table.
  public static func rowCount(on node: Node = .current) -> Int {
    (try? Tracing.of(node).table?.count) ?? 0
  }

  /// The open spans of a node, oldest first.
  public static func openSpans(on node: Node = .current) -> [TraceSpan] {
    var spans: [TraceSpan] = []
    try? Tracing.of(node).table?.visit { _, row in spans += row.spans }
    return spans.sorted { $0.startTime < $1.startTime }
  }

  /// The open spans of one process, innermost last.
  public static func stack(of pid: PID) -> [TraceSpan] {
    (pid.core.slot.withLock { $0 } as? SpanRow)?.spans ?? []
  }

  static func adopt(_ pid: PID) { tell(.adopt(pid), on: pid.node) }

  /// Tells the manager, if there is one. Not as the calling process: one that is exiting is still
  /// to have its row cleaned up.
  static func tell(_ cast: Cast, on node: Node) {
    node.names.find(name)?.deliver(ValueMail(.cast, cast, context: nil))
  }
}
