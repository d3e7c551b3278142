import Synchronization

/// What a node's tracing has left out so far. All zero is the rule.
public struct TraceCounts: Sendable, Hashable {
  /// Spans that were not opened, because their process had as many as it may.
  public internal(set) var tooDeep = 0
  /// Attributes, events and links that a span had no room for.
  public internal(set) var attributes = 0
  public internal(set) var events = 0
  public internal(set) var links = 0
  /// Processes whose spans are in no table, because there was none; their events are emitted all the
  /// same, but nobody ends those that a death leaves open.
  public internal(set) var unrecorded = 0
  /// Spans that a process left open which ended when the node's tracing had ended before it: nobody closes
  /// them, and they have no stop event.
  public internal(set) var lost = 0
  /// Calls that had no span to work on: see ``TelemetryEvent/traceWarning``.
  public internal(set) var warnings = 0

  public init() {}
}

/// The counters behind ``TraceCounts``. An object of its own, so that a row can count what it leaves out
/// without keeping the node's tracing.
final class TraceCounters: Sendable {
  let tooDeep = Atomic(0)
  let attributes = Atomic(0)
  let events = Atomic(0)
  let links = Atomic(0)
  let unrecorded = Atomic(0)
  let lost = Atomic(0)
  let warnings = Atomic(0)
  /// The problems that were warned of, one bit each.
  let warned = Atomic<UInt>(0)

  func add(_ cut: TraceSpan.Cut) {
    if cut.attributes > 0 { attributes.wrappingAdd(cut.attributes, ordering: .relaxed) }
    if cut.events > 0 { events.wrappingAdd(cut.events, ordering: .relaxed) }
    if cut.links > 0 { links.wrappingAdd(cut.links, ordering: .relaxed) }
  }

  var value: TraceCounts {
    var counts = TraceCounts()
    counts.tooDeep = tooDeep.load(ordering: .relaxed)
    counts.attributes = attributes.load(ordering: .relaxed)
    counts.events = events.load(ordering: .relaxed)
    counts.links = links.load(ordering: .relaxed)
    counts.unrecorded = unrecorded.load(ordering: .relaxed)
    counts.lost = lost.load(ordering: .relaxed)
    counts.warnings = warnings.load(ordering: .relaxed)
    return counts
  }
}
