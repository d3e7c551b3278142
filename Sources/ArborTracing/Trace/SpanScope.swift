public import ArborProcesses

/// A span that is open for the length of a body, and where that body runs. Everything about
/// `withSpan` that needs neither the body's types nor its isolation.
@usableFromInline
struct SpanScope {
  /// Where the body runs; nil for where it already is.
  @usableFromInline let inside: Ambient?
  private let isOpen: Bool
  /// True if the span is in no process but one made for it.
  private let endsProcess: Bool

  @usableFromInline
  init(
    _ name: String, _ attributes: () -> Attributes, _ kind: TraceSpan.Kind,
    under ambient: Ambient?
  ) {
    self.init(name, attributes, kind, under: ambient, isTimed: false)
  }

  /// - Parameter isTimed: what is sent from inside says when.
  init(
    _ name: String, _ attributes: () -> Attributes, _ kind: TraceSpan.Kind,
    under ambient: Ambient?, isTimed: Bool
  ) {
    let core = ambient?.process ?? ProcessCore(node: .shared, parent: nil)
    endsProcess = ambient?.process == nil
    let opening = SpanRow.opening(for: core) {
      $0.open(name, kind, isScoped: true, in: core, under: ambient, attributes)
    }
    switch opening {
    case .span(let span):
      let traceID = span.traceID
      inside = Ambient(
        process: core, traceHigh: traceID.high, traceLow: traceID.low, spanID: span.id.bits,
        isSampled: span.isSampled, cargo: ambient?.cursor?.cargo,
        sentAt: isTimed ? span.startTime : 0)
      isOpen = true
      return
    case .passedOn(let cursor): inside = Ambient(process: ambient?.process, cursor: cursor)
    case .nothing: inside = nil
    }
    isOpen = false
    if endsProcess { core.finishScope(.normal) }
  }

  /// The body has returned.
  @usableFromInline
  func end() {
    guard isOpen, let core = inside?.process else { return }
    if let span = take(from: core) { core.node.end(span, .ok) }
    if endsProcess { core.finishScope(.normal) }
  }

  /// The body has thrown.
  @usableFromInline
  func end(_ error: any Error) {
    guard isOpen, let core = inside?.process else { return }
    if let span = take(from: core) { core.node.end(span, .error("\(error)")) }
    if endsProcess { core.finishScope(ExitReason(error)) }
  }

  private func take(from core: ProcessCore) -> TraceSpan? {
    guard let id = inside?.cursor?.spanID else { return nil }
    return core.slot.withContent(as: SpanRow.self) { $0.take(SpanID(id), from: core) } ?? nil
  }
}
