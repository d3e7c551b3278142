import ArborProcesses
import Synchronization

/// Opens and ends spans: what is common to the scoped and the loose ones.
struct Tracer {
  let core: ProcessCore
  let cursor: TraceCursor?
  let row: SpanRow

  /// For a process that opens a span.
  init(_ core: ProcessCore, under cursor: TraceCursor?) {
    self.core = core
    self.cursor = cursor
    // An exiting process opens nothing more: its row is the manager's, and it gets no new one.
    row =
      core.isFenced
      ? SpanRow(seed: core.node.nextRandom(), Tracing.of(core.node))
      : Tracing.existingRow(of: core) ?? Tracing.of(core.node).row(of: core)
  }

  /// For the calling process, if it has opened one before.
  init?(_ ambient: Ambient?) {
    guard let ambient, let core = ambient.process, let row = Tracing.existingRow(of: core) else {
      return nil
    }
    self.core = core
    cursor = ambient.cursor
    self.row = row
  }

  private var scope: UInt64 { cursor?.scope ?? 0 }

  /// The open span that the caller is in.
  var current: TraceSpan? { row.current(under: scope) }

  enum Opening {
    /// It is open, or, in a process that is exiting, was refused.
    case span(TraceSpan)
    /// It is not sampled. What runs under it runs under this; nil if that is where it is already.
    case passedOn(TraceCursor?)
  }

  func open(
    _ name: String, _ kind: TraceSpan.Kind, isScoped: Bool, _ attributes: () -> Attributes
  ) -> Opening {
    let settings = row.settings
    if row.count >= settings.depth.load(ordering: .relaxed) {
      row.counters.tooDeep.wrappingAdd(1, ordering: .relaxed)
      return .passedOn(nil)
    }
    let parent = place
    let traceID = parent?.traceID ?? TraceID(high: row.nextID(), low: row.nextID())
    var isSampled = parent?.isSampled ?? true
    if !settings.isPlain.load(ordering: .relaxed) {
      isSampled = settings.value.sampler.decide(
        Sampler.Question(
          traceID: traceID, name: name, kind: kind, parentIsSampled: parent?.isSampled,
          parentIsRemote: parent?.isRemote ?? false))
    }
    if !isSampled, isScoped {
      return .passedOn(
        parent?.isSampled == false
          ? nil
          : TraceCursor(
            traceHigh: traceID.high, traceLow: traceID.low, spanID: row.nextID(), owner: core.id,
            isSampled: false, cargo: cursor?.cargo))
    }
    var span = TraceSpan(
      id: SpanID(row.nextID()), traceID: traceID, parentID: parent?.spanID, name: name, kind: kind,
      processID: core.id, isSampled: isSampled, startTime: core.node.clock.now(),
      metadata: isSampled ? attributes() : [:])
    let limit = settings.attributes.load(ordering: .relaxed)
    if span.metadata.count > limit { cut(&span, to: limit) }
    // Before it can be seen, so that no stop overtakes its start.
    core.node.emitStart(span)
    let entry = SpanRowMachine.Entry(span: span, isScoped: isScoped, scope: scope)
    // Counted before it is there: whoever ends it counts it out.
    if !isScoped { core.countLooseSpan(1) }
    if core.isFenced || !row.push(entry) {
      if !isScoped { core.countLooseSpan(-1) }
      core.node.emitRefusal(of: span, core)
    }
    return .span(span)
  }

  private func cut(_ span: inout TraceSpan, to limit: Int) {
    let excess = span.metadata.count - limit
    span.metadata.cut(to: limit)
    span.cut.attributes = excess
    row.counters.attributes.wrappingAdd(excess, ordering: .relaxed)
  }

  private struct Place {
    let traceID: TraceID
    let spanID: SpanID
    let isSampled: Bool
    let isRemote: Bool
  }

  /// What will be the parent.
  private var place: Place? {
    // A task-local says it all, unless there are spans that none tells of.
    if core.hasLooseSpans, let span = current {
      return Place(
        traceID: span.traceID, spanID: span.id, isSampled: span.isSampled, isRemote: false)
    }
    guard let cursor, !cursor.isOutside else { return nil }
    return Place(
      traceID: TraceID(high: cursor.traceHigh, low: cursor.traceLow),
      spanID: SpanID(cursor.spanID), isSampled: cursor.isSampled, isRemote: cursor.owner == 0)
  }

  /// Ends a span, wherever it lies in the stack.
  ///
  /// - Returns: false if it was not open any more, or the process is exiting: then the manager ends
  ///   it, with the reason of that.
  @discardableResult
  func end(_ id: SpanID, _ status: TraceSpan.Status) -> Bool {
    guard !core.isFenced, let entry = row.remove(id) else { return false }
    if !entry.isScoped { core.countLooseSpan(-1) }
    core.node.end(entry.span, status)
    return true
  }

  /// Changes the current span, unless the process is exiting.
  ///
  /// - Returns: the span as it is now; nil if there is none.
  func updateCurrent(_ change: (inout TraceSpan) -> Void) -> TraceSpan? {
    guard !core.isFenced, let current else { return nil }
    return row.update(current.id, change)
  }
}

extension Node {
  /// Says that a span, which is in no row any more, has ended now.
  @discardableResult
  func end(_ span: TraceSpan, _ status: TraceSpan.Status) -> TraceSpan {
    var span = span
    span.endTime = max(clock.now(), span.startTime)
    // One that was called failed before stays so.
    if !span.isError || status != .ok { span.status = status }
    emitStop(span)
    return span
  }

  /// Says that a span was opened by a process that opens nothing more.
  func emitRefusal(of span: TraceSpan, _ core: ProcessCore) {
    var refused = span
    refused.endTime = max(clock.now(), span.startTime)
    refused.status = .error("ownerDead")
    emitStop(refused, fate: core.fate)
  }
}
