public import ArborTracing

extension Trace {
  /// The spans of one trace as an indented tree, each with its process, duration and status.
  ///
  ///     print(Trace.rendered(recorder.spans(of: trace)))
  ///
  ///     checkout  #PID<7>  1.2 ms  ok  [cart: 3]
  ///       reserve  #PID<9>  0.8 ms  error: killed
  ///
  /// A span whose parent is not among them stands on the left.
  public static func rendered(_ spans: [TraceSpan]) -> String {
    let known = Set(spans.map(\.id))
    let children = Dictionary(grouping: spans.sorted { $0.startTime < $1.startTime }) { span in
      span.parentID.flatMap { known.contains($0) ? $0 : nil }
    }
    var lines: [String] = []
    // A list of what is still to do, instead of recursion: a trace can be deeper than a stack.
    var pending = (children[nil] ?? []).reversed().map { (span: $0, depth: 0) }
    while let (span, depth) = pending.popLast() {
      lines.append(String(repeating: "  ", count: depth) + line(of: span))
      for child in (children[span.id] ?? []).reversed() { pending.append((child, depth + 1)) }
    }
    return lines.joined(separator: "\n")
  }

  private static func line(of span: TraceSpan) -> String {
    var parts = [span.name, "#PID<\(span.processID)>"]
    if let duration = span.duration { parts.append(rendered(nanoseconds: duration)) }
    parts.append("\(span.status)")
    if !span.metadata.isEmpty { parts.append("\(span.metadata)") }
    return parts.joined(separator: "  ")
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
