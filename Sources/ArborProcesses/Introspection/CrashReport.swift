import ArborPrimitives
public import ArborTelemetry

/// What is known of a process that ends by an error of its own: carried by `arbor.process.crash`.
///
///     try node.telemetry.attach("crashes", to: .processCrash) { _, _, metadata in
///       if let report = metadata["report", as: CrashReport.self] { print(report) }
///     }
///
/// OTP: the crash report of `proc_lib`.
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
    add("names", info.names)
    add("label", info.label)
    add("initial call", info.initialCall)
    add("ancestors", info.ancestors)
    add("handling", info.handling?.description)
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
  /// Measurements: `count`. Metadata: `pid`, `reason`, and `report`, a ``CrashReport``.
  public static let processCrash = TelemetryEvent("arbor", "process", "crash")

  /// A process was released while its handler went on; see ``Node/zombies``.
  ///
  /// Measurements: `count`. Metadata: `pid` and `reason`.
  public static let processZombie = TelemetryEvent("arbor", "process", "zombie")
}

extension ProcessCore {
  /// Tells of an end by an error, if somebody wants to know.
  func reportCrash(_ reason: ExitReason) {
    guard !reason.isQuiet, node.telemetry.hasHandlers(for: .processCrash), let info else { return }
    let peers = machine.withLock { $0.links.values }.sorted { $0.id < $1.id }
    let neighbours = peers.compactMap { peer -> CrashReport.Neighbour? in
      guard let info = peer.info, !info.trapsExit else { return nil }
      return CrashReport.Neighbour(pid: peer.pid, info: info)
    }
    let report = CrashReport(pid: pid, reason: reason, info: info, neighbours: neighbours)
    node.telemetry.execute(
      .processCrash, ["count": 1], ["pid": pid, "reason": reason, "report": report])
  }
}
