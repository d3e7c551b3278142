/// What sends spans somewhere else: to a file, a collector, a log.
///
///     struct Printer: SpanExporter {
///       func export(_ batch: SpanBatch) async throws {
///         for span in batch.spans { print(span.name, span.status) }
///       }
///     }
///
///     Child("spans") { try BatchSpanProcessor(exporter: Printer()) }
///
/// It is called by a ``BatchSpanProcessor``, one batch at a time, in a process of its own: it may wait,
/// throw, be slow or never return. No traced process waits for it.
///
/// OpenTelemetry: `SpanExporter`.
public protocol SpanExporter: Sendable {
  /// Sends a batch.
  ///
  /// What it throws is counted and reported, and the batch is not tried again: an exporter that wants
  /// another try makes it. If it takes longer than the processor's timeout it is killed, which cancels
  /// its task.
  func export(_ batch: SpanBatch) async throws

  /// Lets go of what it holds; nothing is exported afterwards. Called once, when the processor is shut
  /// down. The default does nothing.
  func shutdown() async
}

extension SpanExporter {
  public func shutdown() async {}
}

/// Spans that have ended, on their way out, in the order in which they ended.
public struct SpanBatch: Sendable {
  public let spans: [TraceSpan]
  /// Leads from the node's clock to nanoseconds since 1970.
  let wallOffset: UInt64

  /// Nanoseconds since 1970 at which a span began, ended, or had an event.
  ///
  /// - Parameter time: a time of the node's clock, such as ``TraceSpan/startTime``.
  public func wallTime(of time: UInt64) -> UInt64 { time &+ wallOffset }
}
