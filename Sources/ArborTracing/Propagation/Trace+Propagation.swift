import ArborProcesses

extension Trace {
  /// The place in a trace that the calling code is in, to be given to somebody whom no message of
  /// Arbor's reaches: another machine, a queue, a callback.
  ///
  ///     var headers = ["accept": "text/plain"]
  ///     Trace.propagateContext().inject(into: &headers)
  ///
  /// - Returns: the current span as the parent of what is opened under the context, and the baggage. In
  ///   a handler that has opened no span, the parent is the span that the message was sent under. Empty
  ///   outside of every trace.
  public static func propagateContext() -> TraceContext {
    guard let ambient = Ambient.current else { return TraceContext() }
    let place = ambient.envelope?.cursor ?? ambient.cursor
    let belongings = place?.belongings
    var context = TraceContext(baggage: belongings?.baggage ?? Baggage())
    guard let place else { return context }
    var flags: TraceFlags = belongings?.isRandom == false ? [] : .random
    if place.isSampled { flags.insert(.sampled) }
    context.parent = TraceContext.Parent(
      traceID: TraceID(high: place.traceHigh, low: place.traceLow), spanID: SpanID(place.spanID),
      flags: flags, state: belongings?.state ?? TraceState())
    return context
  }

  /// Runs `body` under a context from elsewhere: what it opens first is a child of the context's
  /// parent, and the context's baggage is the baggage.
  ///
  ///     let context = TraceContext(headers: request.headers)
  ///     Trace.withPropagatedContext(context) {
  ///       Trace.withSpan("handle") { … }
  ///     }
  ///
  /// The parent can be read, and not be ended or changed: inside, there is no current span until one is
  /// opened. A context without a parent begins a new trace. Afterwards all is as it was.
  ///
  /// - Throws: what the body throws.
  public static func withPropagatedContext<Value, Failure: Error>(
    _ context: TraceContext, _ body: () throws(Failure) -> Value
  ) throws(Failure) -> Value {
    try Ambient.inside(context).run(body)
  }

  /// As the synchronous one, where the caller is isolated.
  public static func withPropagatedContext<Value, Failure: Error>(
    _ context: TraceContext, isolation: isolated (any Actor)? = #isolation,
    _ body: () async throws(Failure) -> Value
  ) async throws(Failure) -> Value {
    try await Ambient.inside(context).run(isolation: isolation, body)
  }

  /// Runs `body` in a trace that nobody records: what tracing itself does is not traced.
  static func withoutRecording<Value, Failure: Error>(
    isolation: isolated (any Actor)? = #isolation, _ body: () async throws(Failure) -> Value
  ) async throws(Failure) -> Value {
    let node = Node.current
    let parent = TraceContext.Parent(
      traceID: TraceID(high: node.nextRandom() | 1, low: node.nextRandom()),
      spanID: SpanID(node.nextRandom() | 1), flags: .random)
    return try await withPropagatedContext(
      TraceContext(parent: parent), isolation: isolation, body)
  }
}
