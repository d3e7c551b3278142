/// Swift's own global executor as a node's scheduler: no threads of Arbor's, and no order of its own.
///
/// A hop through it costs more than through a ``WorkStealingPool``; it is there for programs that
/// want one pool for everything, and for what is enqueued after a pool has shut down.
package final class GlobalPool: Scheduler {
  package let budget: Int

  package var mayAnswerInPlace: Bool { true }

  package init(budget: Int = 64) { self.budget = budget }

  package func enqueue(_ runnable: Runnable) {
    Task.detached { [budget] in
      while runnable.run(budget: budget) { await Task.yield() }
    }
  }

  /// Does nothing: there are no threads to end.
  package func shutdown() {}
}
