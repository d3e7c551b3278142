import ArborProcesses

/// Opens and ends spans: what is common to the scoped and the loose ones.
struct Tracer {
  let core: ProcessCore
  let cursor: TraceCursor?
  let row: SpanRow

  /// For the calling process; nil outside any.
  init?(_ ambient: Ambient?) {
    guard let ambient, let core = ambient.process else { return nil }
    self.init(core, under: ambient.cursor)
  }

  init(_ core: ProcessCore, under cursor: TraceCursor?) {
    self.core = core
    self.cursor = cursor
    // An exiting process opens nothing more: its row is the manager's, and it gets no new one.
    row = core.isFenced ? SpanRow() : Tracing.of(core.node).row(of: core)
  }

  private var scope: UInt64 { cursor?.scope ?? 0 }

  /// The open span that the caller is in.
  var current: TraceSpan? { row.current(under: scope) }

  func open(_ name: String, _ attributes: Attributes, isScoped: Bool) -> TraceSpan {
    let node = core.node
    let traceID: TraceID
    let parentID: SpanID?
    if let parent = current {
      (traceID, parentID) = (parent.traceID, parent.id)
    } else if let cursor, !cursor.isOutside {
      traceID = TraceID(high: cursor.traceHigh, low: cursor.traceLow)
      parentID = SpanID(cursor.spanID)
    } else {
      traceID = TraceID(high: node.nextNonzeroRandom(), low: node.nextRandom())
      parentID = nil
    }
    let span = TraceSpan(
      id: SpanID(node.nextNonzeroRandom()), traceID: traceID, parentID: parentID, name: name,
      processID: core.id, startTime: node.clock.now(), metadata: attributes)
    // Before it can be seen, so that no stop overtakes its start.
    node.emitStart(span)
    let entry = SpanRowMachine.Entry(span: span, isScoped: isScoped, scope: scope)
    if !core.isFenced, row.push(entry) {
      if !isScoped { core.countLooseSpan(1) }
    } else {
      var refused = span
      refused.endTime = node.clock.now()
      refused.status = .error("ownerDead")
      node.emitStop(refused, reason: core.fate?.reason)
    }
    return span
  }

  /// Ends a span, wherever it lies in the stack.
  ///
  /// - Returns: false if it was not open any more, or the process is exiting: then the manager ends
  ///   it, with the reason of that.
  @discardableResult
  func end(_ id: SpanID, _ status: TraceSpan.Status) -> Bool {
    guard !core.isFenced, let entry = row.remove(id) else { return false }
    if !entry.isScoped { core.countLooseSpan(-1) }
    var span = entry.span
    span.endTime = max(core.node.clock.now(), span.startTime)
    span.status = status
    core.node.emitStop(span)
    return true
  }

  /// What code inside the span runs under.
  func ambient(inside span: TraceSpan) -> Ambient {
    Ambient(process: core, cursor: TraceCursor(of: span, with: cursor?.cargo))
  }
}

extension Node {
  /// A random word for an id, which W3C forbids to be zero.
  fileprivate func nextNonzeroRandom() -> UInt64 {
    while true {
      let word = nextRandom()
      if word != 0 { return word }
    }
  }
}
