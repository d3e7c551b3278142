public import ArborTracing

extension Trace {
  /// Spans as indented trees, each span below its parent, with its process, duration, status and
  /// attributes, and what happened during it.
  ///
  ///     print(Trace.rendered(recorder.spans(of: trace)))
  ///
  ///     checkout  #PID<7>  1.2 ms  ok  [cart: 3]
  ///       * coupon taken  +0.1 ms  [code: xmas]
  ///       reserve (client)  #PID<7>  0.9 ms  ok
  ///         reserve (server)  #PID<9>  0.8 ms  error: killed
  ///
  /// A kind other than `internal` stands in brackets. A line with a `*` is an event, and how long after
  /// the span's start it was; one with `->` is a link. A span whose parent is not among them stands on
  /// the left, and says who the parent is. Spans of several traces stand below the ids of their traces.
  public static func rendered(_ spans: [TraceSpan]) -> String {
    let spans = spans.sorted { $0.startTime < $1.startTime }
    let traces = Dictionary(grouping: spans, by: \.traceID)
    if traces.count < 2 { return lines(of: spans).joined(separator: "\n") }
    // In the order in which they began.
    var known: Set<TraceID> = []
    return spans.map(\.traceID).filter { known.insert($0).inserted }
      .flatMap { ["trace \($0)"] + lines(of: traces[$0] ?? []).map { "  " + $0 } }
      .joined(separator: "\n")
  }

  /// - Parameter spans: of one trace, in the order of their starts.
  private static func lines(of spans: [TraceSpan]) -> [String] {
    let known = Set(spans.map(\.id))
    let children = Dictionary(grouping: spans) { span in
      span.parentID.flatMap { known.contains($0) ? $0 : nil }
    }
    var lines: [String] = []
    var shown: Set<SpanID> = []
    // Behind the roots all the others, for those that nothing leads to: what came from other machines
    // may go round in a ring.
    for root in (children[nil] ?? []) + spans {
      // A list of what is still to do, instead of recursion: a trace can be deeper than a stack.
      var pending = [(span: root, depth: 0)]
      while let (span, depth) = pending.popLast() {
        guard shown.insert(span.id).inserted else { continue }
        let isOrphan = span.parentID.map { !known.contains($0) } ?? false
        lines += Self.lines(of: span, isOrphan: isOrphan)
          .map { String(repeating: "  ", count: depth) + $0 }
        for child in (children[span.id] ?? []).reversed() { pending.append((child, depth + 1)) }
      }
    }
    return lines
  }

  private static func lines(of span: TraceSpan, isOrphan: Bool) -> [String] {
    var parts = [span.kind == .internal ? span.name : "\(span.name) (\(span.kind.rawValue))"]
    parts.append("#PID<\(span.processID)>")
    if let duration = span.duration { parts.append(rendered(nanoseconds: duration)) }
    parts.append("\(span.status)")
    if !span.metadata.isEmpty { parts.append("\(span.metadata)") }
    if isOrphan, let parentID = span.parentID { parts.append("below \(parentID)") }
    var lines = [parts.joined(separator: "  ")]
    for event in span.events {
      let time = event.time < span.startTime ? 0 : event.time - span.startTime
      let line = "  * \(event.name)  +\(rendered(nanoseconds: time))"
      lines.append(event.attributes.isEmpty ? line : "\(line)  \(event.attributes)")
    }
    for link in span.links {
      let line = "  -> \(link.spanID) of trace \(link.traceID)"
      lines.append(link.attributes.isEmpty ? line : "\(line)  \(link.attributes)")
    }
    let cut = [
      (span.cut.attributes, "attributes"), (span.cut.events, "events"), (span.cut.links, "links"),
    ].filter { $0.0 > 0 }.map { "\($0.0) \($0.1)" }
    if !cut.isEmpty { lines.append("  cut off: " + cut.joined(separator: ", ")) }
    return lines
  }

  /// A length of time for people: `850 ns`, `12.3 us`, `4.0 ms`, `1.5 s`.
  static func rendered(nanoseconds: UInt64) -> String {
    for (unit, size) in [("s", 1_000_000_000), ("ms", 1_000_000), ("us", 1_000)]
      as [(String, UInt64)]
    where nanoseconds >= size {
      let tenths = nanoseconds / (size / 10)
      return "\(tenths / 10).\(tenths % 10) \(unit)"
    }
    return "\(nanoseconds) ns"
  }
}
