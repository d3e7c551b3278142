public import Synchronization

/// Tells at the cost of one load that no code is running as a fenced process.
///
/// Who writes a table is asked for its process, and that for its fence, some 30 ns. But hardly ever
/// is there code that the answer stops: a handler that has not yet heard that it was killed, a
/// `Task {}` that outlives its process. The gauge counts the processes of which there may be
/// such code, so that while there is none nobody needs to ask. It counts those too whose replies are
/// looked at, by way of `Sys`: who replies asks it likewise.
@usableFromInline
package struct FenceGauge: @unchecked Sendable {
  // Unchecked: what the pointer leads to is an atomic that is never freed.
  @usableFromInline let count: UnsafeMutablePointer<Atomic<Int>>

  /// The gauge of all nodes: a task's process may be of another node than what it writes to.
  @usableFromInline package static let shared = FenceGauge()

  package init() {
    // A cache line of its own: it is read all the time.
    let memory = UnsafeMutableRawPointer.allocate(byteCount: 128, alignment: 128)
    count = memory.bindMemory(to: Atomic<Int>.self, capacity: 1)
    count.initialize(to: Atomic(0))
  }

  /// True if code may be running as a process that is fenced.
  @inlinable
  package var isRaised: Bool {
    count.pointee.load(ordering: .acquiring) & ~Self.senderBit != 0
  }

  /// True if it makes no difference where a message is sent from: no process is fenced, none has ever been
  /// watched, and there has never been a span for a message to carry. Then a sender need not ask where it
  /// is, which is a tenth of a cast.
  @inlinable
  package var isQuiet: Bool { count.pointee.load(ordering: .acquiring) == 0 }

  /// Beside the count, set for good by what makes a difference.
  @usableFromInline static var senderBit: Int { 1 << 62 }

  /// From now on every sender is asked where it is.
  @inline(__always) func askSenders() {
    if count.pointee.load(ordering: .relaxed) & Self.senderBit == 0 {
      count.pointee.bitwiseOr(Self.senderBit, ordering: .acquiringAndReleasing)
    }
  }

  func raise() { count.pointee.wrappingAdd(1, ordering: .acquiringAndReleasing) }
  func lower() { count.pointee.wrappingSubtract(1, ordering: .acquiringAndReleasing) }
}

/// How many ambients there are of one process, and whether the process is fenced: what decides
/// whether it counts in the ``FenceGauge``.
///
/// Code runs as a process where an ambient of it is bound, and whatever inherits the binding, keeps
/// the ambient. So when the last one is gone nobody is left.
package struct Presence: ~Copyable, Sendable {
  /// Twice the number of ambients, and one more when fenced.
  private let word = Atomic(0)

  package init() {}

  package func enter(_ gauge: @autoclosure () -> FenceGauge = .shared) {
    // Raised after the count, but before any code can run in the new ambient.
    if word.wrappingAdd(2, ordering: .acquiringAndReleasing).oldValue == 1 { gauge().raise() }
  }

  package func leave(_ gauge: @autoclosure () -> FenceGauge = .shared) {
    if word.wrappingSubtract(2, ordering: .acquiringAndReleasing).oldValue == 3 { gauge().lower() }
  }

  /// Called once, before anybody can see that the process is fenced.
  package func fence(_ gauge: FenceGauge = .shared) {
    gauge.raise()
    let (old, _) = word.bitwiseOr(1, ordering: .acquiringAndReleasing)
    if old == 0 { gauge.lower() }
  }
}
