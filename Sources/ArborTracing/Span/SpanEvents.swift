import ArborProcesses
public import ArborTelemetry

/// The telemetry events of spans.
extension TelemetryEvent {
  /// A span was opened. Measurements `monotonic_time`, `system_time`; metadata `span` and its parts.
  public static let spanStart = TelemetryEvent("foundation", "span", "start")
  /// A span has ended. Measurements `duration`, `monotonic_time`; metadata as `spanStart`, and `reason`,
  /// the exit reason, if its process ended before it.
  public static let spanStop = TelemetryEvent("foundation", "span", "stop")
  /// A span got attributes. Metadata as `spanStart`, and `attributes`, the new ones.
  public static let spanAttributes = TelemetryEvent("foundation", "span", "attributes")
}

extension Node {
  func emitStart(_ span: TraceSpan) {
    telemetry.execute(
      .spanStart,
      [
        "monotonic_time": Int(clamping: span.startTime),
        "system_time": Int(clamping: clock.wallTime()),
      ],
      Self.metadata(of: span))
  }

  /// - Parameter reason: what the span's process ended with, if that ended the span.
  func emitStop(_ span: TraceSpan, reason: ExitReason? = nil) {
    telemetry.execute(
      .spanStop,
      [
        "duration": Int(clamping: span.duration ?? 0),
        "monotonic_time": Int(clamping: span.endTime ?? 0),
      ],
      Self.metadata(of: span, "reason", reason))
  }

  func emitAttributes(_ added: Attributes, of span: TraceSpan) {
    telemetry.execute(
      .spanAttributes, ["count": added.count], Self.metadata(of: span, "attributes", added))
  }

  private static func metadata(
    of span: TraceSpan, _ name: String = "", _ value: (any Sendable)? = nil
  ) -> TelemetryValues {
    var metadata: TelemetryValues = [
      "span": span, "name": span.name, "span_id": span.id, "trace_id": span.traceID,
      "status": span.status, "process": span.processID,
    ]
    if let parentID = span.parentID { metadata["parent_id"] = parentID }
    if let value { metadata[name] = value }
    return metadata
  }
}
