/// What a trace says of itself in a `traceparent`.
///
/// W3C Trace Context, "trace-flags". Bits that it does not define are not kept.
public struct TraceFlags: OptionSet, Hashable, Sendable {
  public let rawValue: UInt8
  public init(rawValue: UInt8) { self.rawValue = rawValue }

  /// The sender may have recorded the span.
  public static let sampled = TraceFlags(rawValue: 1)
  /// At least the last seven bytes of the trace id are random. Stays as the trace's beginner set it.
  public static let random = TraceFlags(rawValue: 2)

  /// Those that the standard defines.
  static let known: TraceFlags = [.sampled, .random]
}
