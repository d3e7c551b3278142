import ArborPrimitives
package import ArborProcesses
import Synchronization

/// A row of the span table: the lock around the open spans of one process.
///
/// Its process and the SpanManager hold the row itself, not the way to it through the table: a
/// change of the table's owner neither blocks nor fails a write.
package final class SpanRow: SlotContent {
  private let lock = BriefLock()
  // Unsafe, but touched under the lock alone.
  @exclusivity(unchecked) nonisolated(unsafe) private var machine = SpanRowMachine()
  /// How many spans are open: a copy, for those who only compare it with the limit.
  private let openCount = Atomic(0)
  /// The state of the process's own source of ids. One of the node's would be everybody's bottleneck.
  private let lastID: Atomic<UInt64>
  let settings: SettingsStorage
  let counters: TraceCounters

  init(seed: UInt64, _ tracing: Tracing) {
    lastID = Atomic(seed)
    settings = tracing.settings
    counters = tracing.counters
  }

  /// A transition that leaves the number of spans as it is.
  @inline(__always)
  private func withLock<Result>(_ transition: (inout SpanRowMachine) -> Result) -> Result {
    lock.acquire()
    defer { lock.release() }
    return transition(&machine)
  }

  /// Any other.
  @inline(__always)
  private func change<Result>(_ transition: (inout SpanRowMachine) -> Result) -> Result {
    withLock { machine in
      let result = transition(&machine)
      openCount.store(machine.entries.count, ordering: .relaxed)
      return result
    }
  }

  func current(at spot: SpanRowMachine.Spot) -> TraceSpan? { withLock { $0.current(at: spot) } }

  /// - Returns: the span, if the row is closed.
  @inline(__always)
  func push(
    _ span: consuming TraceSpan, isScoped: Bool, at spot: SpanRowMachine.Spot?
  ) -> TraceSpan? {
    // Not by `change`, whose closure would keep the span until its end, and count it for that.
    lock.acquire()
    defer { lock.release() }
    let refused = machine.push(span, isScoped: isScoped, at: spot)
    openCount.store(machine.entries.count, ordering: .relaxed)
    return refused
  }

  func remove(_ id: SpanID) -> SpanRowMachine.Taken? { change { $0.remove(id) } }

  func pop() -> SpanRowMachine.Taken? { change { $0.pop() } }

  func skip(at spot: SpanRowMachine.Spot) { withLock { $0.skip(at: spot) } }

  func endSkipped(at spot: SpanRowMachine.Spot) -> Bool { withLock { $0.endSkipped(at: spot) } }

  func replace(with spans: [TraceSpan]) -> SpanRowMachine.Replacement? {
    change { $0.replace(with: spans) }
  }

  func drain() -> [SpanRowMachine.Entry] { change { $0.drain() } }

  func close() -> [TraceSpan] { change { $0.close() } }

  func update(_ id: SpanID, _ change: (inout TraceSpan) -> Void) -> TraceSpan? {
    withLock { $0.update(id, change) }
  }

  func replaceTop(_ old: TraceSpan, with new: TraceSpan) -> Bool {
    withLock { $0.replaceTop(old, with: new) }
  }

  /// The open spans, innermost last.
  var spans: [TraceSpan] { withLock { $0.entries.map(\.span) } }

  var count: Int { openCount.load(ordering: .relaxed) }

  /// A random word for an id, which W3C forbids to be zero: SplitMix64, whose state is a counter, so
  /// that it needs no lock.
  func nextID() -> UInt64 {
    while true {
      var word = lastID.wrappingAdd(0x9e37_79b9_7f4a_7c15, ordering: .relaxed).newValue
      word = (word ^ word >> 30) &* 0xbf58_476d_1ce4_e5b9
      word = (word ^ word >> 27) &* 0x94d0_49bb_1331_11eb
      word ^= word >> 31
      if word != 0 { return word }
    }
  }

  /// Closes the row of a process that has ended: each span that is still open gets its stop event,
  /// innermost first, in one stretch. Who took the spans emits; nobody else does.
  func close(becauseOf fate: Fate, of pid: PID) {
    var spans = close()
    if spans.isEmpty { return }
    for index in spans.indices {
      spans[index].endTime = max(fate.time, spans[index].startTime)
      spans[index].status = .error("\(fate.reason)")
      pid.node.emitStop(spans[index], fate: fate)
    }
    spans.removeAll { !$0.isSampled }
    if !spans.isEmpty {
      Tracing.of(pid.node).note(
        SpanDeath(
          process: pid, reason: fate.reason, time: fate.time, causes: fate.causes, spans: spans))
    }
  }

  /// Ends the spans of a process that goes on when the tracing does not. What it opens later is its
  /// own business.
  func drain(becauseOf fate: Fate, of pid: PID) {
    for entry in drain() {
      if !entry.isScoped { pid.core.countLooseSpan(-1) }
      var span = entry.span
      span.endTime = max(fate.time, span.startTime)
      span.status = .error("\(fate.reason)")
      pid.node.emitStop(span, fate: fate)
    }
  }

  package func cursor(at ambient: Ambient) -> TraceCursor? {
    guard let span = current(at: ambient.spot) else { return nil }
    return TraceCursor(of: span, with: ambient.cursor?.cargo)
  }

  package func processReleased(_ core: ProcessCore) {
    if count > 0 { Tracing.of(core.node).keep(self, of: core.pid) }
  }

  /// The end of a `withProcess` scope takes its row along: nobody else would know that early.
  package func scopeEnded(_ core: ProcessCore, reason: ExitReason) {
    close(becauseOf: Fate(reason: reason, time: core.node.clock.now()), of: core.pid)
    Tracing.of(core.node).takeOut(core.pid)
  }
}

extension Ambient {
  /// What this place is called in a row, for the calling task.
  var spot: SpanRowMachine.Spot {
    SpanRowMachine.Spot(scope: cursor?.scope ?? 0, task: process?.otherTask ?? 0)
  }
}

extension TraceCursor {
  /// What a place is called in a row: its span, if that may be one of the row's. A context from
  /// elsewhere never names a span of the row, not even if it came from the same process: its parent is
  /// nobody's to end.
  var scope: UInt64 { owner == 0 && !isOutside ? ~spanID : spanID }

  /// The place inside a span.
  init(of span: TraceSpan, with cargo: (any TraceCargo)?) {
    self.init(
      traceHigh: span.traceID.high, traceLow: span.traceID.low, spanID: span.id.bits,
      owner: span.processID, isSampled: span.isSampled, cargo: cargo)
  }
}
