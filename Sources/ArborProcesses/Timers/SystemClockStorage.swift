import ArborPrimitives
import Synchronization

/// The lock and the thread of a ``SystemClock``.
final class SystemClockStorage: Sendable {
  private let queue: Lock<TimerQueue>
  private let sleep = Parker()
  /// Set before `shutdown` returns, so that the rest of a batch that is due stays unfired.
  private let isStopped = Atomic(false)

  init() { queue = Lock(TimerQueue(startingAt: SystemTime.monotonic())) }

  func schedule(_ entry: TimerEntry, at deadline: UInt64) {
    switch queue.withLock({ $0.schedule(entry, at: deadline) }) {
    case .nothing: break
    case .wakeThread: sleep.unpark()
    case .startThread:
      let started = SystemThread.start(named: "arbor-clock") { [self] in runThread() }
      precondition(started, "The system has no thread to give: no timer of this node could fire.")
    }
  }

  func cancel(_ entry: TimerEntry) -> UInt64? {
    queue.withLock { $0.cancel(entry) }
  }

  func deadline(of entry: TimerEntry) -> UInt64? {
    queue.withLock { $0.deadline(of: entry) }
  }

  func shutdown() {
    isStopped.store(true, ordering: .releasing)
    let (action, abandoned) = queue.withLock { $0.stop() }
    if action == .wakeThread { sleep.unpark() }
    // Let go here, where no lock is held.
    _ = consume abandoned
  }

  private func runThread() {
    var due: [TimerEntry] = []
    while true {
      let now = SystemTime.monotonic()
      switch queue.withLock({ $0.step(at: now, into: &due) }) {
      case .end: return
      case .sleep(let deadline): sleep.park(until: deadline)
      case .fireDue:
        for entry in due {
          if isStopped.load(ordering: .acquiring) { break }
          entry.fire()
        }
        due.removeAll(keepingCapacity: due.count <= 1024)
      }
    }
  }
}
