/// The three events of a span, which share a prefix: `start`, then `stop` or `exception`.
///
///     let queryEvents = TelemetrySpanEvents("database", "query")
///     queryEvents.stop  // database.query.stop
///
/// Make it once and keep it, as a `static let`.
///
/// OTP: the `event_prefix()` given to `:telemetry.span/3`.
public struct TelemetrySpanEvents: Hashable, Sendable {
  /// The work begins. Measurements: `monotonic_time` and `system_time`, nanoseconds. Metadata: the
  /// span's, and `telemetry_span_context` (a ``TelemetrySpanContext``).
  public let start: TelemetryEvent

  /// The work has returned. Measurements: `duration` and `monotonic_time`, nanoseconds, and those of
  /// ``TelemetrySpanEnd/measurements``. Metadata: those of ``TelemetrySpanEnd/metadata``, and
  /// `telemetry_span_context`.
  public let stop: TelemetryEvent

  /// The work has thrown. Measurements: `duration` and `monotonic_time`, nanoseconds. Metadata: the
  /// span's, `kind` (`"error"`), `reason` (the error), `stacktrace` (an empty `[String]`: Swift's
  /// errors carry none), and `telemetry_span_context`.
  public let exception: TelemetryEvent

  /// The events `prefix.start`, `prefix.stop` and `prefix.exception`.
  public init(_ prefix: TelemetryEvent) {
    start = prefix.appending("start")
    stop = prefix.appending("stop")
    exception = prefix.appending("exception")
  }

  /// The events whose names begin with these parts.
  public init(_ first: String, _ rest: String...) {
    self.init(rest.reduce(TelemetryEvent(first)) { $0.appending($1) })
  }

  /// All three, to attach one handler to.
  public var all: [TelemetryEvent] { [start, stop, exception] }
}

/// What tells one span's events from another's: it is equal in the start and in the end of one span,
/// and differs between any two spans of one ``Telemetry``.
///
/// Found in the metadata as `telemetry_span_context`, unless the caller put something of its own there.
public struct TelemetrySpanContext: Hashable, Sendable, CustomStringConvertible {
  package let number: UInt64

  /// `span-17`
  public var description: String { "span-\(number)" }
}

/// What a span's stop event will carry besides its times; the work may change it.
public struct TelemetrySpanEnd: Sendable {
  /// Measurements to be added; `duration` and `monotonic_time` cannot be replaced.
  public var measurements: TelemetryValues = [:]

  /// The stop event's metadata; to begin with, that of the start.
  public var metadata: TelemetryValues
}
