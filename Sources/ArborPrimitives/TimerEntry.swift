/// A deadline that waits in a ``TimerWheel``; subclasses say what happens at it.
///
/// The links belong to the wheel that it waits in and are read and written under that wheel's
/// lock only. `open` because a package class may not be subclassed by another target; this target is
/// no product, so it goes no further than the package. One object for both, so that adding and cancelling a timer allocates nothing.
open class TimerEntry: @unchecked Sendable {
  // Unchecked: the fields below are guarded by the lock of the clock that holds the wheel; a
  // subclass answers for its own.
  public init() {}

  /// What happens at the deadline. Runs without any lock held.
  open func fire() {}
}
