import Synchronization

/// Something a scheduler can give a turn to: a process with jobs to run, or one loose job.
///
/// A class, so that a queue of them is a queue of single words. Whoever enqueues a runnable hands
/// over one reference; the scheduler gives it back by calling `run` once for each enqueue. A
/// runnable never stands in a scheduler's queues twice at the same time.
@usableFromInline
package class Runnable: @unchecked Sendable {
  // Unchecked because a class that is not final cannot prove it; its own state is an atomic.

  /// How soon it gets its turns; read at each enqueue.
  package final var priority: ProcessPriority {
    get { ProcessPriority(rawValue: priorityValue.load(ordering: .relaxed)) ?? .normal }
    set { priorityValue.store(newValue.rawValue, ordering: .relaxed) }
  }
  private final let priorityValue = Atomic(ProcessPriority.normal.rawValue)

  /// Runs at most `budget` jobs on the calling thread.
  ///
  /// - Returns: true if jobs are left: the scheduler then enqueues it again, behind the others.
  package func run(budget: Int) -> Bool { false }

  package init() {}
}

/// One job of a task that is not a process's own: a child task, or a default actor under a
/// process's task executor preference.
///
/// It carries the executor that the job was meant for: without it the Swift runtime would take
/// the job to be elsewhere than it is, and schedule it a second time.
package final class LooseJob: Runnable, @unchecked Sendable {
  // Unchecked: both are written once, and a job may be run on any thread, once.
  package let job: UnownedJob
  private let executor: UnownedTaskExecutor
  private let keepAlive: AnyObject

  package init(_ job: UnownedJob, for executor: UnownedTaskExecutor, keepAlive: AnyObject) {
    self.job = job
    self.executor = executor
    self.keepAlive = keepAlive
  }

  override package func run(budget: Int) -> Bool {
    job.runSynchronously(on: executor)
    return false
  }
}
