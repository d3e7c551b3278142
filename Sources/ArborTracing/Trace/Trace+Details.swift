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
    change("addAttributes") { tracer in
      let added = attributes()
      let limit = tracer.row.settings.limits.attributes
      let span = tracer.updateCurrent { span in
        span.metadata.merge(added)
        let excess = span.metadata.count - limit
        guard excess > 0 else { return }
        span.metadata.cut(to: limit)
        span.cut.attributes += excess
        tracer.row.counters.attributes.wrappingAdd(excess, ordering: .relaxed)
      }
      guard let span else { return false }
      tracer.core.node.emitAttributes(added, of: span)
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
    change("recordEvent") { tracer in
      let event = TraceSpan.Event(
        name: name, time: tracer.core.node.clock.now(), attributes: attributes())
      let limit = tracer.row.settings.limits.events
      var fits = true
      let span = tracer.updateCurrent { span in
        fits = span.events.count < limit
        if fits {
          span.events.append(event)
        } else {
          span.cut.events += 1
          tracer.row.counters.events.wrappingAdd(1, ordering: .relaxed)
        }
      }
      guard let span, fits else { return false }
      tracer.core.node.emitEvent(event, of: span)
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
    change("linkSpan") { tracer in
      let link = TraceSpan.Link(traceID: trace, spanID: id, attributes: attributes())
      let limit = tracer.row.settings.limits.links
      var fits = true
      let span = tracer.updateCurrent { span in
        fits = span.links.count < limit
        if fits {
          span.links.append(link)
        } else {
          span.cut.links += 1
          tracer.row.counters.links.wrappingAdd(1, ordering: .relaxed)
        }
      }
      guard let span, fits else { return false }
      tracer.core.node.emitLink(link, of: span)
      return true
    }
  }

  /// Runs what needs a current span; without one it warns, unless that is because the trace is not
  /// sampled.
  private static func change(_ operation: String, _ body: (Tracer) -> Bool) -> Bool {
    let ambient = Ambient.current
    guard let tracer = Tracer(ambient), let current = tracer.current else {
      if !isUnsampled(ambient) { warn(.nothingOpen, operation, ambient) }
      return false
    }
    return current.isSampled && body(tracer)
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
