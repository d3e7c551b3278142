import ArborPrimitives
import Synchronization

extension PoolWorker {
  /// The life of the worker's thread. It begins as one who searches: the roster has it so.
  func run() {
    core.setCurrentWorker(self)
    defer {
      core.setCurrentWorker(nil)
      core.leave(self)
    }
    var found = findOrSleep(isSearching: true)
    while let word = found {
      takeTurn(word)
      found = next() ?? findOrSleep(isSearching: core.beginSearch(self))
    }
  }

  private func takeTurn(_ word: UInt) {
    turn.store(turn.load(ordering: .relaxed) &+ 1, ordering: .relaxed)
    guard let pointer = UnsafeRawPointer(bitPattern: word) else { return }
    let runnable = Unmanaged<Runnable>.fromOpaque(pointer)
    let budget = core.tuning.budget
    guard runnable._withUnsafeGuaranteedRef({ $0.run(budget: budget) }) else {
      runnable.release()
      return
    }
    let priority = runnable._withUnsafeGuaranteedRef { $0.priority }
    guard priority == .normal else { return core.inject([word], priority) }
    // Alone it is this worker's next turn; else there is something for somebody else.
    let isAlone = queue.isEmpty && slot.load(ordering: .relaxed) == 0
    append(word)
    if !isAlone { core.wakeIfNeeded() }
  }

  /// The next runnable out of its slot, its queue or the common queue.
  private func next() -> UInt? {
    if core.highCount.load(ordering: .relaxed) > 0, highStreak < PoolWorker.highStreakLimit,
      let word = core.takeHigh()
    {
      highStreak += 1
      return word
    }
    highStreak = 0
    turnsToCommonQueue -= 1
    if turnsToCommonQueue <= 0 {
      turnsToCommonQueue = PoolWorker.commonQueueInterval
      if let word = core.takeInjected() { return word }
    }
    if slotStreak >= PoolWorker.slotStreakLimit {
      slotStreak = 0
      yieldSlot()
    }
    if slot.load(ordering: .relaxed) != 0 {
      let word = slot.exchange(0, ordering: .acquiringAndReleasing)
      if word != 0 {
        slotStreak += 1
        return word
      }
    }
    slotStreak = 0
    return queue.pop() ?? core.takeInjected(into: self)
  }

  /// What stands in the slot goes behind the others, if there are any.
  private func yieldSlot() {
    if queue.isEmpty {
      guard let injected = core.takeInjected() else { return }
      append(injected)
    }
    let word = slot.exchange(0, ordering: .acquiringAndReleasing)
    guard word != 0 else { return }
    append(word)
    core.wakeIfNeeded()
  }

  /// Looks for work elsewhere, and sleeps while there is none.
  ///
  /// - Returns: nil if the thread is to end.
  private func findOrSleep(isSearching: Bool) -> UInt? {
    var isSearching = isSearching
    while true {
      if isSearching, let word = search() ?? lookOut() {
        core.foundWork(self)
        return word
      }
      if !sleep() { return nil }
      isSearching = true
    }
  }

  private func search() -> UInt? {
    if let word = core.takeInjected(into: self) { return word }
    return core.steal(for: self)
  }

  /// Goes on looking for a moment, if that has paid lately: a task of another pool that calls one
  /// server after the other comes back sooner than this thread could be put to sleep and woken.
  private func lookOut() -> UInt? {
    guard lookout.isWorthwhile, !core.isSpare(self) else { return nil }
    let hasCome = SystemTime.lookOut(for: Lookout.length) { core.hasVisibleWork }
    lookout.ended(successfully: hasCome)
    return hasCome ? search() : nil
  }

  /// Sleeps until there is work.
  ///
  /// - Returns: false if the thread is to end, true if it is to search: the roster has it so.
  private func sleep() -> Bool {
    spareWait = nil
    if core.fallAsleep(self) {
      // Nobody searches any more: what came while somebody did is ours to see.
      if core.hasVisibleWork {
        if core.stayAwake(self) { return true }
      } else {
        core.endIfDone()
      }
    }
    guard core.isSpare(self) else {
      let start = SystemTime.monotonic()
      parker.park()
      lookout.slept(SystemTime.monotonic() &- start)
      return !core.hasEnded
    }
    if !parker.park(until: SystemTime.monotonic() + core.tuning.spareLifetime) {
      if core.retire(self) { return false }
      // Somebody has decided to wake it just now.
      parker.park()
    }
    return !core.hasEnded
  }
}
