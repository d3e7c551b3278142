public import ArborProcesses

/// A process that ended with spans open, as the ``SpanManager`` found it.
///
///     for death in SpanManager.deaths() {
///       print(death.process, death.reason, death.causes, death.spans.map(\.name))
///     }
public struct SpanDeath: Sendable {
  public let process: PID
  /// What it ended with.
  public let reason: ExitReason
  /// Nanoseconds of the node's clock.
  public let time: UInt64
  /// How the end came about, from the nearest cause to what failed first; empty if it ended by itself.
  public let causes: [ExitCause]
  /// The spans that it left open, as they were closed: innermost first.
  public let spans: [TraceSpan]
}

/// The last so many deaths: a ring. Pure.
struct DeathLog: Sendable {
  private var ring: [SpanDeath] = []
  /// Where the next one goes, once the ring is full.
  private var next = 0

  mutating func append(_ death: SpanDeath, capacity: Int) {
    if ring.count > capacity {
      // The capacity was lowered: begin again with the latest.
      ring = Array(all.suffix(max(capacity, 0)))
      next = 0
    }
    guard capacity > 0 else { return }
    if ring.count < capacity {
      // Grown, perhaps after it went around: what is oldest comes first again.
      if next != 0 { ring = all }
      next = 0
      ring.append(death)
    } else {
      ring[next] = death
      next = (next + 1) % capacity
    }
  }

  /// Oldest first.
  var all: [SpanDeath] { Array(ring[next...] + ring[..<next]) }
}
