import ArborPrimitives

/// A node's own threads: its scheduler unless it is given another.
///
///     let pool = WorkStealingPool()
///     pool.enqueue(runnable)
///
/// Each worker thread has three places to look for its next runnable, in this order:
/// - its slot: what it enqueued last itself. Two processes that send to each other stay on one
///   worker that way, wake nobody, and find each other's data in its caches.
/// - its queue: what stood in the slot before, and what has used up its budget.
/// - the common queue, which threads from outside the pool fill.
///
/// Then it takes half of another worker's queue; then it sleeps. A sleeping worker is woken when a
/// queue (not a slot) gets work and nobody is on the look-out for some already, so that work
/// spreads and yet a message costs no wake-up.
///
/// Nothing waits behind a worker that blocks: a monitor thread, which sleeps itself while all
/// workers do, gives what a stuck worker has queued to the others, and starts a spare worker when
/// all are stuck.
package final class WorkStealingPool: Scheduler {
  package let budget: Int
  // Apart, so that the threads keep this alive and not the pool: a pool that nobody holds any more
  // shuts down.
  let core: PoolCore

  /// - Parameters:
  ///   - workers: how many runnables run at a time; threads start when there is work for them.
  ///   - spares: how many threads may come on top while workers are stuck.
  ///   - budget: how many jobs a process may run before it goes to the back of the queue.
  package convenience init(
    workers: Int = SystemThread.processorCount, spares: Int = 64, budget: Int = 64
  ) {
    var tuning = PoolTuning(budget: budget)
    // There is nobody to whom a monitor could give what stands behind a stuck worker.
    if workers + spares <= 1 { tuning.monitorInterval = nil }
    self.init(workers: workers, spares: spares, tuning: tuning)
  }

  init(workers: Int, spares: Int, tuning: PoolTuning) {
    budget = tuning.budget
    core = PoolCore(workers: max(1, workers), spares: max(0, spares), tuning: tuning)
  }

  deinit { core.shutdown() }

  package func enqueue(_ runnable: Runnable) {
    core.enqueue(runnable)
  }

  package var mayAnswerInPlace: Bool { true }

  package func shutdown() { core.shutdown() }

  /// Shuts down, and calls `ended` when the last worker thread has nothing left to do.
  package func shutdown(_ ended: @escaping @Sendable () -> Void) {
    core.callWhenEnded(ended)
    core.shutdown()
  }

  /// How many worker threads there are at the moment, asleep or not, spares included.
  package var threadCount: Int { core.threadCount }
}
