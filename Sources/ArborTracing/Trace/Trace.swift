/// Tracing, from inside a process: open spans, end them, say more about them.
///
///     try await Trace.withSpan("checkout", ["cart": 3]) {
///       try await inventory.call { .reserve(item, $0) }
///     }
///
/// A span's parent is the span that the code runs under: in the same process, or, in a handler, the
/// one that the message was sent under. The spans themselves are in the node's span table, so that
/// they outlive the process that opened them; see ``SpanManager``.
public enum Trace {}
