/// The open spans of one process, innermost last: what is in a row of the span table. Pure.
struct SpanRowMachine: Sendable {
  struct Entry: Sendable {
    var span: TraceSpan
    /// The span's id: to be found by without a look into the span.
    let id: UInt64
    /// The scope whose code is in this span: its own if it is open for a body, and for a loose one that
    /// under which it was opened, 0 if under none; nil if it was pushed from outside, wherever the code was.
    let scope: UInt64?
    /// False for one opened by `startSpan`, which no task-local tells of.
    let isScoped: Bool

    /// - Parameter scope: where it was opened.
    init(_ span: TraceSpan, isScoped: Bool, under scope: UInt64?) {
      self.span = span
      id = span.id.bits
      self.isScoped = isScoped
      self.scope = isScoped ? id : scope
    }
  }

  private(set) var entries: [Entry] = []
  /// Once the process has ended and its spans are closed, nothing is opened any more.
  private(set) var isClosed = false

  /// The span that code running under `scope` is in: the latest that was opened loosely there, else
  /// the scope's own; nil if neither is open.
  func current(under scope: UInt64) -> TraceSpan? {
    index(under: scope).map { entries[$0].span }
  }

  private func index(under scope: UInt64) -> Int? {
    var index = entries.count
    while index > 0 {
      index -= 1
      if entries[index].scope == scope || entries[index].scope == nil { return index }
    }
    return nil
  }

  private func index(of id: SpanID) -> Int? {
    var index = entries.count
    while index > 0 {
      index -= 1
      if entries[index].id == id.bits { return index }
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
    guard let index = index(of: id) else { return nil }
    return index == entries.count - 1 ? entries.removeLast() : entries.remove(at: index)
  }

  /// Takes out the innermost; nil if there is none, or the row is closed.
  mutating func pop() -> Entry? { entries.popLast() }

  /// Changes a span in its place, wherever it lies; nil if it is not open.
  mutating func update(_ id: SpanID, _ change: (inout TraceSpan) -> Void) -> TraceSpan? {
    guard let index = index(of: id) else { return nil }
    change(&entries[index].span)
    return entries[index].span
  }

  /// Puts a new innermost span in the old one's place, if that is still as it was.
  mutating func replaceTop(_ old: TraceSpan, with new: TraceSpan) -> Bool {
    guard let last = entries.last, last.span == old else { return false }
    entries[entries.count - 1].span = new
    return true
  }

  /// What a replacement of the whole stack opens and ends.
  struct Replacement: Sendable {
    /// Outermost first.
    var opened: [TraceSpan] = []
    /// Innermost first.
    var ended: [Entry] = []
    /// How many more loose spans there are than before.
    var looseChange = 0
  }

  /// Makes these the open spans. Those that were open already keep their scope.
  mutating func replace(with spans: [TraceSpan]) -> Replacement? {
    if isClosed { return nil }
    var replacement = Replacement()
    let old = entries
    entries = spans.map { span in
      if let known = old.first(where: { $0.id == span.id.bits }) {
        return Entry(span, isScoped: known.isScoped, under: known.scope)
      }
      replacement.opened.append(span)
      return Entry(span, isScoped: false, under: nil)
    }
    replacement.ended = old.reversed().filter { entry in
      !spans.contains { $0.id.bits == entry.id }
    }
    replacement.looseChange = entries.count { !$0.isScoped } - old.count { !$0.isScoped }
    return replacement
  }

  /// Ends the row: from here on nothing is opened in it.
  ///
  /// - Returns: what was still open, innermost first; nothing the second time.
  mutating func close() -> [TraceSpan] {
    isClosed = true
    return drain().map(\.span)
  }

  /// Takes all spans out of a row whose process goes on.
  mutating func drain() -> [Entry] {
    defer { entries = [] }
    return entries.reversed()
  }
}
