public import ArborProcesses

/// A span that is open for the length of a body, and where that body runs. Everything about
/// `withSpan` that needs neither the body's types nor its isolation.
@usableFromInline
struct SpanScope {
  /// Where the body runs; nil for where it already is.
  @usableFromInline let inside: Ambient?
  private let span: Open?

  private struct Open {
    let id: SpanID
    let tracer: Tracer
    /// True if the span is in no process but one made for it.
    let endsProcess: Bool
  }

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
    let endsProcess = ambient?.process == nil
    let tracer = Tracer(core, under: ambient?.cursor)
    switch tracer.open(name, kind, isScoped: true, attributes) {
    case .span(let span):
      inside = Ambient(
        process: core, cursor: TraceCursor(of: span, with: ambient?.cursor?.cargo),
        sentAt: isTimed ? span.startTime : 0)
      self.span = Open(id: span.id, tracer: tracer, endsProcess: endsProcess)
    case .passedOn(let cursor):
      if endsProcess { core.finishScope(.normal) }
      inside = cursor.map { Ambient(process: ambient?.process, cursor: $0) }
      span = nil
    }
  }

  /// The body has returned.
  @usableFromInline
  func end() { end(.ok, .normal) }

  /// The body has thrown.
  @usableFromInline
  func end(_ error: any Error) { end(.error("\(error)"), ExitReason(error)) }

  private func end(_ status: TraceSpan.Status, _ reason: ExitReason) {
    guard let span else { return }
    span.tracer.end(span.id, status)
    if span.endsProcess { span.tracer.core.finishScope(reason) }
  }
}
