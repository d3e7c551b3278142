import ArborProcesses
import ArborTelemetry
import Synchronization

// Opens, changes and ends spans: what is common to the scoped and the loose ones. Each is told the process
// and where its code is, and keeps neither: to count a reference costs as much as all else in a line.
extension SpanRow {
  enum Opening {
    /// It is open, or, in a process that is exiting, was refused.
    case span(TraceSpan)
    /// It is not sampled. What runs under it runs under this.
    indirect case passedOn(TraceCursor)
    /// It is not there, and what would run under it runs where it is already.
    case nothing
  }

  /// Lends the row that a process opens a span in.
  static func opening<Result>(for core: ProcessCore, _ body: (SpanRow) -> Result) -> Result {
    if !core.isFenced, let result = core.slot.withContent(as: SpanRow.self, body) { return result }
    return body(newRow(for: core))
  }

  private static func newRow(for core: ProcessCore) -> SpanRow {
    let tracing = Tracing.of(core.node)
    // An exiting process opens nothing more: its row is the manager's, and it gets no new one.
    return core.isFenced ? SpanRow(seed: core.node.nextRandom(), tracing) : tracing.row(of: core)
  }

  /// The row of the calling process, if it has opened a span before, and the process.
  static func existing(_ ambient: Ambient?) -> (row: SpanRow, core: ProcessCore)? {
    guard let core = ambient?.process, let row = Tracing.existingRow(of: core) else { return nil }
    return (row, core)
  }

  /// Opens a span, for code of a process that has this row.
  func open(
    _ name: String, _ kind: TraceSpan.Kind, isScoped: Bool, in core: ProcessCore,
    under ambient: Ambient?, _ attributes: () -> Attributes
  ) -> Opening {
    if count >= settings.depth.load(ordering: .relaxed) {
      counters.tooDeep.wrappingAdd(1, ordering: .relaxed)
      if !isScoped { skip(under: ambient?.cursor?.scope ?? 0) }
      return .nothing
    }
    let parent = place(in: core, under: ambient)
    let traceID = parent?.traceID ?? TraceID(high: nextID(), low: nextID())
    var isSampled = parent?.isSampled ?? true
    if !settings.isPlain.load(ordering: .relaxed) {
      isSampled = settings.value.sampler.decide(
        Sampler.Question(
          traceID: traceID, name: name, kind: kind, parentIsSampled: parent?.isSampled,
          parentIsRemote: parent?.isRemote ?? false))
    }
    if !isSampled, isScoped {
      if parent?.isSampled == false { return .nothing }
      return .passedOn(
        TraceCursor(
          traceHigh: traceID.high, traceLow: traceID.low, spanID: nextID(), owner: core.id,
          isSampled: false, cargo: ambient?.cursor?.cargo))
    }
    var span = TraceSpan(
      id: SpanID(nextID()), traceID: traceID, parentID: parent?.spanID, name: name, kind: kind,
      processID: core.id, isSampled: isSampled, startTime: core.node.clock.now(),
      metadata: isSampled ? attributes() : Attributes())
    let limit = settings.attributes.load(ordering: .relaxed)
    if span.attributeCount > limit { cut(&span, to: limit) }
    // Before it can be seen, so that no stop overtakes its start.
    core.node.emitStart(span)
    // Counted before it is there: whoever ends it counts it out.
    if !isScoped { core.countLooseSpan(1) }
    let scope = ambient?.cursor?.scope ?? 0
    let isRefused =
      core.isFenced || !push(SpanRowMachine.Entry(span, isScoped: isScoped, under: scope))
    if isRefused {
      if !isScoped { core.countLooseSpan(-1) }
      core.node.emitRefusal(of: span, core)
    }
    return .span(span)
  }

  private func cut(_ span: inout TraceSpan, to limit: Int) {
    let excess = span.attributeCount - limit
    span.metadata.cut(to: limit)
    span.cut.attributes = excess
    counters.attributes.wrappingAdd(excess, ordering: .relaxed)
  }

  private struct Place {
    let traceID: TraceID
    let spanID: SpanID
    let isSampled: Bool
    let isRemote: Bool
  }

  /// What will be the parent.
  private func place(in core: ProcessCore, under ambient: Ambient?) -> Place? {
    // A task-local says it all, unless there are spans that none tells of.
    if core.hasLooseSpans, let span = current(under: ambient) {
      return Place(
        traceID: span.traceID, spanID: span.id, isSampled: span.isSampled, isRemote: false)
    }
    guard let cursor = ambient?.cursor, !cursor.isOutside else { return nil }
    return Place(
      traceID: TraceID(high: cursor.traceHigh, low: cursor.traceLow),
      spanID: SpanID(cursor.spanID), isSampled: cursor.isSampled, isRemote: cursor.owner == 0)
  }

  /// Ends a span, wherever it lies in the stack.
  ///
  /// - Returns: false if it was not open any more, or the process is exiting: then the manager ends
  ///   it, with the reason of that.
  func end(_ id: SpanID, in core: ProcessCore, _ status: TraceSpan.Status) -> Bool {
    guard let span = take(id, from: core) else { return false }
    core.node.end(span, status)
    return true
  }

  /// Takes out a span that its process is ending; nil as `end` says. Who got it has to say that it ended.
  func take(_ id: SpanID, from core: ProcessCore) -> TraceSpan? {
    guard !core.isFenced, let entry = remove(id) else { return nil }
    if !entry.isScoped { core.countLooseSpan(-1) }
    return entry.span
  }

  /// Ends a loose span that code running there was to open last, and did not for want of depth.
  ///
  /// - Returns: false if there is none such: what it is to end is open.
  func endSkipped(under ambient: Ambient?) -> Bool {
    endSkipped(under: ambient?.cursor?.scope ?? 0)
  }

  /// The open span that code running there is in.
  func current(under ambient: Ambient?) -> TraceSpan? {
    current(under: ambient?.cursor?.scope ?? 0)
  }
}

extension Node {
  /// Says that a span, which is in no row any more, has ended now. If nobody listens there is nothing to
  /// say, and the clock is not asked.
  func end(_ span: TraceSpan, _ status: TraceSpan.Status) {
    if telemetry.mayHaveHandlers(for: .spanStop) { emitStop(ended(span, status)) }
  }

  /// A span, which is in no row any more, as it ended.
  func ended(_ span: TraceSpan, _ status: TraceSpan.Status) -> TraceSpan {
    var span = span
    span.endTime = max(clock.now(), span.startTime)
    // One that was called failed before stays so.
    if !span.isError || status != .ok { span.status = status }
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
