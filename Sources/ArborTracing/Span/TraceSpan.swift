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
  public let kind: Kind
  /// The number of the process that opened it.
  public let processID: UInt64
  /// False for one that is only passed on: it has no events, and no recorder will see it.
  public let isSampled: Bool
  /// Nanoseconds of the node's clock.
  public let startTime: UInt64
  /// Nanoseconds of the node's clock; nil while it is open.
  public internal(set) var endTime: UInt64?
  public var metadata: Attributes
  public var status: Status
  /// None or one. Most spans have no events and no links, and stay small by this; in an array, so
  /// that it is copied when it is written to and not before.
  private var details: [Details] = []

  init(
    id: SpanID, traceID: TraceID, parentID: SpanID?, name: String, kind: Kind = .internal,
    processID: UInt64, isSampled: Bool = true, startTime: UInt64, metadata: Attributes = [:]
  ) {
    self.id = id
    self.traceID = traceID
    self.parentID = parentID
    self.name = name
    self.kind = kind
    self.processID = processID
    self.isSampled = isSampled
    self.startTime = startTime
    self.metadata = metadata
    status = .open
  }

  /// Nanoseconds from start to end; nil while it is open.
  public var duration: UInt64? { endTime.map { $0 - startTime } }

  /// True if the span has failed.
  public var isError: Bool {
    if case .error = status { true } else { false }
  }
}

extension TraceSpan {
  /// How a span stands.
  public enum Status: Sendable, Hashable {
    case open
    case ok
    /// It failed: with an error, or because its process ended. The text says with which, or why.
    case error(String)
  }

  /// Which side of a message a span tells of.
  ///
  /// OpenTelemetry: `SpanKind`.
  public enum Kind: String, Sendable, Hashable, CaseIterable {
    /// Work within a process.
    case `internal`
    /// A request, as who sends it and waits for the answer sees it.
    case client
    /// A request, as who answers it sees it.
    case server
    /// A message that nobody waits for, as its sender sees it.
    case producer
    /// A message that nobody waits for, as who handles it sees it.
    case consumer
  }

  /// Something that happened during a span.
  public struct Event: Sendable, Hashable {
    public let name: String
    /// Nanoseconds of the node's clock.
    public let time: UInt64
    public let attributes: Attributes
  }

  /// Another span, mostly of another trace, that this one has to do with and is no child of: the
  /// requests that a batch is made of, say.
  public struct Link: Sendable, Hashable {
    public let traceID: TraceID
    public let spanID: SpanID
    public let attributes: Attributes
  }

  /// How much of a span was cut off by the node's limits.
  public struct Cut: Sendable, Hashable {
    public internal(set) var attributes = 0
    public internal(set) var events = 0
    public internal(set) var links = 0
  }

  private struct Details: Sendable, Equatable {
    var events: [Event] = []
    var links: [Link] = []
    var cut = Cut()
  }

  /// What happened during it, in that order.
  public internal(set) var events: [Event] {
    get { details.first?.events ?? [] }
    _modify {
      makeDetails()
      yield &details[0].events
    }
  }

  /// The other spans that it has to do with.
  public internal(set) var links: [Link] {
    get { details.first?.links ?? [] }
    _modify {
      makeDetails()
      yield &details[0].links
    }
  }

  /// What was cut off by the node's limits; all zero for most.
  public internal(set) var cut: Cut {
    get { details.first?.cut ?? Cut() }
    _modify {
      makeDetails()
      yield &details[0].cut
    }
  }

  private mutating func makeDetails() {
    if details.isEmpty { details.append(Details()) }
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
