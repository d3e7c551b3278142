/// The open spans of one process, innermost last: what is in a row of the span table. Pure.
struct SpanRowMachine: Sendable {
  struct Entry: Sendable {
    var span: TraceSpan
    /// False for one opened by `startSpan`, which no task-local tells of.
    let isScoped: Bool
    /// The scoped span that the code ran under when it opened this one, 0 if none.
    let scope: UInt64
  }

  private(set) var entries: [Entry] = []
  /// Once the process has ended and its spans are closed, nothing is opened any more.
  private(set) var isClosed = false

  /// The span that code running under `scope` is in: the latest that `startSpan` opened there, else
  /// the scope's own; nil if neither is open.
  func current(under scope: UInt64) -> TraceSpan? {
    for entry in entries.reversed() {
      if entry.isScoped ? entry.span.id.bits == scope : entry.scope == scope { return entry.span }
    }
    return nil
  }

  /// False if the row is closed.
  mutating func push(_ entry: Entry) -> Bool {
    if isClosed { return false }
    entries.append(entry)
    return true
  }

  /// Takes a span out, wherever it lies; nil if somebody else did.
  mutating func remove(_ id: SpanID) -> Entry? {
    guard let index = entries.lastIndex(where: { $0.span.id == id }) else { return nil }
    return entries.remove(at: index)
  }

  mutating func merge(_ attributes: Attributes, into id: SpanID) -> TraceSpan? {
    guard let index = entries.lastIndex(where: { $0.span.id == id }) else { return nil }
    entries[index].span.metadata.merge(attributes)
    return entries[index].span
  }

  /// Ends the row: from here on nothing is opened in it.
  ///
  /// - Returns: what was still open, innermost first; nothing the second time.
  mutating func close() -> [TraceSpan] {
    isClosed = true
    defer { entries = [] }
    return entries.reversed().map(\.span)
  }
}
