import ArborPrimitives
import ArborProcesses
import ArborTelemetry
import ArborTracing

/// Counts the spans of a node while they are opened and closed, and keeps none: a run may have as many
/// as it likes.
final class SpanBalance: Sendable {
  struct Unbalanced: Error, CustomStringConvertible {
    let what: String
    var description: String { what }
  }

  private struct State: Sendable {
    var open: [SpanID: String] = [:]
    var started = 0
    var stopped = 0
    var wrong: String?
  }

  private let state = Lock(State())

  init(_ node: Node) throws {
    try node.telemetry.attach("balance", to: [.spanStart, .spanStop]) {
      [weak self] event, _, metadata in
      guard let self, let span = metadata["span", as: TraceSpan.self] else { return }
      state.withLock { state in
        if event == .spanStart {
          state.started += 1
          if state.open.updateValue(span.name, forKey: span.id) != nil {
            state.wrong = "\(span.name) was opened twice"
          }
        } else {
          state.stopped += 1
          if state.open.removeValue(forKey: span.id) == nil {
            state.wrong = "\(span.name) was closed twice, or before it was opened"
          }
        }
      }
    }
  }

  var started: Int { state.withLock { $0.started } }

  /// Each start has one stop, which came later.
  func check() throws {
    let state = state.withLock { $0 }
    if let wrong = state.wrong { throw Unbalanced(what: wrong) }
    guard state.open.isEmpty else {
      throw Unbalanced(
        what: "\(state.started) spans were opened, \(state.stopped) closed; open are "
          + "\(state.open.values.sorted().prefix(5))")
    }
  }
}
