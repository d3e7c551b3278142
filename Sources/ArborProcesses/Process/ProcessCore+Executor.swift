import ArborPrimitives
import Synchronization

/// The jobs that wait for their turn on a process.
struct JobQueue: Sendable {
  struct Entry: Sendable {
    let job: UnownedJob
    /// True if the job runs as the process's actor, false if only on its thread: told otherwise, the
    /// Swift runtime would move it to where it should be, at the price of another turn.
    let isIsolated: Bool
  }

  // A process mostly has one job, that of its own task: that one needs no array.
  private var first: Entry?
  private var rest: [Entry] = []
  private var restHead = 0
  /// True while the process stands in the scheduler's queue or runs: it is not to be enqueued.
  var isScheduled = false
  /// True while one of the jobs runs.
  private(set) var isRunning = false
  /// Set by a task that gives up its turn: the scheduler is asked for others first.
  var hasYielded = false

  var isEmpty: Bool { first == nil }

  /// - Returns: true if the process is to be enqueued.
  mutating func append(_ job: Entry) -> Bool {
    if first == nil { first = job } else { rest.append(job) }
    defer { isScheduled = true }
    return !isScheduled
  }

  mutating func popFirst() -> Entry? {
    guard let job = first else { return nil }
    if restHead < rest.count {
      first = rest[restHead]
      restHead += 1
      if restHead == rest.count {
        rest.removeAll(keepingCapacity: rest.capacity <= 64)
        restHead = 0
      }
    } else {
      first = nil
    }
    return job
  }

  /// Gives back the room of a burst that is over.
  mutating func trim() {
    if restHead == rest.count { (rest, restHead) = ([], 0) }
  }

  /// What a turn does after one of its jobs.
  enum Step {
    case run(Entry)
    case giveUp, idle
  }

  mutating func step(left: Int) -> Step {
    isRunning = false
    if isEmpty {
      isScheduled = false
      hasYielded = false
      return .idle
    }
    if left <= 0 || hasYielded {
      hasYielded = false
      return .giveUp
    }
    isRunning = true
    return popFirst().map(Step.run) ?? .idle
  }
}

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
    if jobs.withLock({ $0.append(entry) }) { node.enqueue(self) }
  }

  /// One turn: jobs in order, until there is none, the budget is used up, or the task yields.
  func drain(budget: Int) -> Bool {
    var left = budget
    while true {
      switch jobs.withLock({ [left] in $0.step(left: left) }) {
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
    await withUnsafeContinuation { (continuation: UnsafeContinuation<Void, Never>) in
      jobs.withLock { $0.hasYielded = true }
      continuation.resume()
    }
  }
}

/// The address of the running task, 0 outside any. It is compared, never followed.
var currentTaskAddress: UInt {
  // The optional as a whole: to unwrap it first takes twice as long.
  withUnsafeCurrentTask { unsafeBitCast($0, to: UInt.self) }
}
