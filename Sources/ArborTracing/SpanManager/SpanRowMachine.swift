/// The open spans of one process, innermost last: what is in a row of the span table. Pure.
struct SpanRowMachine: Sendable {
  /// Where code runs, as a row knows it.
  struct Spot: Sendable {
    /// The scope: the span whose body it is in, 0 if in none.
    let scope: UInt64
    /// The task: 0 for the process's own.
    let task: UInt
  }

  struct Entry: Sendable {
    var span: TraceSpan
    /// The span's id: to be found by without a look into the span.
    let id: UInt64
    /// The scope whose code is in this span: its own if it is open for a body, and for a loose one that
    /// under which it was opened, 0 if under none; nil if it was pushed from outside, wherever the code was.
    let scope: UInt64?
    /// False for one opened by `startSpan`, which no task-local tells of.
    let isScoped: Bool
    /// The task whose code is in a loose span, and no other's; 0 for any that is under the scope. What the
    /// process's own task opens is for the tasks too that it starts; a sibling's is nobody else's.
    let task: UInt
    /// How many loose spans were to be opened right inside this one, and were not, for want of depth.
    var unopened = 0

    /// - Parameter spot: where it was opened; nil for one that was pushed from outside.
    init(_ span: consuming TraceSpan, isScoped: Bool, at spot: Spot?) {
      id = span.id.bits
      self.span = span
      self.isScoped = isScoped
      scope = isScoped ? id : spot?.scope
      task = isScoped ? 0 : spot?.task ?? 0
    }

    /// Whether code that runs there is in this span.
    func holds(_ spot: Spot) -> Bool {
      guard let scope else { return true }
      return scope == spot.scope && (task == 0 || task == spot.task)
    }
  }

  /// A span that was taken out, and what has to be known of it then.
  struct Taken: Sendable {
    let span: TraceSpan
    let isScoped: Bool
  }

  private(set) var entries: [Entry] = []
  /// Once the process has ended and its spans are closed, nothing is opened any more.
  private(set) var isClosed = false

  /// The span that code running there is in: the latest that was opened loosely there, else the scope's
  /// own; nil if neither is open.
  func current(at spot: Spot) -> TraceSpan? { index(at: spot).map { entries[$0].span } }

  private func index(at spot: Spot) -> Int? {
    var index = entries.count
    while index > 0 {
      index -= 1
      if entries[index].holds(spot) { return index }
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

  /// Takes a span in; gives it back if the row is closed.
  mutating func push(
    _ span: consuming TraceSpan, isScoped: Bool, at spot: Spot?
  ) -> TraceSpan? {
    if isClosed { return span }
    entries.append(Entry(span, isScoped: isScoped, at: spot))
    return nil
  }

  /// Takes a span out, wherever it lies; nil if somebody else did.
  mutating func remove(_ id: SpanID) -> Taken? { index(of: id).map { take(at: $0) } }

  /// Takes out the innermost; nil if there is none, or the row is closed.
  mutating func pop() -> Taken? { entries.isEmpty ? nil : take(at: entries.count - 1) }

  @inline(__always)
  private mutating func take(at index: Int) -> Taken {
    let entry = index == entries.count - 1 ? entries.removeLast() : entries.remove(at: index)
    if entry.unopened > 0 { passOn(entry) }
    return Taken(span: entry.span, isScoped: entry.isScoped)
  }

  /// Notes that a loose span was to be opened in the current one, and was not.
  mutating func skip(at spot: Spot) {
    if let index = index(at: spot) { entries[index].unopened += 1 }
  }

  /// Ends a loose span that was not opened, if the current one holds such: the latest, as it would be.
  ///
  /// - Returns: false if there is none to end.
  mutating func endSkipped(at spot: Spot) -> Bool {
    guard let index = index(at: spot), entries[index].unopened > 0 else { return false }
    entries[index].unopened -= 1
    return true
  }

  /// What was not opened in a loose span would be open still when that has ended: in the span around it.
  private mutating func passOn(_ entry: Entry) {
    guard !entry.isScoped else { return }
    let around =
      entry.scope.map { index(at: Spot(scope: $0, task: entry.task)) } ?? entries.indices.last
    if let around { entries[around].unopened += entry.unopened }
  }

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
        var entry = known
        entry.span = span
        return entry
      }
      replacement.opened.append(span)
      return Entry(span, isScoped: false, at: nil)
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
