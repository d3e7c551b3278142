import ArborPrimitives
package import ArborProcesses

/// A row of the span table: the lock around the open spans of one process.
///
/// Its process and the SpanManager hold the row itself, not the way to it through the table: a
/// change of the table's owner neither blocks nor fails a write.
package final class SpanRow: ProcessSlot {
  private let machine = Lock(SpanRowMachine())

  func current(under scope: UInt64) -> TraceSpan? { machine.withLock { $0.current(under: scope) } }

  func push(_ entry: SpanRowMachine.Entry) -> Bool { machine.withLock { $0.push(entry) } }

  func remove(_ id: SpanID) -> SpanRowMachine.Entry? { machine.withLock { $0.remove(id) } }

  func merge(_ attributes: Attributes, into id: SpanID) -> TraceSpan? {
    machine.withLock { $0.merge(attributes, into: id) }
  }

  func close() -> [TraceSpan] { machine.withLock { $0.close() } }

  /// The open spans, innermost last.
  var spans: [TraceSpan] { machine.withLock { $0.entries.map(\.span) } }

  var count: Int { machine.withLock { $0.entries.count } }

  /// Closes the row of a process that has ended: each span that is still open gets its stop event,
  /// innermost first, in one stretch. Who took the spans emits; nobody else does.
  func close(becauseOf fate: Fate, on node: Node) {
    for var span in close() {
      span.endTime = max(fate.time, span.startTime)
      span.status = .error("\(fate.reason)")
      node.emitStop(span, reason: fate.reason)
    }
  }

  package func cursor(under cursor: TraceCursor?) -> TraceCursor? {
    guard let span = current(under: cursor?.scope ?? 0) else { return nil }
    return TraceCursor(of: span, with: cursor?.cargo)
  }

  /// The end of a `withProcess` scope takes its row along: nobody else would know that early.
  package func scopeEnded(_ core: ProcessCore, reason: ExitReason) {
    close(becauseOf: Fate(reason: reason, time: core.node.clock.now()), on: core.node)
    Tracing.of(core.node).takeOut(core.pid)
  }
}

extension TraceCursor {
  /// What a place is called in a row: its span, if that may be one of the row's. A context from
  /// elsewhere never names a span of the row, not even if it came from the same process: its parent is
  /// nobody's to end.
  var scope: UInt64 { owner == 0 && !isOutside ? ~spanID : spanID }

  /// The place inside a span.
  init(of span: TraceSpan, with cargo: (any TraceCargo)?) {
    self.init(
      traceHigh: span.traceID.high, traceLow: span.traceID.low, spanID: span.id.bits,
      owner: span.processID, isSampled: span.isSampled, cargo: cargo)
  }
}
