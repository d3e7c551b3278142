/// What surrounds the running code: the process it runs as, and the span it runs under.
///
/// One task-local for both, because each read of one costs some 12 ns. A process binds it once at
/// its start, anew for each message that carries a trace, and a span binds it for its body.
/// Child tasks and `Task {}` inherit it.
package final class Ambient: Sendable {
  /// The process that the code runs as, alive or not; nil in plain code with a span open.
  package let process: ProcessCore?
  /// The span that the code runs under; nil if under none.
  package let cursor: TraceCursor?

  package init(process: ProcessCore?, cursor: TraceCursor?) {
    self.process = process
    self.cursor = cursor
  }

  @TaskLocal package static var current: Ambient?

  /// What a message sent from here carries: itself if there is a span to tell of, else nothing.
  package var envelope: Ambient? { cursor == nil ? nil : self }
}

/// The place in a trace at which code runs: which span is the parent of one opened here.
///
/// It says where to look; the truth about which spans are open is the span table's.
package struct TraceCursor: Sendable, Equatable {
  package var traceHigh: UInt64
  package var traceLow: UInt64
  package var spanID: UInt64
  /// The process whose row the span is in, 0 if it came from elsewhere.
  package var owner: UInt64
  package var isSampled: Bool

  package init(
    traceHigh: UInt64, traceLow: UInt64, spanID: UInt64, owner: UInt64, isSampled: Bool = true
  ) {
    self.traceHigh = traceHigh
    self.traceLow = traceLow
    self.spanID = spanID
    self.owner = owner
    self.isSampled = isSampled
  }
}

extension ProcessCore {
  /// The process that the caller runs as; nil outside any.
  package static var current: ProcessCore? { Ambient.current?.process }
}
