import ArborPrimitives
public import ArborTelemetry

/// What is known of a process that ends by an error of its own: carried by `arbor.process.crash`, and
/// written by the node's ``Node/logger``.
///
///     try node.telemetry.attach("crashes", to: .processCrash) { _, _, metadata in
///       if let report = metadata["report", as: CrashReport.self] { print(report) }
///     }
///
/// OTP: the crash report of `proc_lib`, and the error report of `gen_server`.
public struct CrashReport: Sendable {
  /// Who.
  public let pid: PID
  /// Why.
  public let reason: ExitReason
  /// What it was, at its end: names, label, initial call, ancestors, what it was handling, how many
  /// messages were left.
  public let info: PID.Info
  /// Those that end with it: linked, and not trapping exits.
  public let neighbours: [Neighbour]
  /// The trace of the message that was being handled, as 32 hexadecimal digits; nil outside of every
  /// trace.
  public let traceID: String?
  /// The type of the server; nil of a raw process.
  public let server: String?
  /// The message that a server was handling.
  public let lastMessage: (any Sendable)?
  /// The state of a server, as it chooses to show it: by `StateExposing`, or by its `formatStatus`.
  public let state: (any Sendable)?
  /// The last events, if a log of them was kept: see `Sys.log`.
  public let log: [SystemEvent]

  /// Its first name.
  public var name: ProcessName? { info.names.first }

  /// A process that is linked with one that crashed.
  ///
  /// OTP: a neighbour of the crash report.
  public struct Neighbour: Sendable {
    public let pid: PID
    public let info: PID.Info
  }
}

extension CrashReport: CustomStringConvertible {
  public var description: String {
    var lines = ["\(pid) crashed: \(reason)"]
    func add(_ name: String, _ value: String?) {
      if let value { lines.append("  \(name): \(value)") }
    }
    func add(_ name: String, _ values: [some CustomStringConvertible]) {
      if !values.isEmpty { add(name, values.map(\.description).joined(separator: ", ")) }
    }
    add("server", server)
    add("names", info.names)
    add("label", info.label)
    if server == nil { add("initial call", info.initialCall) }
    add("ancestors", info.ancestors)
    add("handling", info.handling?.description)
    add("last message", lastMessage.map { "\($0)" })
    add("state", state.map { "\($0)" })
    add("log", log)
    add("messages left", "\(info.queueLength)")
    for neighbour in neighbours {
      let what = neighbour.info.names.first?.text ?? neighbour.info.initialCall
      add("neighbour", "\(neighbour.pid)" + (what.map { " \($0)" } ?? ""))
    }
    return lines.joined(separator: "\n")
  }
}

extension TelemetryEvent {
  /// A process ends by an error of its own: its body threw something other than `normal`, `shutdown` or
  /// `shutdown(detail)`. Told before anybody hears of the end; an end by an exit signal is not told.
  ///
  /// Measurements: `count`, `queue_length`. Metadata: `pid`, `reason`, `server` and `name` if it has
  /// them, and `report`, a ``CrashReport``.
  public static let processCrash = TelemetryEvent("arbor", "process", "crash")

  /// A process was released while its handler went on; see ``Node/zombies``.
  ///
  /// Measurements: `count`. Metadata: `pid` and `reason`.
  public static let processZombie = TelemetryEvent("arbor", "process", "zombie")
}

/// What a server says about itself in a report.
package struct ShownState: Sendable {
  var state: (any Sendable)?
  var message: (any Sendable)?
  var log: [SystemEvent]

  package init(state: (any Sendable)?, message: (any Sendable)?, log: [SystemEvent]) {
    self.state = state
    self.message = message
    self.log = log
  }
}

extension ProcessCore {
  /// The last events, if a log of them is kept.
  package var eventLog: [SystemEvent] {
    machine.withLock { $0.backstage }?.debug.withLock { $0.log } ?? []
  }

  /// True if an end for that reason, now, is a failure, and somebody wants to know.
  @usableFromInline
  package func isToReport(_ reason: ExitReason) -> Bool {
    !reason.isQuiet && isAlive
      && (node.logger != nil || node.telemetry.hasHandlers(for: .processCrash))
  }

  /// Tells of an end by an error, if somebody wants to know.
  ///
  /// - Parameter cursor: the trace that it happened in; that of the caller if not said.
  package func reportCrash(
    _ reason: ExitReason, _ shown: ShownState? = nil, in cursor: TraceCursor? = nil
  ) {
    guard isToReport(reason), let info else { return }
    let peers = machine.withLock { $0.links.values }.sorted { $0.id < $1.id }
    let neighbours = peers.compactMap { peer -> CrashReport.Neighbour? in
      guard let info = peer.info, !info.trapsExit else { return nil }
      return CrashReport.Neighbour(pid: peer.pid, info: info)
    }
    let cursor = cursor ?? Ambient.current?.cursor
    let report = CrashReport(
      pid: pid, reason: reason, info: info, neighbours: neighbours,
      traceID: cursor.flatMap { $0.isOutside ? nil : $0.traceText },
      server: isServer ? info.initialCall : nil, lastMessage: shown?.message, state: shown?.state,
      log: shown?.log ?? eventLog)
    node.log(.error, report.description, of: self, in: cursor, report: report)
    var metadata: TelemetryValues = ["pid": pid, "reason": reason, "report": report]
    metadata["server"] = report.server
    metadata["name"] = report.name
    node.telemetry.execute(
      .processCrash, ["count": 1, "queue_length": info.queueLength], metadata)
  }
}
