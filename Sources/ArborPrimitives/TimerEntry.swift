/// A deadline that waits in a ``TimerWheel``; subclasses say what happens at it.
///
/// `open` because a package class may not be subclassed by another target; this target is no
/// product, so it goes no further than the package. One object holds the deadline, the links and
/// what to do, so that adding and cancelling a timer allocates nothing.
open class TimerEntry: @unchecked Sendable {
  // Unchecked, for exclusive access too: the fields below are guarded by the lock of the clock that
  // holds the wheel; a subclass answers for its own.

  /// When it is due, as it was last scheduled, in nanoseconds of its clock.
  @exclusivity(unchecked) final var deadline: UInt64 = 0

  /// Which of the wheel's additions it was: entries of one deadline fire in this order.
  @exclusivity(unchecked) final var sequence: UInt64 = 0

  // Its neighbours in the slot's list. Not strong: the wheel holds one reference to each entry that
  // waits, and a chain of strong links would be let go recursively.
  @exclusivity(unchecked) final var next: Unmanaged<TimerEntry>?
  @exclusivity(unchecked) final var previous: Unmanaged<TimerEntry>?

  /// The slot that it waits in, or `TimerEntry.nowhere`.
  @exclusivity(unchecked) final var slot: Int32 = TimerEntry.nowhere

  static let nowhere: Int32 = -1

  public init() {}

  /// What happens at the deadline. Runs without any lock held.
  open func fire() {}
}
