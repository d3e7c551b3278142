/// A named, timed unit of work: one step of a trace, and the parent of the steps it took.
///
/// A value that says how the span was when it was read; the open spans themselves are rows of the
/// span table.
public struct TraceSpan: Sendable, Equatable, Identifiable {
  public let id: SpanID
  public let traceID: TraceID
  /// The span that it was opened under; nil for the first of its trace.
  public let parentID: SpanID?
  public let name: String
  /// The number of the process that opened it.
  public let processID: UInt64
  /// Nanoseconds of the node's clock.
  public let startTime: UInt64
  /// Nanoseconds of the node's clock; nil while it is open.
  public internal(set) var endTime: UInt64?
  public internal(set) var metadata: Attributes
  public internal(set) var status: Status

  /// How a span stands.
  public enum Status: Sendable, Hashable {
    case open
    case ok
    /// It failed: with an error, or because its process ended. The text says with which, or why.
    case error(String)
  }

  /// Nanoseconds from start to end; nil while it is open.
  public var duration: UInt64? { endTime.map { $0 - startTime } }

  /// True if the span has failed.
  public var isError: Bool {
    if case .error = status { true } else { false }
  }
}

extension TraceSpan.Status: CustomStringConvertible {
  public var description: String {
    switch self {
    case .open: "open"
    case .ok: "ok"
    case .error(let text): "error: \(text)"
    }
  }
}
