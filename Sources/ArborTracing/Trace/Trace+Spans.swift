import ArborProcesses

extension Trace {
  /// Opens a span that ends when ``endSpan(_:)`` says so, or with its process.
  ///
  ///     let span = Trace.startSpan("upload")
  ///     …
  ///     Trace.endSpan(span)
  ///
  /// It is the parent of what the same task opens before its end; one of the process's own task, also of
  /// what the tasks under it open.
  ///
  /// - Parameters:
  ///   - name: what the work is called.
  ///   - attributes: what is known about it; not evaluated if the span is not sampled.
  ///   - kind: which side of a message it is.
  /// - Returns: the span; nil outside any process, where nobody would close it, and beyond
  ///   ``SpanLimits/depth``.
  @discardableResult
  public static func startSpan(
    _ name: String, _ attributes: @autoclosure () -> Attributes = [:],
    kind: TraceSpan.Kind = .internal
  ) -> TraceSpan? {
    guard let ambient = Ambient.current, let core = ambient.process else {
      warn(.noProcess, "startSpan", nil)
      return nil
    }
    return SpanRow.lent(by: core) { row in
      guard let place = row.place(name, kind, in: core, under: ambient) else {
        row.skip(at: ambient.spot)
        return nil
      }
      let span = row.span(name, kind, at: place, of: core, core.node.now(), attributes)
      row.add(span, isScoped: false, in: core, under: ambient)
      return span
    }
  }

  /// Ends a span of the calling process, wherever it lies in the stack.
  ///
  /// - Parameter span: which; the current one if not said. If the last ``startSpan(_:_:kind:)`` opened
  ///   none, for want of depth, it is that one's end, and ends nothing.
  /// - Returns: false if it was not open: a span that is ended twice has ended once.
  @discardableResult
  public static func endSpan(_ span: TraceSpan? = nil) -> Bool {
    let ambient = Ambient.current
    guard let (row, core, spot) = SpanRow.existing(ambient),
      let ended = span ?? row.current(at: spot)
    else {
      if !isUnsampled(ambient) { warn(.nothingOpen, "endSpan", ambient) }
      return false
    }
    if span == nil, row.endSkipped(at: spot) { return false }
    if row.end(ended.id, in: core, .ok) { return true }
    // Not a mistake in a process that is exiting: its spans are no longer its own.
    if !core.isFenced { warn(.notOpen, "endSpan", ambient) }
    return false
  }

  /// The open span that the calling code is in; nil if it is in none.
  ///
  /// In a handler that has opened none, that is nil also when the message came from a traced caller:
  /// see ``currentTraceID``. Inside a ``withSpan(_:_:kind:_:)`` that is not sampled it is nil too.
  public static var currentSpan: TraceSpan? {
    guard let ambient = Ambient.current, let core = ambient.process else { return nil }
    return core.slot.withContent(as: SpanRow.self) { $0.current(at: ambient.spot) } ?? nil
  }

  /// The trace that the calling code belongs to, be it by a span of its own process or by the message
  /// it handles; nil if to none.
  public static var currentTraceID: TraceID? {
    let ambient = Ambient.current
    if ambient?.process?.hasLooseSpans == true, let span = currentSpan { return span.traceID }
    guard let cursor = ambient?.cursor, !cursor.isOutside else { return nil }
    return TraceID(high: cursor.traceHigh, low: cursor.traceLow)
  }

  /// Runs `body` outside of every trace: what it opens first begins a new one.
  ///
  ///     Trace.withNewTrace { Trace.withSpan("job") { worker.cast(.run(job)) } }
  ///
  /// For a server that is told of work by one message and gives it out in another.
  public static func withNewTrace<Value, Failure: Error>(
    _ body: () throws(Failure) -> Value
  ) throws(Failure) -> Value {
    let process = ProcessCore.current
    let marker = (process?.node ?? .current).nextRandom()
    let outside = Ambient(process: process, cursor: .outside(marker: marker))
    let result = Ambient.local.withValue(outside) { () -> Result<Value, Failure> in
      do throws(Failure) { return .success(try body()) } catch { return .failure(error) }
    }
    return try result.get()
  }
}
