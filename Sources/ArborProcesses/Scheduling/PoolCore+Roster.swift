import ArborPrimitives
import Synchronization

/// Asks the roster under its lock, and does what it answers.
extension PoolCore {
  private func ask<Answer: Sendable>(_ question: (inout PoolRoster) -> Answer) -> Answer {
    roster.withLock { roster in
      let answer = question(&roster)
      wantsWake.store(roster.wantsWake, ordering: .sequentiallyConsistent)
      return answer
    }
  }

  /// Called after work has been made visible in a queue.
  func wakeIfNeeded() {
    guard wantsWake.load(ordering: .sequentiallyConsistent) else { return }
    perform(ask { $0.workArrived() })
  }

  func spareNeeded() { perform(ask { $0.spareNeeded() }) }

  private func perform(_ actions: PoolRoster.Actions) {
    switch actions.worker {
    case .nobody: break
    case .wake(let index): unpark(index)
    case .start(let index): start(index)
    }
    switch actions.monitor {
    case .leave: break
    case .wake: monitorParker.unpark()
    case .start: startMonitor()
    }
  }

  private func unpark(_ index: Int) {
    worker(index)?._withUnsafeGuaranteedRef { $0.parker.unpark() }
  }

  private func start(_ index: Int) {
    let worker = worker(index)?.takeUnretainedValue() ?? hire(index)
    let started = SystemThread.start(named: "arbor-\(index)") { [self] in
      withExtendedLifetime(self) { worker.run() }
    }
    guard !started else { return }
    guard let instead = ask({ $0.startFailed(index) }) else {
      preconditionFailure("The system has no thread to give: nothing could run.")
    }
    perform(instead)
  }

  private func startMonitor() {
    guard let interval = tuning.monitorInterval else { return }
    let started = SystemThread.start(named: "arbor-monitor", stackSize: 256 << 10) { [self] in
      PoolMonitor(self, interval: interval).run()
    }
    if !started { ask { $0.monitorStartFailed() } }
  }

  /// Only who has been told to start this worker comes here, so nobody else makes the same.
  private func hire(_ index: Int) -> PoolWorker {
    let worker = PoolWorker(index: index, core: self)
    workers[index].store(
      UInt(bitPattern: Unmanaged.passRetained(worker).toOpaque()), ordering: .releasing)
    workersEnd.max(index + 1, ordering: .sequentiallyConsistent)
    return worker
  }

  // MARK: What a worker says of itself

  func beginSearch(_ worker: PoolWorker) -> Bool { ask { $0.beginSearch(worker.index) } }

  func foundWork(_ worker: PoolWorker) {
    if ask({ $0.foundWork(worker.index) }), hasVisibleWork { wakeIfNeeded() }
  }

  func fallAsleep(_ worker: PoolWorker) -> Bool { ask { $0.fallAsleep(worker.index) } }

  func stayAwake(_ worker: PoolWorker) -> Bool { ask { $0.stayAwake(worker.index) } }

  func retire(_ worker: PoolWorker) -> Bool { ask { $0.retire(worker.index) } }

  func isSpare(_ worker: PoolWorker) -> Bool { worker.index >= regulars }

  // MARK: What the monitor asks

  var standings: [PoolRoster.Standing] { ask { $0.standings } }

  func restMonitor() -> Bool { ask { $0.restMonitor() } }

  // MARK: The end

  /// Whether the threads are to end, for those threads.
  var hasEnded: Bool { ended.load(ordering: .acquiring) }

  /// Whether it has been decided that they are to.
  var isOver: Bool { ask { $0.hasEnded } }

  var threadCount: Int { ask { $0.present } }

  func shutdown() {
    let hasQueued = common.withLock { common in
      common.isClosed = true
      return !common.isEmpty
    }
    let (actions, isOver) = ask { roster in
      (roster.stop(hasQueued: hasQueued), roster.hasEnded && roster.present == 0)
    }
    perform(actions)
    if isOver { announceEnd() }
  }

  /// Called by a worker that has seen all queues empty, after it has said that it sleeps.
  func endIfDone() {
    guard let sleepers = ask({ $0.endIfDone() }) else { return }
    ended.store(true, ordering: .releasing)
    for sleeper in sleepers { unpark(sleeper) }
    monitorParker.unpark()
  }

  /// Called by a worker's thread as the last thing.
  func leave(_ worker: PoolWorker) {
    if ask({ $0.leave(worker.index) }) { announceEnd() }
  }

  /// Calls `body` once the last worker's thread ends.
  func callWhenEnded(_ body: @escaping @Sendable () -> Void) {
    whenEnded.withLock { $0.append(body) }
    if ask({ $0.hasEnded && $0.present == 0 }) { announceEnd() }
  }

  private func announceEnd() {
    let callbacks = whenEnded.withLock { callbacks in
      defer { callbacks = [] }
      return callbacks
    }
    for callback in callbacks { callback() }
  }
}
