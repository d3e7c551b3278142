public import ArborProcesses

extension SpanRecorder {
  /// The spans in the order in which they ended.
  public var spans: [TraceSpan] { records.map(\.span) }

  /// The spans of that name, in the order in which they ended.
  public func spans(named name: String) -> [TraceSpan] { spans.filter { $0.name == name } }

  /// The spans that a process opened, in the order in which it opened them.
  public func spans(of process: PID) -> [TraceSpan] {
    spans.filter { $0.processID == process.id }.sorted(by: Self.isEarlier)
  }

  /// The spans that failed, in the order in which they ended: mostly the innermost comes first.
  public var errors: [TraceSpan] { spans.filter(\.isError) }

  /// The spans that were closed because their process ended, and what it ended with.
  public var abandoned: [Record] { records.filter { $0.reason != nil } }
}

// Traces are trees, and these walk them.
extension SpanRecorder {
  /// The traces that were recorded, in the order in which their first spans were opened.
  public var traces: [TraceID] {
    var known: Set<TraceID> = []
    return spans.sorted(by: Self.isEarlier).map(\.traceID).filter { known.insert($0).inserted }
  }

  /// The spans of one trace, in the order in which they were opened.
  public func spans(of trace: TraceID) -> [TraceSpan] {
    spans.filter { $0.traceID == trace }.sorted(by: Self.isEarlier)
  }

  /// The spans whose parent was not recorded: the first of each trace, those whose parent is on
  /// another machine, and those whose parent is still open.
  public var roots: [TraceSpan] {
    let spans = spans
    let known = Set(spans.map(\.id))
    return spans.filter { $0.parentID.map(known.contains) != true }.sorted(by: Self.isEarlier)
  }

  /// As ``roots``, of one trace.
  public func roots(of trace: TraceID) -> [TraceSpan] { roots.filter { $0.traceID == trace } }

  /// The spans that were opened directly under another, in the order in which they were.
  public func children(of span: TraceSpan) -> [TraceSpan] {
    spans.filter { $0.parentID == span.id && $0.traceID == span.traceID }.sorted(by: Self.isEarlier)
  }

  /// The spans from the root of a span's trace down to the one that it was opened under, as far as
  /// they were recorded.
  public func ancestors(of span: TraceSpan) -> [TraceSpan] {
    let byID = Dictionary(spans.map { ($0.id, $0) }, uniquingKeysWith: { first, _ in first })
    var path: [TraceSpan] = []
    var next = span.parentID.flatMap { byID[$0] }
    // What came from another machine may name itself as its parent, or go round in a ring.
    while let parent = next, !path.contains(where: { $0.id == parent.id }) {
      path.append(parent)
      next = parent.parentID.flatMap { byID[$0] }
    }
    return path.reversed()
  }

  private static func isEarlier(_ left: TraceSpan, _ right: TraceSpan) -> Bool {
    left.startTime < right.startTime
  }
}
