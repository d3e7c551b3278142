/// What goes from one machine to another so that a trace goes on there: a span to be the parent, and
/// the baggage.
///
///     var headers = ["accept": "text/plain"]
///     Trace.propagateContext().inject(into: &headers)          // at the sender
///
///     let context = TraceContext(headers: request.headers)     // at the receiver
///     try await Trace.withPropagatedContext(context) {
///       try await Trace.withSpan("handle") { … }               // a child of the sender's span
///     }
///
/// Between processes of one node nothing of this is needed: context is in every message's envelope.
///
/// A context is a value that says how things stood when it was made. The spans it names belong to who
/// opened them: nobody can end them through it.
public struct TraceContext: Hashable, Sendable {
  /// The span that what is opened under this context is a child of; nil if a new trace begins.
  public var parent: Parent?
  /// What the sender gave along.
  public var baggage: Baggage

  /// A context of the given parts; without any, the empty one.
  public init(parent: Parent? = nil, baggage: Baggage = Baggage()) {
    self.parent = parent
    self.baggage = baggage
  }

  /// True if there is neither a parent nor baggage.
  public var isEmpty: Bool { parent == nil && baggage.isEmpty }

  /// The trace; nil if a new one begins.
  public var traceID: TraceID? { parent?.traceID }
}

extension TraceContext {
  /// A span of somewhere else, and what is known of its trace: the contents of `traceparent` and
  /// `tracestate`.
  public struct Parent: Hashable, Sendable {
    public let traceID: TraceID
    public let spanID: SpanID
    public var flags: TraceFlags
    /// What tracing systems of several vendors tell their own kind.
    public var state: TraceState

    /// - Returns: nil if one of the ids is all zero, which the standard forbids.
    public init?(
      traceID: TraceID, spanID: SpanID, flags: TraceFlags = [], state: TraceState = TraceState()
    ) {
      guard traceID.high != 0 || traceID.low != 0, spanID.bits != 0 else { return nil }
      self.traceID = traceID
      self.spanID = spanID
      self.flags = flags.intersection(.known)
      self.state = state
    }

    /// True if the sender may have recorded the span.
    public var isSampled: Bool { flags.contains(.sampled) }
  }
}
