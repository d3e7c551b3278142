import ArborPrimitives
public import Synchronization

/// What surrounds the running code: the process it runs as, and the span it runs under.
///
/// One task-local for both, because each read of one costs some 12 ns. A process binds it once at
/// its start, anew for each message that carries a trace, and a span binds it for its body.
/// Child tasks and `Task {}` inherit it.
@usableFromInline
package final class Ambient: Sendable {
  /// The process that the code runs as, alive or not; nil in plain code with a span open.
  @usableFromInline package let process: ProcessCore?
  /// The span that the code runs under; nil if under none.
  @usableFromInline package let cursor: TraceCursor?
  /// When what carries it was sent, in nanoseconds of the node's clock; 0 if nobody wants to know.
  package let sentAt: UInt64

  @usableFromInline
  package init(process: ProcessCore?, cursor: TraceCursor?, sentAt: UInt64 = 0) {
    process?.presence.enter()
    if cursor != nil { FenceGauge.shared.askSenders() }
    self.cursor = cursor
    self.sentAt = sentAt
    self.process = process
  }

  /// The inside of a span. Its place comes in parts, because a whole one would be made twice.
  package init(
    process: ProcessCore, traceHigh: UInt64, traceLow: UInt64, spanID: UInt64, isSampled: Bool,
    cargo: (any TraceCargo)?, sentAt: UInt64
  ) {
    process.presence.enter()
    process.node.fences.askSenders()
    cursor = TraceCursor(
      traceHigh: traceHigh, traceLow: traceLow, spanID: spanID, owner: process.id,
      isSampled: isSampled, cargo: cargo)
    self.sentAt = sentAt
    self.process = process
  }

  deinit { leave() }

  // Not a part of the deinit: there the process would be retained for it.
  @inline(never)
  private func leave() { process?.presence.leave() }

  // Not by the property wrapper, whose projection cannot be shown to other targets' specialisers. Nor of
  // an optional, which costs each reading and each binding some 60 instructions more.
  @usableFromInline package static var local: TaskLocal<Ambient> {
    @inlinable get { uncounted.takeUnretainedValue() }
  }
  // It is never let go.
  @usableFromInline static let uncounted = Unmanaged.passRetained(
    TaskLocal<Ambient>(wrappedValue: .nowhere))

  /// Runs `body` there, as the task-local itself would, but without counting that up and down: all threads
  /// would wait for one another on the count.
  @inlinable
  package static func with<Result>(_ ambient: Ambient, _ body: () -> Result) -> Result {
    uncounted._withUnsafeGuaranteedRef { $0.withValue(ambient, operation: body) }
  }

  /// Where code is that runs as no process and under no span.
  package static let nowhere = Ambient(process: nil, cursor: nil)

  /// Where the calling code is.
  @inlinable
  package static var here: Ambient { uncounted._withUnsafeGuaranteedRef { $0.get() } }

  /// Nil if the code runs as no process and under no span.
  @inlinable
  package static var current: Ambient? {
    let ambient = here
    return ambient.process == nil && ambient.cursor == nil ? nil : ambient
  }

  /// What a message sent from here carries: the span that the sender is in, if it is in one.
  @usableFromInline
  package var envelope: Ambient? {
    if cursor == nil, process?.hasLooseSpans != true { return nil }
    if let process, process.hasLooseSpans,
      let inner = process.slot.content?.cursor(at: self)
    {
      return Ambient(process: process, cursor: inner, sentAt: sentAt)
    }
    guard let cursor, !cursor.isOutside || cursor.cargo != nil else { return nil }
    return self
  }
}

extension Ambient {
  /// Says what a message sent from here carries, and whether one may be sent: not by a process that is
  /// exiting.
  // Not to be inlined into other modules, which would retain the process for it: its count is what
  // sender and receiver of much mail would wait for one another on.
  @usableFromInline
  package func seal(_ envelope: inout Ambient?) -> Bool {
    if process?.isFenced == true { return false }
    if cursor != nil || process?.hasLooseSpans == true { envelope = self.envelope }
    return true
  }
}

/// The place in a trace at which code runs: which span is the parent of one opened here.
///
/// It says where to look; the truth about which spans are open is the span table's.
@usableFromInline
package struct TraceCursor: Sendable, Equatable {
  @usableFromInline package var traceHigh: UInt64
  @usableFromInline package var traceLow: UInt64
  package var spanID: UInt64
  /// The process whose row the span is in, 0 if it came from elsewhere.
  package var owner: UInt64
  /// False in a trace that is only passed on, and not recorded.
  package var isSampled: Bool
  /// What is passed on beside the ids; nil for nothing.
  package var cargo: (any TraceCargo)?

  package init(
    traceHigh: UInt64, traceLow: UInt64, spanID: UInt64, owner: UInt64, isSampled: Bool = true,
    cargo: (any TraceCargo)? = nil
  ) {
    self.traceHigh = traceHigh
    self.traceLow = traceLow
    self.spanID = spanID
    self.owner = owner
    self.isSampled = isSampled
    self.cargo = cargo
  }

  @usableFromInline
  package static func == (left: TraceCursor, right: TraceCursor) -> Bool {
    left.spanID == right.spanID && left.traceLow == right.traceLow
      && left.traceHigh == right.traceHigh && left.owner == right.owner
      && left.isSampled == right.isSampled && left.cargo === right.cargo
  }
}

/// What travels with a trace beside its ids: the trace state of other systems, baggage. It is the
/// tracing's; the runtime only carries it, from message to message and from span to span.
///
/// Immutable, because many have it at once: who adds something makes another.
package protocol TraceCargo: AnyObject, Sendable {}

extension TraceCursor {
  /// A place outside of every trace; `marker` tells it from other such places of its process.
  package static func outside(
    marker: UInt64, cargo: (any TraceCargo)? = nil
  ) -> TraceCursor {
    TraceCursor(traceHigh: 0, traceLow: 0, spanID: marker, owner: 0, cargo: cargo)
  }

  /// True for a place outside of every trace: a trace id is never zero.
  @inlinable
  package var isOutside: Bool { traceHigh == 0 && traceLow == 0 }
}

extension ProcessCore {
  /// Where the calling code is, which need not be this process: as `Ambient.current`, but faster.
  @inlinable
  package var callersAmbient: Ambient? {
    let ambient = node.ambients._withUnsafeGuaranteedRef { $0.get() }
    return ambient.process == nil && ambient.cursor == nil ? nil : ambient
  }

  /// True while spans are open that no task-local tells of: whoever wants to know which span the
  /// code is in has to look into the process's row.
  @inlinable
  package var hasLooseSpans: Bool { looseSpans.load(ordering: .relaxed) > 0 }

  /// The task that the calling code is in, by its address; 0 for the process's own, and where it makes no
  /// difference: no span is open that no task-local tells of.
  package var otherTask: UInt {
    guard hasLooseSpans else { return 0 }
    let task = currentTaskAddress
    return task == ownTask.load(ordering: .relaxed) ? 0 : task
  }

  package func countLooseSpan(_ change: Int) {
    node.fences.askSenders()
    looseSpans.wrappingAdd(change, ordering: .relaxed)
  }

  /// The process that the caller runs as; nil outside any.
  @inlinable
  package static var current: ProcessCore? { Ambient.current?.process }
}
