import ArborBehaviours
import ArborPrimitives
public import ArborProcesses
import ArborTables
import Synchronization

/// An open span, and whose it is.
public struct OpenSpan: Sendable {
  public let span: TraceSpan
  public let owner: PID
  /// How long it has been open.
  public let age: Duration
}

extension SpanManager {
  /// Returns once the spans of a process that has ended are closed, their events emitted and its row
  /// gone; at once if it is alive.
  ///
  /// A DOWN that you see is not ordered against the manager's own: call this before looking at
  /// what the manager did about it.
  ///
  /// - Throws: ``CallError``: `noproc` if nothing was ever traced on the node, or its tracing has been
  ///   shut down; `cancelled`.
  public static func settle(_ pid: PID) async throws(CallError) {
    try await ask(on: pid.node) { .settle(pid, $0) }
  }

  /// Returns once the spans of all processes of a node that have ended by now are closed; at once if
  /// nothing was ever traced on it.
  ///
  /// - Throws: ``CallError``: `noproc` if the node's tracing has been shut down; `cancelled`.
  public static func settle(on node: Node = .current) async throws(CallError) {
    guard Tracing.of(node).isUp else { return }
    try await ask(on: node) { .settleAll($0) }
  }

  /// How many processes the manager watches: one for each row, once it has heard of all.
  ///
  /// - Throws: ``CallError`` if the manager cannot answer.
  public static func watchedCount(on node: Node = .current) async throws(CallError) -> Int {
    try await ask(on: node) { .watchedCount($0) }
  }

  /// Calls the manager, and waits for it if it is just being started.
  private static func ask<Reply: Sendable>(
    on node: Node, _ request: (From<Reply>) -> Call
  ) async throws(CallError) -> Reply {
    let patience = 5_000
    for _ in 0..<patience {
      do {
        return try await ServerRef<SpanManager>(named: name, on: node).call(timeout: nil, request)
      } catch {
        switch error {
        case .noproc, .exit: break
        default: throw error
        }
        // Between its end and the next one's start. What starts it tells nobody, so look again.
        guard Tracing.of(node).isUp else { throw .noproc }
        let isOver = await withProcess(on: node) { context in
          (try? await context.sleep(for: .milliseconds(1))) == nil
        }
        if isOver { throw .cancelled }
      }
    }
    throw .noproc
  }

  /// How many processes have a row in the node's span table.
  public static func rowCount(on node: Node = .current) -> Int {
    (try? Tracing.of(node).table?.count) ?? 0
  }

  /// The open spans of a node, oldest first, each with its owner and its age.
  ///
  ///     for open in SpanManager.openSpans() where open.age > .seconds(60) {
  ///       print(open.span.name, "of", open.owner)
  ///     }
  ///
  /// Without those that are not sampled.
  public static func openSpans(on node: Node = .current) -> [OpenSpan] {
    var spans: [(span: TraceSpan, owner: PID)] = []
    try? Tracing.of(node).table?.visit { pid, row in
      for span in row.spans where span.isSampled { spans.append((span, pid)) }
    }
    // After the reading, so that none is younger than new.
    let now = node.clock.now()
    return spans.sorted { ($0.span.startTime, $0.owner) < ($1.span.startTime, $1.owner) }.map {
      let age = now > $0.span.startTime ? now - $0.span.startTime : 0
      return OpenSpan(span: $0.span, owner: $0.owner, age: .nanoseconds(Int64(clamping: age)))
    }
  }

  /// The deaths of processes that had spans open, oldest first: the last so many, as
  /// ``TraceSettings/deathLogCapacity`` says. It survives the manager.
  public static func deaths(on node: Node = .current) -> [SpanDeath] { Tracing.of(node).deaths }

  /// The deaths in which a span of a trace was closed, oldest first.
  public static func deaths(in trace: TraceID, on node: Node = .current) -> [SpanDeath] {
    deaths(on: node).filter { death in death.spans.contains { $0.traceID == trace } }
  }

  /// A process's death, if it had spans open and is not forgotten yet.
  public static func death(of pid: PID) -> SpanDeath? {
    deaths(on: pid.node).last { $0.process == pid }
  }

  /// What the node's tracing has left out so far.
  public static func counts(on node: Node = .current) -> TraceCounts {
    Tracing.of(node).counters.value
  }
}
