package import ArborPrimitives
import Synchronization

/// What ends a wait from outside, other than what is waited for.
package enum Interruption: Sendable {
  case timeout
  /// An exit signal arrived at the waiting process.
  case exiting
  /// The waiting task was cancelled.
  case cancelled
}

/// One suspended task, resumed exactly once: by what it waits for, or by an interruption.
///
/// Being a timer entry as well, a wait with a deadline needs no second object.
package class Wait: TimerEntry, @unchecked Sendable {
  // Unchecked: `phase` decides who may touch what a subclass adds: before `arm` its maker, after
  // it the one whose `claim` said true.
  private enum Phase: UInt8, AtomicRepresentable { case new, armed, claimed }
  private let phase = Atomic(Phase.new)

  /// Says that the continuation is in place.
  ///
  /// - Returns: false if the wait was ended before it began; then the caller resumes it.
  package final func arm() -> Bool {
    phase.compareExchange(
      expected: .new, desired: .armed, ordering: .acquiringAndReleasing
    ).exchanged
  }

  /// Asks to be the one that ends the wait.
  ///
  /// - Returns: true if the caller is, and must resume it. If nothing was armed yet, nobody is told
  ///   so: `arm` says it to the one who waits.
  package final func claim() -> Bool {
    phase.exchange(.claimed, ordering: .acquiringAndReleasing) == .armed
  }

  /// True while somebody waits: armed, and not yet ended.
  package final var isArmed: Bool { phase.load(ordering: .acquiring) == .armed }

  package func interrupt(_ interruption: Interruption) {}

  override package final func fire() { interrupt(.timeout) }
}

/// A wait for nothing but its deadline.
package final class SleepWait: Wait, @unchecked Sendable {
  // Unchecked: as `Wait`.
  private var continuation: UnsafeContinuation<Interruption, Never>?

  package func begin(_ continuation: UnsafeContinuation<Interruption, Never>) -> Bool {
    self.continuation = continuation
    return arm()
  }

  override package func interrupt(_ interruption: Interruption) {
    if claim() { continuation?.resume(returning: interruption) }
  }
}
