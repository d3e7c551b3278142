import ArborProcesses
import ArborTelemetry
import Synchronization

// Opens, changes and ends spans: what is common to the scoped and the loose ones. Each is told the process
// and where its code is, and keeps neither: to count a reference costs as much as all else in a line.
extension SpanRow {
  /// Lends the row that a process opens a span in.
  static func lent<Result>(by core: ProcessCore, _ body: (SpanRow) -> Result) -> Result {
    let new = core.slot.reference(as: SpanRow.self) == nil ? newRow(for: core) : nil
    // Called at one place only, so that it can be inlined there.
    return withExtendedLifetime(new) {
      let row = core.slot.reference(as: SpanRow.self) ?? .passUnretained(new!)
      return row._withUnsafeGuaranteedRef(body)
    }
  }

  private static func newRow(for core: ProcessCore) -> SpanRow {
    let tracing = Tracing.of(core.node)
    // An exiting process opens nothing more: its row is the manager's, and it gets no new one.
    return core.isFenced ? SpanRow(seed: core.node.nextRandom(), tracing) : tracing.row(of: core)
  }

  /// The row of the calling process, if it has opened a span before, the process, and where in it the
  /// code is.
  static func existing(
    _ ambient: Ambient?
  ) -> (row: SpanRow, core: ProcessCore, spot: SpanRowMachine.Spot)? {
    guard let ambient, let core = ambient.process, let row = Tracing.existingRow(of: core) else {
      return nil
    }
    return (row, core, ambient.spot)
  }

  /// Where in which trace a span is to be.
  struct Place {
    let traceID: TraceID
    let spanID: SpanID
    let parentID: SpanID?
    let isSampled: Bool
    /// True if its parent is not sampled either.
    let isUnderUnsampled: Bool
  }

  /// Decides where a span will be that code in `outer` opens; nil for nowhere, for want of depth.
  @inline(__always)
  func place(
    _ name: String, _ kind: TraceSpan.Kind, in core: ProcessCore, under outer: Ambient
  ) -> Place? {
    if count >= settings.depth.load(ordering: .relaxed) {
      counters.tooDeep.wrappingAdd(1, ordering: .relaxed)
      return nil
    }
    let parent = parent(in: core, under: outer)
    let traceID = parent?.traceID ?? TraceID(high: nextID(), low: nextID())
    var isSampled = parent?.isSampled ?? true
    if !settings.isPlain.load(ordering: .relaxed) {
      isSampled = settings.value.sampler.decide(
        Sampler.Question(
          traceID: traceID, name: name, kind: kind, parentIsSampled: parent?.isSampled,
          parentIsRemote: parent?.isRemote ?? false))
    }
    return Place(
      traceID: traceID, spanID: SpanID(nextID()), parentID: parent?.spanID, isSampled: isSampled,
      isUnderUnsampled: parent?.isSampled == false)
  }

  fileprivate struct Parent {
    let traceID: TraceID
    let spanID: SpanID
    let isSampled: Bool
    let isRemote: Bool
  }

  @inline(__always)
  private func parent(in core: ProcessCore, under outer: Ambient) -> Parent? {
    // A task-local says it all, unless there are spans that none tells of.
    if core.hasLooseSpans, let span = current(at: outer.spot) {
      return Parent(
        traceID: span.traceID, spanID: span.id, isSampled: span.isSampled, isRemote: false)
    }
    return outer.cursor?.parent
  }

  /// Makes a span for its place.
  func span(
    _ name: String, _ kind: TraceSpan.Kind, at place: Place, of core: ProcessCore,
    _ startTime: UInt64, _ attributes: () -> Attributes
  ) -> TraceSpan {
    let metadata = place.isSampled ? attributes() : Attributes()
    let limit = settings.attributes.load(ordering: .relaxed)
    let isTooMuch = metadata.count > limit
    var span = TraceSpan(
      id: place.spanID, traceID: place.traceID, parentID: place.parentID, name: name, kind: kind,
      processID: core.id, isSampled: place.isSampled, startTime: startTime, metadata: metadata)
    if isTooMuch { cut(&span, to: limit) }
    return span
  }

  @inline(never)
  private func cut(_ span: inout TraceSpan, to limit: Int) {
    let excess = span.metadata.count - limit
    span.metadata.cut(to: limit)
    span.cut.attributes = excess
    counters.attributes.wrappingAdd(excess, ordering: .relaxed)
  }

  /// Opens a span that was made for code running there. In a process that is exiting it is refused.
  func add(
    _ span: consuming TraceSpan, isScoped: Bool, in core: ProcessCore, under outer: Ambient
  ) {
    // Before it can be seen, so that no stop overtakes its start.
    core.node.emitStart(span)
    // Counted before it is there: whoever ends it counts it out.
    if !isScoped { core.countLooseSpan(1) }
    let spot = isScoped ? nil : outer.spot
    if let refused = core.isFenced ? span : push(span, isScoped: isScoped, at: spot) {
      if !isScoped { core.countLooseSpan(-1) }
      core.node.emitRefusal(of: refused, core)
    }
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
    guard !core.isFenced, let taken = remove(id) else { return nil }
    if !taken.isScoped { core.countLooseSpan(-1) }
    return taken.span
  }
}

extension TraceCursor {
  /// The parent of what is opened here; nil outside of every trace.
  fileprivate var parent: SpanRow.Parent? {
    if isOutside { return nil }
    return SpanRow.Parent(
      traceID: TraceID(high: traceHigh, low: traceLow), spanID: SpanID(spanID),
      isSampled: isSampled, isRemote: owner == 0)
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
    span.endTime = max(now(), span.startTime)
    // One that was called failed before stays so.
    if !span.isError || status != .ok { span.status = status }
    return span
  }

  /// Says that a span was opened by a process that opens nothing more.
  func emitRefusal(of span: TraceSpan, _ core: ProcessCore) {
    var refused = span
    refused.endTime = max(now(), span.startTime)
    refused.status = .error("ownerDead")
    emitStop(refused, fate: core.fate)
  }
}
