extension TraceSpan {
  /// What a span consists of, behind one reference: a span is handed on more often than it is changed,
  /// and handing it on is to cost one count.
  final class Record: @unchecked Sendable {
    // Unchecked, because parts of it change, and those without a check of exclusive access. They do so only
    // through a span's `own`, which makes sure that no other span has the same record; and a span is a
    // value, which only one at a time may change.

    let id: SpanID
    let traceID: TraceID
    let parentID: SpanID?
    let name: String
    let kind: Kind
    let processID: UInt64
    let isSampled: Bool
    let startTime: UInt64
    @exclusivity(unchecked) var endTime: UInt64?
    @exclusivity(unchecked) var metadata: Attributes
    @exclusivity(unchecked) var status: Status
    /// None or one: most spans have no events and no links.
    @exclusivity(unchecked) var details: [Details]

    init(
      id: SpanID, traceID: TraceID, parentID: SpanID?, name: String, kind: Kind,
      processID: UInt64, isSampled: Bool, startTime: UInt64, endTime: UInt64? = nil,
      metadata: Attributes, status: Status = .open, details: [Details] = []
    ) {
      self.id = id
      self.traceID = traceID
      self.parentID = parentID
      self.name = name
      self.kind = kind
      self.processID = processID
      self.isSampled = isSampled
      self.startTime = startTime
      self.endTime = endTime
      self.metadata = metadata
      self.status = status
      self.details = details
    }

    func copy() -> Record {
      Record(
        id: id, traceID: traceID, parentID: parentID, name: name, kind: kind,
        processID: processID, isSampled: isSampled, startTime: startTime, endTime: endTime,
        metadata: metadata, status: status, details: details)
    }
  }

  struct Details: Sendable, Equatable {
    var events: [Event] = []
    var links: [Link] = []
    var cut = Cut()
  }
}

extension TraceSpan.Record {
  static func == (left: TraceSpan.Record, right: TraceSpan.Record) -> Bool {
    if left === right { return true }
    return left.id == right.id && left.traceID == right.traceID && left.parentID == right.parentID
      && left.name == right.name && left.kind == right.kind && left.processID == right.processID
      && left.isSampled == right.isSampled && left.startTime == right.startTime
      && left.endTime == right.endTime && left.status == right.status
      && left.metadata == right.metadata && left.details == right.details
  }
}
