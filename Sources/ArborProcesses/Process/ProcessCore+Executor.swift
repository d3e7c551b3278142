import ArborPrimitives
import Synchronization

extension ProcessCore: SerialExecutor, TaskExecutor {
  // Two entries for one method: a job of the process's actor must run here, whosever task it is
  // of; a job that only prefers this process (a child task, a default actor called from here) is
  // passed on to the pool, so that `async let` runs beside its parent. The two protocols spell the
  // method alike, hence the attribute; what else was tried is in Guides/Decisions.

  @usableFromInline
  @_implements(SerialExecutor,enqueue(_:))
  package func enqueueOnActor(_ job: consuming ExecutorJob) {
    append(JobQueue.Entry(job: UnownedJob(job), isIsolated: true))
  }

  @usableFromInline
  @_implements(TaskExecutor,enqueue(_:))
  package func enqueuePreferring(_ job: consuming ExecutorJob) {
    let job = UnownedJob(job)
    if isOwn(job) {
      append(JobQueue.Entry(job: job, isIsolated: runsAsActor))
    } else {
      let loose = LooseJob(job, for: asUnownedTaskExecutor(), keepAlive: self)
      node.scheduler.enqueue(loose)
    }
  }

  @usableFromInline
  package func enqueue(_ job: consuming ExecutorJob) {
    append(JobQueue.Entry(job: UnownedJob(job), isIsolated: true))
  }

  // Both spelt out, because the protocols' own are generic, and not specialised for this class.
  @usableFromInline
  package func asUnownedSerialExecutor() -> UnownedSerialExecutor {
    UnownedSerialExecutor(ordinary: self)
  }

  @usableFromInline
  package func asUnownedTaskExecutor() -> UnownedTaskExecutor {
    UnownedTaskExecutor(ordinary: self)
  }

  /// True if the job is of the process's own task. The first job that a new process sees is.
  private func isOwn(_ job: UnownedJob) -> Bool {
    // A task's job is the task: the two have one address.
    let address = unsafeBitCast(job, to: UInt.self)
    let own = ownTask.load(ordering: .relaxed)
    if own == address { return true }
    return own == 0
      && ownTask.compareExchange(expected: 0, desired: address, ordering: .relaxed).exchanged
  }

  func append(_ entry: JobQueue.Entry) {
    if jobs.append(entry) { node.enqueue(self) }
  }

  /// One turn: jobs in order, until there is none, the budget is used up, or the task yields.
  func drain(budget: Int) -> Bool {
    var left = budget
    while true {
      switch jobs.step(left: left) {
      case .run(let entry):
        if entry.isIsolated {
          entry.job.runSynchronously(
            isolatedTo: asUnownedSerialExecutor(), taskExecutor: asUnownedTaskExecutor())
        } else {
          entry.job.runSynchronously(on: asUnownedTaskExecutor())
        }
        left -= 1
      case .giveUp: return true
      case .idle: return false
      }
    }
  }

  /// True in the process's own task: false in child tasks, in `Task {}` and outside.
  @usableFromInline
  package var isOwnTask: Bool {
    let own = ownTask.load(ordering: .relaxed)
    return own != 0 && own == currentTaskAddress
  }

  /// Lets the other processes have a turn before this one goes on.
  @usableFromInline
  package func yieldTurn() async {
    jobs.yield()
    intent = .turn
    await parking.park()
  }
}

/// The address of the running task, 0 outside any. It is compared, never followed.
var currentTaskAddress: UInt {
  // The optional as a whole: to unwrap it first takes twice as long.
  withUnsafeCurrentTask { unsafeBitCast($0, to: UInt.self) }
}
