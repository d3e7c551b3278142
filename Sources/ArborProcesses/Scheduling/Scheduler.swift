/// Where a node's processes run: the one place that decides who runs next, and on which thread.
///
/// There are three: ``WorkStealingPool`` (the default), ``GlobalPool`` (Swift's own), and the test
/// kit's seeded one, which replays an order of events from a number.
package protocol Scheduler: AnyObject, Sendable {
  /// Takes a runnable that is ready. From any thread; never blocks on user code.
  func enqueue(_ runnable: Runnable)

  /// How many jobs a process may run before it goes to the back of the queue.
  var budget: Int { get }

  /// Whether a server may answer on its caller's stack, out of the scheduler's order.
  var mayAnswerInPlace: Bool { get }

  /// Ends the scheduler's threads once nothing is queued. Later runnables are still run, by the
  /// global pool, so that what straggles never hangs.
  func shutdown()
}

extension Scheduler {
  package var mayAnswerInPlace: Bool { false }
}
