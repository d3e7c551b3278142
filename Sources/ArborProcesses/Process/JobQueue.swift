import ArborPrimitives
import Synchronization

/// The jobs that wait for their turn on a process.
///
/// Mostly that is one, the job of the process's own task. Then all of it is one word, which whoever brings
/// the job changes in one step, and whoever runs it in two. What comes while that one waits stands in a
/// crowd behind it, under a lock.
package struct JobQueue: ~Copyable, Sendable {
  package struct Entry: Sendable {
    package let job: UnownedJob
    /// True if the job runs as the process's actor, false if only on its thread: told otherwise, the
    /// Swift runtime would move it to where it should be, at the price of another turn.
    package let isIsolated: Bool

    package init(job: UnownedJob, isIsolated: Bool) {
      self.job = job
      self.isIsolated = isIsolated
    }
  }

  /// What the word says, beside the address of the first job. A job is aligned to 16 bytes.
  private enum Mark {
    /// The process stands in the scheduler's queue or runs: it is not to be enqueued.
    static var scheduled: UInt { 1 }
    /// One of the jobs runs.
    static var running: UInt { 2 }
    /// The job that the word tells of is isolated.
    static var isolated: UInt { 4 }
    /// There is a crowd: what comes goes behind it.
    static var crowd: UInt { 8 }
    static var address: UInt { ~15 }
  }

  private let word = Atomic<UInt>(0)
  /// Set by a task that gives up its turn: the scheduler is asked for others first.
  private let hasYielded = Atomic(false)
  private let crowd = Lock<JobCrowd?>(nil)

  package init() {}

  /// - Returns: true if the process is to be enqueued.
  package func append(_ entry: Entry) -> Bool {
    let added =
      unsafeBitCast(entry.job, to: UInt.self) | Mark.scheduled
      | (entry.isIsolated ? Mark.isolated : 0)
    var now = word.load(ordering: .relaxed)
    while now & (Mark.address | Mark.crowd) == 0 {
      let (isAdded, other) = word.compareExchange(
        expected: now, desired: now | added, ordering: .acquiringAndReleasing)
      if isAdded { return now & Mark.scheduled == 0 }
      now = other
    }
    return appendToCrowd(entry)
  }

  // By now the one before it may have run, and the process be idle.
  @inline(never)
  private func appendToCrowd(_ entry: Entry) -> Bool {
    crowd.withLock { crowd in
      let some = crowd ?? JobCrowd()
      crowd = some
      some.append(entry)
      let (before, _) = word.bitwiseOr(
        Mark.crowd | Mark.scheduled, ordering: .acquiringAndReleasing)
      return before & Mark.scheduled == 0
    }
  }

  /// What a turn does after one of its jobs.
  package enum Step: Sendable {
    case run(Entry)
    case giveUp, idle
  }

  /// The next step of the turn; for who runs the process.
  package func step(left: Int) -> Step {
    var now = word.load(ordering: .acquiring)
    while true {
      let isEmpty = now & (Mark.address | Mark.crowd) == 0
      if !isEmpty {
        if left <= 0 || hasYielded.load(ordering: .relaxed) { return giveUp() }
        if now & Mark.address == 0 { return .run(takeFromCrowd()) }
      }
      // A yield that nothing came after is over with the turn.
      if isEmpty, hasYielded.load(ordering: .relaxed) {
        hasYielded.store(false, ordering: .relaxed)
      }
      let (isDone, other) = word.compareExchange(
        expected: now,
        desired: isEmpty ? 0 : now & (Mark.scheduled | Mark.crowd) | Mark.running,
        ordering: .acquiringAndReleasing)
      if isDone { break }
      now = other
    }
    if now & Mark.address == 0 { return .idle }
    let job = unsafeBitCast(now & Mark.address, to: UnownedJob.self)
    return .run(Entry(job: job, isIsolated: now & Mark.isolated != 0))
  }

  private func giveUp() -> Step {
    hasYielded.store(false, ordering: .relaxed)
    word.bitwiseAnd(~Mark.running, ordering: .relaxed)
    return .giveUp
  }

  @inline(never)
  private func takeFromCrowd() -> Entry {
    crowd.withLock { crowd in
      guard let some = crowd else { fatalError("a crowd is said to be there, and is not") }
      let first = some.removeFirst()
      if some.isEmpty { word.bitwiseAnd(~Mark.crowd, ordering: .releasing) }
      word.bitwiseOr(Mark.running, ordering: .relaxed)
      return first
    }
  }

  /// The running task gives up its turn.
  func yield() { hasYielded.store(true, ordering: .relaxed) }

  /// Gives back the room of a crowd that is gone.
  func trim() { crowd.withLock { if $0?.isEmpty == true { $0 = nil } } }

  /// True while one of the jobs runs.
  package var isRunning: Bool { word.load(ordering: .relaxed) & Mark.running != 0 }
  /// True if there is nothing to run.
  package var isIdle: Bool { word.load(ordering: .relaxed) & Mark.scheduled == 0 }
}

/// The jobs that have come while one waits, in their order.
final class JobCrowd {
  private var entries: [JobQueue.Entry] = []
  private var head = 0

  var isEmpty: Bool { head == entries.count }

  func append(_ entry: JobQueue.Entry) { entries.append(entry) }

  func removeFirst() -> JobQueue.Entry {
    let first = entries[head]
    head += 1
    if isEmpty {
      entries.removeAll(keepingCapacity: entries.capacity <= 64)
      head = 0
    } else if head >= 64, head * 2 >= entries.count {
      // One that is never gone would only grow.
      entries.removeSubrange(..<head)
      head = 0
    }
    return first
  }
}
