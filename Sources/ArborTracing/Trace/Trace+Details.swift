import ArborProcesses
import ArborTelemetry
import Synchronization

extension Trace {
  /// Adds attributes to the current span; those of the same name are replaced.
  ///
  /// - Parameter attributes: not evaluated if there is no span to add them to.
  /// - Returns: false if there is no current span to add them to.
  @discardableResult
  public static func addAttributes(_ attributes: @autoclosure () -> Attributes) -> Bool {
    change("addAttributes") { current in
      let added = attributes()
      let limit = current.row.settings.limits.attributes
      let span = current.update { span in
        span.metadata.merge(added)
        let excess = span.metadata.count - limit
        guard excess > 0 else { return }
        span.metadata.cut(to: limit)
        span.cut.attributes += excess
        current.row.counters.attributes.wrappingAdd(excess, ordering: .relaxed)
      }
      guard let span else { return false }
      current.node.emitAttributes(added, of: span)
      return true
    }
  }

  /// Notes that something happened in the current span, now.
  ///
  ///     Trace.recordEvent("cache miss", ["key": key])
  ///
  /// - Returns: false if there is no current span, or it has no room for more events.
  @discardableResult
  public static func recordEvent(
    _ name: String, _ attributes: @autoclosure () -> Attributes = [:]
  ) -> Bool {
    change("recordEvent") { current in
      let event = TraceSpan.Event(
        name: name, time: current.node.clock.now(), attributes: attributes())
      let span = current.append(
        event, to: \.events, limit: current.row.settings.limits.events, cut: \.events,
        current.row.counters.events)
      guard let span else { return false }
      current.node.emitEvent(event, of: span)
      return true
    }
  }

  /// Says that the current span has to do with another, mostly of another trace, that it is no child
  /// of.
  ///
  ///     for request in batch { Trace.linkSpan(request.span) }
  ///
  /// - Returns: false if there is no current span, or it has no room for more links.
  @discardableResult
  public static func linkSpan(
    _ other: TraceSpan, _ attributes: @autoclosure () -> Attributes = [:]
  ) -> Bool {
    linkSpan(other.id, in: other.traceID, attributes())
  }

  /// Says that the current span has to do with another, which is known by its ids alone.
  ///
  /// - Returns: false if there is no current span, or it has no room for more links.
  @discardableResult
  public static func linkSpan(
    _ id: SpanID, in trace: TraceID, _ attributes: @autoclosure () -> Attributes = [:]
  ) -> Bool {
    change("linkSpan") { current in
      let link = TraceSpan.Link(traceID: trace, spanID: id, attributes: attributes())
      let span = current.append(
        link, to: \.links, limit: current.row.settings.limits.links, cut: \.links,
        current.row.counters.links)
      guard let span else { return false }
      current.node.emitLink(link, of: span)
      return true
    }
  }

  /// Runs what needs a current span; without one it warns, unless that is because the trace is not
  /// sampled.
  private static func change(_ operation: String, _ body: (OpenPlace) -> Bool) -> Bool {
    let ambient = Ambient.current
    guard let (row, core, spot) = SpanRow.existing(ambient), let span = row.current(at: spot) else {
      if !isUnsampled(ambient) { warn(.nothingOpen, operation, ambient) }
      return false
    }
    return span.isSampled && body(OpenPlace(row: row, core: core, id: span.id))
  }
}

/// The span that code is in, where it can be changed.
private struct OpenPlace {
  let row: SpanRow
  let core: ProcessCore
  let id: SpanID

  var node: Node { core.node }

  /// Changes the span, unless the process is exiting.
  ///
  /// - Returns: the span as it is now; nil if it is not open any more.
  func update(_ change: (inout TraceSpan) -> Void) -> TraceSpan? {
    core.isFenced ? nil : row.update(id, change)
  }

  /// Appends something to one of the span's lists, if there is room; if not, counts it, in the span and for
  /// the node.
  func append<Element>(
    _ element: Element, to list: WritableKeyPath<TraceSpan, [Element]>, limit: Int,
    cut: WritableKeyPath<TraceSpan.Cut, Int>, _ counter: borrowing Atomic<Int>
  ) -> TraceSpan? {
    var fits = true
    let span = update { span in
      fits = span[keyPath: list].count < limit
      if fits { span[keyPath: list].append(element) } else { span.cut[keyPath: cut] += 1 }
    }
    if span != nil, !fits { counter.wrappingAdd(1, ordering: .relaxed) }
    return fits ? span : nil
  }
}

extension Trace {
  /// What a call was wrong about.
  enum Problem: UInt, Sendable {
    /// There is no span open where the call was made.
    case nothingOpen
    /// The span is not open in this process: it was ended before, or is another's.
    case notOpen
    /// Outside any process no span can be left open.
    case noProcess
  }

  static func isUnsampled(_ ambient: Ambient?) -> Bool {
    guard let cursor = ambient?.cursor else { return false }
    return !cursor.isOutside && !cursor.isSampled
  }

  /// Says so once for each node, operation and problem; later ones are counted.
  static func warn(_ problem: Problem, _ operation: String, _ ambient: Ambient?) {
    let node = ambient?.process?.node ?? .current
    let counters = Tracing.of(node).counters
    counters.warnings.wrappingAdd(1, ordering: .relaxed)
    let operations = ["startSpan", "endSpan", "addAttributes", "recordEvent", "linkSpan"]
    let number = UInt(operations.firstIndex(of: operation) ?? 0) * 4 + problem.rawValue
    let bit: UInt = 1 << number
    if counters.warned.bitwiseOr(bit, ordering: .relaxed).oldValue & bit != 0 { return }
    node.telemetry.execute(
      .traceWarning, ["count": 1],
      [
        "operation": operation, "problem": "\(problem)",
        "process": ambient?.process?.id ?? 0,
      ])
  }
}
