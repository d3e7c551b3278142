import ArborPrimitives
import ArborProcesses
import ArborTelemetry

/// A queue of spans and the lock around it. The node keeps it, so that what waits in it outlives the
/// processor that is to export it.
final class SpanQueue: Sendable {
  private struct State: Sendable {
    var machine: SpanQueueMachine
    var processor: PID?
  }

  private let state: Lock<State>

  init(capacity: Int, batchSize: Int) {
    state = Lock(State(machine: SpanQueueMachine(capacity: capacity, batchSize: batchSize)))
  }

  /// Runs a transition of the machine.
  func withMachine<Value: Sendable>(
    _ body: (inout sending SpanQueueMachine) -> sending Value
  ) -> Value {
    state.withLock { state in body(&state.machine) }
  }

  var statistics: ExportStatistics { withMachine { $0.statistics } }

  /// Who exports what is in it; nil between the end of one and the start of the next.
  var processor: PID? { state.withLock { $0.processor } }

  /// From here on this one is told of spans.
  func serve(_ processor: PID?) { state.withLock { $0.processor = processor } }

  /// Takes a span, in the process that ended it: a lock, an append, and once a batch a message.
  func append(_ span: TraceSpan) {
    let (wake, processor) = state.withLock { ($0.machine.append(span), $0.processor) }
    guard wake != .nobody, let processor else { return }
    let cast: BatchSpanProcessor.Cast = wake == .batch ? .batchIsFull : .spanIsWaiting
    // Not as the calling process, which may be exiting, and not under its trace.
    processor.core.deliver(Mail.make(.cast, cast, context: nil))
  }
}

/// The queues of a node, by the names of their processors.
final class SpanQueues: Sendable {
  private let queues = Lock<[String: SpanQueue]>([:])

  static func of(_ node: Node) -> SpanQueues { node.part(SpanQueues.self) { _ in SpanQueues() } }

  /// The queue of that name, made if it is not there.
  func queue(_ name: String, make: () -> SpanQueue) -> SpanQueue {
    let made = make()
    return queues.withLock { queues in
      if let queue = queues[name] { return queue }
      queues[name] = made
      return made
    }
  }

  func remove(_ name: String) { queues.withLock { $0[name] = nil } }
}
