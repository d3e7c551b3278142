import ArborProcesses

extension Trace {
  /// Opens a span that ends when ``endSpan(_:)`` says so, or with its process.
  ///
  ///     let span = Trace.startSpan("upload")
  ///     …
  ///     Trace.endSpan(span)
  ///
  /// - Returns: the span; nil outside any process, where nobody would close it.
  @discardableResult
  public static func startSpan(_ name: String, _ attributes: Attributes = [:]) -> TraceSpan? {
    Tracer(Ambient.current)?.open(name, attributes, isScoped: false)
  }

  /// Ends a span of the calling process, wherever it lies in the stack.
  ///
  /// - Parameter span: which; the current one if not said.
  /// - Returns: false if it was not open: a span that is ended twice has ended once.
  @discardableResult
  public static func endSpan(_ span: TraceSpan? = nil) -> Bool {
    guard let tracer = Tracer(Ambient.current), let span = span ?? tracer.current else {
      return false
    }
    return tracer.end(span.id, .ok)
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

  /// The open span that the calling code is in; nil if it is in none.
  ///
  /// In a handler that has opened none, that is nil also when the message came from a traced caller:
  /// see ``currentTraceID``.
  public static var currentSpan: TraceSpan? { Tracer(Ambient.current)?.current }

  /// The trace that the calling code belongs to, be it by a span of its own process or by the message
  /// it handles; nil if to none.
  public static var currentTraceID: TraceID? {
    if let span = currentSpan { return span.traceID }
    guard let cursor = Ambient.current?.cursor, !cursor.isOutside else { return nil }
    return TraceID(high: cursor.traceHigh, low: cursor.traceLow)
  }

  /// Adds attributes to the current span; those of the same name are replaced.
  ///
  /// - Returns: false if there is no current span to add them to.
  @discardableResult
  public static func addAttributes(_ attributes: Attributes) -> Bool {
    guard let tracer = Tracer(Ambient.current), !tracer.core.isFenced,
      let current = tracer.current,
      let span = tracer.row.merge(attributes, into: current.id)
    else { return false }
    tracer.core.node.emitAttributes(attributes, of: span)
    return true
  }
}
