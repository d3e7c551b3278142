import ArborPrimitives
import Synchronization

/// The thread that sees to it that nothing waits behind a stuck worker of a ``WorkStealingPool``.
///
/// It ticks while any worker is awake and a little longer, so that a pool that has something to do
/// now and then does not pay a wake-up each time; then it sleeps until one is woken.
final class PoolMonitor {
  /// Ticks without anybody awake before it sleeps.
  static let ticksBeforeRest = 8

  private let core: PoolCore
  private let interval: UInt64
  private var detector: StallDetector
  private var quietTicks = 0

  init(_ core: PoolCore, interval: UInt64) {
    self.core = core
    self.interval = interval
    detector = StallDetector(workers: core.capacity, patience: core.tuning.patience)
  }

  func run() {
    while !core.hasEnded {
      if quietTicks >= PoolMonitor.ticksBeforeRest, core.restMonitor() {
        quietTicks = 0
        core.monitorParker.park()
      } else {
        // The real time, not the node's: it is about real threads.
        core.monitorParker.park(until: SystemTime.monotonic() + interval)
      }
      tick()
    }
  }

  private func tick() {
    let sights = core.standings.enumerated().map(sight)
    quietTicks = sights.allSatisfy(\.isIdle) ? quietTicks + 1 : 0
    let verdict = detector.tick(sights, at: SystemTime.monotonic())
    for index in verdict.stuck {
      core.worker(index)?._withUnsafeGuaranteedRef { core.rescue(from: $0) }
    }
    if verdict.allStuck, core.hasVisibleWork { core.spareNeeded() }
  }

  private func sight(_ index: Int, _ standing: PoolRoster.Standing) -> StallDetector.Sight {
    guard standing == .running || standing == .searching, let worker = core.worker(index) else {
      return StallDetector.Sight(turn: 0, hasWork: false, isIdle: true)
    }
    return worker._withUnsafeGuaranteedRef { worker in
      StallDetector.Sight(
        turn: worker.turn.load(ordering: .relaxed),
        hasWork: worker.slot.load(ordering: .relaxed) != 0 || !worker.queue.isEmpty,
        isIdle: false)
    }
  }
}
