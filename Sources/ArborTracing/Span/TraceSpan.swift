/// A named, timed unit of work: one step of a trace, and the parent of the steps it took.
///
/// A value that says how the span was when it was read; the open spans themselves are rows of the
/// span table.
public struct TraceSpan: Sendable, Identifiable {
  private var record: Record

  init(
    id: SpanID, traceID: TraceID, parentID: SpanID?, name: String, kind: Kind = .internal,
    processID: UInt64, isSampled: Bool = true, startTime: UInt64, metadata: Attributes = [:]
  ) {
    record = Record(
      id: id, traceID: traceID, parentID: parentID, name: name, kind: kind,
      processID: processID, isSampled: isSampled, startTime: startTime, metadata: metadata)
  }

  /// The record, no other span's: for whoever is going to change it.
  private var own: Record {
    mutating get {
      if !isKnownUniquelyReferenced(&record) { record = record.copy() }
      return record
    }
  }

  public var id: SpanID { record.id }
  public var traceID: TraceID { record.traceID }
  /// The span that it was opened under; nil for the first of its trace.
  public var parentID: SpanID? { record.parentID }
  public var name: String { record.name }
  public var kind: Kind { record.kind }
  /// The number of the process that opened it.
  public var processID: UInt64 { record.processID }
  /// False for one that is only passed on: it has no events, and no recorder will see it.
  public var isSampled: Bool { record.isSampled }
  /// Nanoseconds of the node's clock.
  public var startTime: UInt64 { record.startTime }

  /// Nanoseconds of the node's clock; nil while it is open.
  public internal(set) var endTime: UInt64? {
    get { record.endTime }
    set { own.endTime = newValue }
  }

  public var metadata: Attributes {
    get { record.metadata }
    _modify { yield &own.metadata }
  }

  public var status: Status {
    get { record.status }
    set { own.status = newValue }
  }

  /// What happened during it, in that order.
  public internal(set) var events: [Event] {
    get { record.details.first?.events ?? [] }
    _modify { yield &details.events }
  }

  /// The other spans that it has to do with.
  public internal(set) var links: [Link] {
    get { record.details.first?.links ?? [] }
    _modify { yield &details.links }
  }

  /// What was cut off by the node's limits; all zero for most.
  public internal(set) var cut: Cut {
    get { record.details.first?.cut ?? Cut() }
    _modify { yield &details.cut }
  }

  /// Made when it is written to.
  private var details: Details {
    get { record.details.first ?? Details() }
    _modify {
      let record = own
      if record.details.isEmpty { record.details.append(Details()) }
      yield &record.details[0]
    }
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
}

extension TraceSpan: Equatable {
  public static func == (left: TraceSpan, right: TraceSpan) -> Bool { left.record == right.record }
}

extension TraceSpan: CustomReflectable {
  /// What it consists of, and not where that is kept.
  public var customMirror: Mirror {
    Mirror(
      self,
      children: [
        "id": id, "traceID": traceID, "parentID": parentID as Any, "name": name, "kind": kind,
        "processID": processID, "isSampled": isSampled, "startTime": startTime,
        "endTime": endTime as Any, "metadata": metadata, "status": status, "events": events,
        "links": links, "cut": cut,
      ])
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
