import ArborPrimitives
public import ArborProcesses
public import ArborTelemetry

/// Keeps the spans of a node that have ended, for tests and for programs that show their own traces.
///
///     let recorder = try SpanRecorder()
///     Trace.withSpan("work") { … }
///     print(recorder.spans(named: "work").count)      // 1
///     recorder.stop()
///
/// A span is recorded by the process that ends it, before the `withSpan` that it belongs to
/// returns; for one that its process's death ended, see ``SpanManager/settle(_:)``.
public final class SpanRecorder: Sendable {
  /// A span that has ended, and the exit reason if its process's end was what ended it.
  public struct Record: Sendable {
    public let span: TraceSpan
    public let reason: ExitReason?
  }

  private struct State: Sendable {
    var records: [Record] = []
    var started = 0
    var dropped = 0
  }

  private let node: Node
  private let handlerID: String
  private let capacity: Int
  private let state = Lock(State())

  /// Begins to record.
  ///
  /// - Parameters:
  ///   - node: whose spans; the caller's node's if not said.
  ///   - capacity: how many spans to keep; later ones are counted and dropped.
  public init(node: Node = .current, capacity: Int = 100_000) throws(TelemetryError) {
    self.node = node
    self.capacity = capacity
    handlerID = "arbor.recorder.\(node.nextRandom())"
    try node.telemetry.attach(handlerID, to: [.spanStart, .spanStop]) {
      [weak self] event, _, metadata in
      if event == .spanStart {
        self?.state.withLock { $0.started += 1 }
      } else if let span = metadata["span", as: TraceSpan.self] {
        self?.record(Record(span: span, reason: metadata["reason", as: ExitReason.self]))
      }
    }
  }

  deinit { stop() }

  /// Ends the recording; what was recorded stays.
  public func stop() { node.telemetry.detach(handlerID) }

  private func record(_ record: Record) {
    state.withLock { state in
      if state.records.count < capacity {
        state.records.append(record)
      } else {
        state.dropped += 1
      }
    }
  }

  /// All that was recorded, in the order in which the spans ended.
  public var records: [Record] { state.withLock { $0.records } }

  /// How many spans were opened since the recording began.
  public var startedCount: Int { state.withLock { $0.started } }

  /// How many spans were not kept, for want of capacity.
  public var droppedCount: Int { state.withLock { $0.dropped } }

  /// Forgets what was recorded, and goes on with the recording. The counts begin anew.
  public func removeAll() { state.withLock { $0 = State() } }
}
