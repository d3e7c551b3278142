public import ArborProcesses

/// A span that is open for the length of a body, and where that body runs. Everything about
/// `withSpan` that needs neither the body's types nor its isolation.
@usableFromInline
struct SpanScope {
  /// Where the body runs.
  @usableFromInline let inside: Ambient
  /// False if the body runs where it is already.
  @usableFromInline let isInside: Bool
  /// The span, if it is open.
  private let id: SpanID?
  /// True if the span is in no process but one made for it.
  private let endsProcess: Bool

  fileprivate init(_ inside: Ambient, isInside: Bool, id: SpanID?, endsProcess: Bool = false) {
    self.inside = inside
    self.isInside = isInside
    self.id = id
    self.endsProcess = endsProcess
  }

  @usableFromInline
  static func open(
    _ name: String, _ attributes: () -> Attributes, _ kind: TraceSpan.Kind, under outer: Ambient
  ) -> SpanScope {
    open(name, attributes, kind, under: outer, isTimed: false)
  }

  /// - Parameter isTimed: what is sent from inside says when.
  static func open(
    _ name: String, _ attributes: () -> Attributes, _ kind: TraceSpan.Kind, under outer: Ambient,
    isTimed: Bool
  ) -> SpanScope {
    outer.process?.openSpan(name, attributes, kind, under: outer, isTimed: isTimed)
      ?? openAlone(name, attributes, kind, under: outer, isTimed: isTimed)
  }

  /// Opens a span in a process made for it.
  @inline(never)
  private static func openAlone(
    _ name: String, _ attributes: () -> Attributes, _ kind: TraceSpan.Kind, under outer: Ambient,
    isTimed: Bool
  ) -> SpanScope {
    let core = ProcessCore(node: .shared, parent: nil)
    let alone = Ambient(process: core, cursor: outer.cursor)
    let scope = open(name, attributes, kind, under: alone, isTimed: isTimed)
    if scope.id != nil {
      return SpanScope(scope.inside, isInside: true, id: scope.id, endsProcess: true)
    }
    core.finishScope(.normal)
    if !scope.isInside { return SpanScope(outer, isInside: false, id: nil) }
    let inside = Ambient(process: nil, cursor: scope.inside.cursor)
    return SpanScope(inside, isInside: true, id: nil)
  }

  /// The body has returned.
  @usableFromInline
  func end() {
    guard let id else { return }
    inside.process?.endSpan(id, .ok)
    if endsProcess { inside.process?.finishScope(.normal) }
  }

  /// The body has thrown.
  @usableFromInline
  func end(_ error: any Error) {
    guard let id else { return }
    inside.process?.endSpan(id, .error("\(error)"))
    if endsProcess { inside.process?.finishScope(ExitReason(error)) }
  }
}

extension ProcessCore {
  fileprivate func openSpan(
    _ name: String, _ attributes: () -> Attributes, _ kind: TraceSpan.Kind, under outer: Ambient,
    isTimed: Bool
  ) -> SpanScope {
    SpanRow.lent(by: self) { row in
      guard let place = row.place(name, kind, in: self, under: outer),
        place.isSampled || !place.isUnderUnsampled
      else { return SpanScope(outer, isInside: false, id: nil) }
      let now = node.now()
      let inside = Ambient(
        process: self, traceHigh: place.traceID.high, traceLow: place.traceID.low,
        spanID: place.spanID.bits, isSampled: place.isSampled, cargo: outer.cursor?.cargo,
        sentAt: isTimed ? now : 0)
      guard place.isSampled else { return SpanScope(inside, isInside: true, id: nil) }
      let span = row.span(name, kind, at: place, of: self, now, attributes)
      row.add(consume span, isScoped: true, in: self, under: outer)
      return SpanScope(inside, isInside: true, id: place.spanID)
    }
  }

  /// Ends a span of its own, if it is open still, and the process's to end.
  fileprivate func endSpan(_ id: SpanID, _ status: TraceSpan.Status) {
    if let span = slot.withContent(as: SpanRow.self, { $0.take(id, from: self) }) ?? nil {
      node.end(span, status)
    }
  }
}
