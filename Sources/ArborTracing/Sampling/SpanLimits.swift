/// How much a node's spans may hold. What goes beyond is left out, and counted: in the span's
/// ``TraceSpan/cut``, and in ``TraceCounts``.
///
/// OpenTelemetry: `SpanLimits`, whose defaults these are; it has no limit of the depth.
public struct SpanLimits: Sendable, Hashable {
  /// Attributes of one span. One that is set again takes no room.
  public var attributes = 128
  /// Events of one span.
  public var events = 128
  /// Links of one span.
  public var links = 128
  /// Spans that one process has open at once. Beyond it `withSpan` runs its body without one.
  public var depth = 10_000

  public init() {}
}
