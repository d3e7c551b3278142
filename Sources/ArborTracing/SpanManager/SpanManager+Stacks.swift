public import ArborProcesses

// Another process's stack, or one's own, as a whole: for tools, and for code that carries work from one
// process to another by hand. Each is one change of the row, made by the caller and not in the manager.
// A process that has ended, or is told to, is left alone.

extension SpanManager {
  /// The open spans of a process, innermost last.
  ///
  /// - Parameter pid: whose; the calling process's if not said.
  public static func stack(of pid: PID? = nil) -> [TraceSpan] {
    core(pid).flatMap(Tracing.existingRow)?.spans ?? []
  }

  /// Makes these the open spans of a process, innermost last. Those that are new to it are started, those
  /// that are no longer among them ended, with their events.
  ///
  /// - Returns: false if there is no such process, or it is exiting.
  @discardableResult
  public static func setStack(_ spans: [TraceSpan], of pid: PID? = nil) -> Bool {
    guard let (core, row) = writable(pid) else { return false }
    let known = Set(row.spans.map(\.id))
    let spans = spans.map { known.contains($0.id) ? $0 : $0.opened(by: core) }
    for span in spans where !known.contains(span.id) { core.node.emitStart(span) }
    guard let replacement = row.replace(with: spans) else {
      for span in spans.reversed() where !known.contains(span.id) {
        core.node.emitRefusal(of: span, core)
      }
      return false
    }
    core.countLooseSpan(replacement.looseChange)
    for entry in replacement.ended { core.node.end(entry.span, .ok) }
    return true
  }

  /// Opens a span as the innermost of a process.
  ///
  ///     SpanManager.push(TraceSpan("import", ["file": path]), of: worker)
  ///
  /// - Returns: false if there is no such process, or it is exiting.
  @discardableResult
  public static func push(_ span: TraceSpan, of pid: PID? = nil) -> Bool {
    guard let (core, row) = writable(pid) else { return false }
    let span = span.opened(by: core)
    core.node.emitStart(span)
    core.countLooseSpan(1)
    guard let refused = row.push(span, isScoped: false, at: nil) else { return true }
    core.countLooseSpan(-1)
    core.node.emitRefusal(of: refused, core)
    return false
  }

  /// Ends the innermost span of a process.
  ///
  /// - Returns: the span; nil if there was none, or the process is exiting.
  @discardableResult
  public static func pop(of pid: PID? = nil) -> TraceSpan? {
    guard let (core, row) = writable(pid, makesRow: false), let taken = row.pop() else {
      return nil
    }
    if !taken.isScoped { core.countLooseSpan(-1) }
    let span = core.node.ended(taken.span, .ok)
    core.node.emitStop(span)
    return span
  }

  /// Changes the innermost span of a process.
  ///
  ///     SpanManager.updateTop(of: worker) { $0.metadata["attempt"] = .int(2) }
  ///
  /// - Parameter change: runs here, in the caller, and again if the span was changed by somebody else
  ///   meanwhile.
  /// - Returns: the span as it is now; nil if there is none, or the process is exiting.
  @discardableResult
  public static func updateTop<Failure: Error>(
    of pid: PID? = nil, _ change: (inout TraceSpan) throws(Failure) -> Void
  ) throws(Failure) -> TraceSpan? {
    guard let (_, row) = writable(pid, makesRow: false) else { return nil }
    while let old = row.spans.last {
      var new = old
      try change(&new)
      if row.replaceTop(old, with: new) { return new }
    }
    return nil
  }

  /// Ends all open spans of a process, innermost first.
  ///
  /// - Returns: how many there were.
  @discardableResult
  public static func clear(of pid: PID? = nil) -> Int {
    guard let (core, row) = writable(pid, makesRow: false) else { return 0 }
    let entries = row.drain()
    core.countLooseSpan(-entries.count { !$0.isScoped })
    for entry in entries { core.node.end(entry.span, .ok) }
    return entries.count
  }

  private static func core(_ pid: PID?) -> ProcessCore? { pid?.core ?? ProcessCore.current }

  /// A process whose row may be written by the caller; nil if either is exiting.
  private static func writable(_ pid: PID?, makesRow: Bool = true) -> (ProcessCore, SpanRow)? {
    guard let core = core(pid), !core.isFenced, ProcessCore.current?.isFenced != true else {
      return nil
    }
    if let row = Tracing.existingRow(of: core) { return (core, row) }
    return makesRow ? (core, Tracing.of(core.node).row(of: core)) : nil
  }
}

extension TraceSpan {
  /// A span to be opened by ``SpanManager/push(_:of:)``, beginning now.
  ///
  /// - Parameter parent: the span that it is a child of; nil begins a trace.
  public init(
    _ name: String, _ attributes: Attributes = [:], kind: Kind = .internal,
    parent: TraceSpan? = nil, on node: Node = .current
  ) {
    self.init(
      id: SpanID(node.nextNonzeroRandom()),
      traceID: parent?.traceID
        ?? TraceID(high: node.nextNonzeroRandom(), low: node.nextRandom()),
      parentID: parent?.id, name: name, kind: kind, processID: ProcessCore.current?.id ?? 0,
      isSampled: parent?.isSampled ?? true, startTime: node.clock.now(), metadata: attributes)
  }

  /// The same, as an open span of that process.
  fileprivate func opened(by core: ProcessCore) -> TraceSpan {
    var span = TraceSpan(
      id: id, traceID: traceID, parentID: parentID, name: name, kind: kind, processID: core.id,
      isSampled: isSampled, startTime: startTime, metadata: metadata)
    if !events.isEmpty { span.events = events }
    if !links.isEmpty { span.links = links }
    return span
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
