import Arbor
import Synchronization

/// Counts what the node's events tell of spans: each must stop, and once.
final class Ledger: Sendable {
  private struct Counts {
    var open: Set<SpanID> = []
    var started = 0
    var stopped = 0
    var twice = 0
  }

  private let counts = Mutex(Counts())
  /// Open spans that a table took with it, because its owner and its heir died at once.
  private let lost = Atomic(0)

  init(_ node: Node) throws {
    try node.telemetry.attach("ledger", to: [.spanStart, .spanStop]) { [self] event, _, metadata in
      guard let id = metadata["span_id", as: SpanID.self] else { return }
      counts.withLock { counts in
        if event == .spanStart {
          counts.started += 1
          counts.open.insert(id)
        } else {
          counts.stopped += 1
          if counts.open.remove(id) == nil { counts.twice += 1 }
        }
      }
    }
    try node.telemetry.attach("lost", to: TelemetryEvent("arbor", "tracing", "table_lost")) {
      [self] _, measurements, _ in
      lost.wrappingAdd(measurements["lost", as: Int.self] ?? 0, ordering: .relaxed)
    }
  }

  var started: Int { counts.withLock { $0.started } }
  var stopped: Int { counts.withLock { $0.stopped } }
  var stoppedTwice: Int { counts.withLock { $0.twice } }
  var lostCount: Int { lost.load(ordering: .relaxed) }
}
