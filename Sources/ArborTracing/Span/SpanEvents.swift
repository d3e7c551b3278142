import ArborProcesses
public import ArborTelemetry

/// The telemetry events of spans.
///
/// The metadata of all five: `span` (the ``TraceSpan``, as it is then) and its parts `span_id`,
/// `trace_id`, `parent_id` if it has a parent, `span_name` and `name`, `kind`, `status`, `process` (the
/// number of the process), and its attributes by their own names, where these are not taken.
/// Times are nanoseconds: `monotonic_time` of the node's clock, `system_time` and `timestamp`, which are
/// one, since 1970.
extension TelemetryEvent {
  /// `foundation.span.start`: a span was opened. Measurements `monotonic_time`, `system_time`,
  /// `timestamp`.
  public static let spanStart = TelemetryEvent("foundation", "span", "start")
  /// `foundation.span.stop`: a span has ended. Measurements `duration`, `monotonic_time`,
  /// `system_time`, `timestamp`. Of one that failed the metadata have `error`, the description of what
  /// was thrown; if its process ended before it also `reason`, the exit reason, and `causes`, how that
  /// came about.
  public static let spanStop = TelemetryEvent("foundation", "span", "stop")
  /// `foundation.span.attributes`: a span got attributes. Measurements `count`, `monotonic_time`,
  /// `system_time`, `timestamp`; metadata also `attributes`, the new ones.
  public static let spanAttributes = TelemetryEvent("foundation", "span", "attributes")
  /// `foundation.span.event`: something happened during a span. Measurements `monotonic_time`,
  /// `system_time`, `timestamp`; metadata also `event` (the ``TraceSpan/Event``), `event_name` and
  /// `attributes`, the event's.
  public static let spanEvent = TelemetryEvent("foundation", "span", "event")
  /// `foundation.span.link`: a span was said to have to do with another. Measurements
  /// `monotonic_time`, `system_time`, `timestamp`; metadata also `link` (the ``TraceSpan/Link``),
  /// `linked_span_id`, `linked_trace_id` and `attributes`, the link's.
  public static let spanLink = TelemetryEvent("foundation", "span", "link")
  /// `arbor.tracing.warning`: a call found no span to work on, and went on without. Once for each
  /// operation and problem; how often it was in all, ``SpanManager/counts(on:)`` says. Measurement
  /// `count`; metadata `operation`, `problem` (`nothingOpen`, `notOpen`, `noProcess`), `process`.
  public static let traceWarning = TelemetryEvent("arbor", "tracing", "warning")
  /// `arbor.tracing.table_lost`: the owner of the span table and its heir ended at once, and it was
  /// made anew. Measurements `recovered`, the open spans that are in the new one: those of all living
  /// processes, and of the dead whose spans are not closed yet; and `lost`, see ``TraceCounts/lost``.
  public static let tableLost = TelemetryEvent("arbor", "tracing", "table_lost")
}

extension Node {
  @inline(__always)
  func emitStart(_ span: TraceSpan) {
    if span.isSampled, telemetry.mayHaveHandlers(for: .spanStart) { executeStart(span) }
  }

  private func executeStart(_ span: TraceSpan) {
    telemetry.execute(
      .spanStart, times(of: span.startTime), Self.metadata(of: span))
  }

  /// - Parameter fate: what the span's process ended with, if that ended the span.
  func emitStop(_ span: TraceSpan, fate: Fate? = nil) {
    guard span.isSampled else { return }
    telemetry.execute(
      .spanStop,
      times(of: span.endTime ?? 0).merging(["duration": Int(clamping: span.duration ?? 0)]),
      Self.metadata(of: span, Self.failure(of: span, fate)))
  }

  func emitAttributes(_ added: Attributes, of span: TraceSpan) {
    telemetry.execute(
      .spanAttributes, times(of: clock.now()).merging(["count": added.count]),
      Self.metadata(of: span, ["attributes": added]))
  }

  func emitEvent(_ event: TraceSpan.Event, of span: TraceSpan) {
    telemetry.execute(
      .spanEvent, times(of: event.time),
      Self.metadata(
        of: span,
        ["event": event, "event_name": event.name, "attributes": event.attributes]))
  }

  func emitLink(_ link: TraceSpan.Link, of span: TraceSpan) {
    telemetry.execute(
      .spanLink, times(of: clock.now()),
      Self.metadata(
        of: span,
        [
          "link": link, "linked_span_id": link.spanID, "linked_trace_id": link.traceID,
          "attributes": link.attributes,
        ]))
  }

  private func times(of time: UInt64) -> TelemetryValues {
    let system = Int(clamping: clock.wallTime())
    return [
      "monotonic_time": Int(clamping: time), "system_time": system, "timestamp": system,
    ]
  }

  private static func failure(of span: TraceSpan, _ fate: Fate?) -> TelemetryValues {
    var values = TelemetryValues()
    if case .error(let text) = span.status { values["error"] = text }
    if let fate {
      values["reason"] = fate.reason
      if !fate.causes.isEmpty { values["causes"] = fate.causes }
    }
    return values
  }

  private static func metadata(
    of span: TraceSpan, _ more: TelemetryValues = TelemetryValues()
  ) -> TelemetryValues {
    var metadata: TelemetryValues = [
      "span": span, "span_id": span.id, "trace_id": span.traceID, "span_name": span.name,
      "name": span.name, "kind": span.kind, "status": span.status, "process": span.processID,
    ]
    if let parentID = span.parentID { metadata["parent_id"] = parentID }
    metadata.merge(more)
    for (name, value) in span.metadata where metadata[name] == nil { metadata[name] = value }
    return metadata
  }
}
