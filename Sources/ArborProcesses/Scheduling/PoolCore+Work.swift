import ArborPrimitives
import Synchronization

/// The common queue, and stealing.
extension PoolCore {
  /// Takes a runnable from any thread.
  func enqueue(_ runnable: Runnable) {
    if let worker = currentWorker() {
      worker._withUnsafeGuaranteedRef { $0.enqueue(runnable) }
    } else {
      inject(runnable)
    }
  }

  /// Takes a runnable from a thread that is none of the pool's.
  func inject(_ runnable: Runnable) {
    let priority = runnable.priority
    let word = UInt(bitPattern: Unmanaged.passRetained(runnable).toOpaque())
    let isAccepted = common.withLock { common in
      guard !common.isClosed else { return false }
      common.append(word, priority)
      noteCounts(common)
      return true
    }
    if isAccepted {
      wakeIfNeeded()
    } else {
      fallback.enqueue(runnable)
      Unmanaged.passUnretained(runnable).release()
    }
  }

  /// Takes what one of the pool's own threads has too much of; also while the pool is stopping.
  func inject(_ words: [UInt], _ priority: ProcessPriority = .normal) {
    common.withLock { common in
      for word in words { common.append(word, priority) }
      noteCounts(common)
    }
    wakeIfNeeded()
  }

  /// Moves what a stuck worker has queued to the common queue. Called by the monitor.
  func rescue(from worker: PoolWorker) {
    var words: [UInt] = []
    while words.count < StealableQueue.capacity, let word = worker.queue.stealOne() {
      words.append(word)
    }
    let last = worker.slot.exchange(0, ordering: .acquiringAndReleasing)
    if last != 0 { words.append(last) }
    guard !words.isEmpty else { return }
    inject(words)
    // While they were to be seen nowhere the worker may have got on, and all may have found that
    // the pool is done.
    if isOver { passOnInjected() }
  }

  private func passOnInjected() {
    while let word = takeInjected(), let pointer = UnsafeRawPointer(bitPattern: word) {
      fallback.enqueue(Unmanaged<Runnable>.fromOpaque(pointer).takeRetainedValue())
    }
  }

  /// The oldest runnable of the common queue.
  func takeInjected() -> UInt? {
    guard commonCount.load(ordering: .sequentiallyConsistent) > 0 else { return nil }
    return common.withLock { common in
      defer { noteCounts(common) }
      return common.popFirst()
    }
  }

  /// The oldest runnable of high priority.
  func takeHigh() -> UInt? {
    common.withLock { common in
      defer { noteCounts(common) }
      return common.popHigh()
    }
  }

  private func noteCounts(_ common: borrowing CommonQueue) {
    commonCount.store(common.count, ordering: .sequentiallyConsistent)
    let high = common.highCount
    if highCount.load(ordering: .relaxed) != high { highCount.store(high, ordering: .relaxed) }
  }

  /// The oldest runnable of the common queue; the worker's queue, which must be empty, gets its share
  /// of the others, so that the lock is not taken for each.
  func takeInjected(into worker: PoolWorker) -> UInt? {
    guard commonCount.load(ordering: .sequentiallyConsistent) > 0 else { return nil }
    worker.turnsToCommonQueue = PoolWorker.commonQueueInterval
    return common.withLock { common in
      // No more than the worker runs before it looks here again: what comes from one thread is to
      // be run in its order where that costs nothing.
      let share = min(
        common.normalCount / max(1, workersEnd.load(ordering: .relaxed)),
        PoolWorker.commonQueueInterval - 1)
      let first = common.popFirst()
      _ = worker.queue.append(upTo: share - 1) { common.popNormal() }
      // Only now: whoever looks here first and there afterwards sees all of it, on its way too.
      noteCounts(common)
      return first
    }
  }

  /// Half of the queue of some other worker.
  func steal(for thief: PoolWorker) -> UInt? {
    let end = workersEnd.load(ordering: .acquiring)
    thief.random = thief.random &* 6_364_136_223_846_793_005 &+ 1_442_695_040_888_963_407
    let start = Int(thief.random >> 33) % end
    for offset in 0..<end {
      let index = (start + offset) % end
      guard index != thief.index, let victim = worker(index) else { continue }
      if let word = victim._withUnsafeGuaranteedRef({ $0.queue.steal(into: thief.queue) }) {
        return word
      }
    }
    return nil
  }

  /// Whether any queue has something, the slots not counted.
  var hasVisibleWork: Bool {
    if commonCount.load(ordering: .sequentiallyConsistent) > 0 { return true }
    for index in 0..<workersEnd.load(ordering: .sequentiallyConsistent) {
      if let worker = worker(index), !worker._withUnsafeGuaranteedRef({ $0.queue.isEmpty }) {
        return true
      }
    }
    return false
  }
}
