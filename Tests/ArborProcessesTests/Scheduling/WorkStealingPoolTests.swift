import ArborPrimitives
import Foundation
import Synchronization
import Testing

@testable import ArborProcesses

/// What the pool promises beyond what every scheduler does.
@Suite struct WorkStealingPoolTests {
  typealias Turns = SchedulerTests.Turns

  /// A pool whose workers nobody takes for stuck, however slow the machine is.
  private func unwatched(workers: Int) -> WorkStealingPool {
    WorkStealingPool(
      workers: workers, spares: 0, tuning: PoolTuning(monitorInterval: nil))
  }

  private func once(_ action: @escaping @Sendable () -> Void) -> Turns {
    Turns { _ in
      action()
      return false
    }
  }

  /// Two runnables that enqueue each other until `isOver`, and how many hops that was.
  private func pingPong(
    on pool: WorkStealingPool, until isOver: @escaping @Sendable (Int) -> Bool,
    over: @escaping @Sendable () -> Void
  ) {
    final class Pair: Sendable {
      let players = Lock<[Turns]>([])
    }
    let pair = Pair()
    let hops = Counter()
    pair.players.withLock { players in
      for side in 0...1 {
        players.append(
          Turns { _ in
            if isOver(hops.increment()) {
              pair.players.withLock { $0 = [] }
              over()
            } else {
              let other = pair.players.withLock { $0[1 - side] }
              pool.enqueue(other)
            }
            return false
          })
      }
    }
    pool.enqueue(pair.players.withLock { $0[0] })
  }

  @Test("two that send to each other stay on one worker and wake nobody")
  func staysOnOneWorker() async {
    let pool = unwatched(workers: 4)
    await withCheckedContinuation { (continuation: CheckedContinuation<Void, Never>) in
      pingPong(on: pool, until: { $0 == 10_000 }, over: { continuation.resume() })
    }
    #expect(pool.threadCount == 1)
    pool.shutdown()
  }

  @Test("what a running worker queues beside its slot is given to another worker")
  func spreads() async {
    let pool = unwatched(workers: 2)
    await withCheckedContinuation { (continuation: CheckedContinuation<Void, Never>) in
      pool.enqueue(
        once { [self] in
          let ran = DispatchSemaphore(value: 0)
          pool.enqueue(once { ran.signal() })
          pool.enqueue(once {})
          // The first is in the queue now: it is run while this turn lasts.
          ran.wait()
          continuation.resume()
        })
    }
    pool.shutdown()
  }

  @Test("two that send to each other without end do not keep others from their turns")
  func slotIsFair() async {
    let pool = unwatched(workers: 1)
    let others = Counter()
    await withCheckedContinuation { (continuation: CheckedContinuation<Void, Never>) in
      pool.enqueue(
        once { [self] in
          // One in the worker's queue, one that will come from outside.
          pool.enqueue(once { others.increment() })
          pingPong(
            on: pool,
            until: { hops in
              if hops == 100 { Task.detached { pool.enqueue(once { others.increment() }) } }
              return others.value == 2
            }, over: { continuation.resume() })
        })
    }
    pool.shutdown()
  }

  @Test("one that always wants another turn does not keep what comes from outside waiting")
  func queueIsFair() async {
    let pool = unwatched(workers: 1)
    let outside = Counter()
    await withCheckedContinuation { (continuation: CheckedContinuation<Void, Never>) in
      let begun = Counter()
      for _ in 0..<3 {
        pool.enqueue(
          Turns { _ in
            if begun.increment() == 3 {
              Task.detached { pool.enqueue(once { outside.increment() }) }
            }
            return outside.value == 0
          })
      }
      pool.enqueue(
        Turns { _ in
          guard outside.value > 0 else { return true }
          continuation.resume()
          return false
        })
    }
    pool.shutdown()
  }

  @Test("one worker runs what one thread enqueues in its order")
  func order() async {
    let pool = unwatched(workers: 1)
    let ran = Lock<[Int]>([])
    await withCheckedContinuation { (continuation: CheckedContinuation<Void, Never>) in
      for number in 0..<1000 {
        pool.enqueue(
          once {
            ran.withLock { $0.append(number) }
            if number == 999 { continuation.resume() }
          })
      }
    }
    #expect(ran.withLock { $0 } == Array(0..<1000))
    pool.shutdown()
  }

  @Test("a full queue overflows to the others")
  func overflow() async {
    let pool = unwatched(workers: 1)
    let total = 5 * StealableQueue.capacity
    let runs = (0..<total).map { _ in Counter() }
    await withCheckedContinuation { (continuation: CheckedContinuation<Void, Never>) in
      let left = Counter()
      pool.enqueue(
        once {
          for number in 0..<total {
            pool.enqueue(
              once {
                runs[number].increment()
                if left.increment() == total { continuation.resume() }
              })
          }
        })
    }
    #expect(runs.allSatisfy { $0.value == 1 })
    pool.shutdown()
  }

  @Test("a worker that blocks strands neither its slot nor its queue", arguments: [1, 2, 4])
  func blocked(workers: Int) async {
    let pool = WorkStealingPool(workers: workers)
    await withCheckedContinuation { (continuation: CheckedContinuation<Void, Never>) in
      pool.enqueue(
        once { [self] in
          let both = DispatchSemaphore(value: 0)
          pool.enqueue(once { both.signal() })
          pool.enqueue(once { both.signal() })
          both.wait()
          both.wait()
          continuation.resume()
        })
    }
    pool.shutdown()
  }

  @Test("workers that each wait for the next are helped by spares", arguments: [1, 2])
  func blockedInARow(workers: Int) async {
    let pool = WorkStealingPool(workers: workers)
    let depth = 6
    @Sendable func level(_ left: Int, _ done: DispatchSemaphore) -> Turns {
      once {
        if left > 0 {
          let deeper = DispatchSemaphore(value: 0)
          pool.enqueue(level(left - 1, deeper))
          deeper.wait()
        }
        done.signal()
      }
    }
    await withCheckedContinuation { (continuation: CheckedContinuation<Void, Never>) in
      pool.enqueue(
        once {
          let done = DispatchSemaphore(value: 0)
          pool.enqueue(level(depth, done))
          done.wait()
          continuation.resume()
        })
    }
    pool.shutdown()
  }

  @Test("what comes from outside is run while every worker blocks")
  func outsideWhileBlocked() async {
    let pool = WorkStealingPool(workers: 2)
    let release = DispatchSemaphore(value: 0)
    let blocked = DispatchSemaphore(value: 0)
    for _ in 0..<2 {
      pool.enqueue(
        once {
          blocked.signal()
          release.wait()
        })
    }
    await withCheckedContinuation { (continuation: CheckedContinuation<Void, Never>) in
      Thread.detachNewThread {
        blocked.wait()
        blocked.wait()
        pool.enqueue(once { continuation.resume() })
      }
    }
    release.signal()
    release.signal()
    pool.shutdown()
  }

  enum End: CaseIterable, Sendable {
    case unused
    case used
    case fromWorker
    case busy
    case dropped
  }

  @Test(
    "a pool that shuts down, or that nobody holds any more, ends its threads",
    arguments: End.allCases)
  func ends(end: End) async {
    var pool: WorkStealingPool? = WorkStealingPool(workers: 2)
    let core = pool?.core
    let ran = Counter()
    await withCheckedContinuation { (continuation: CheckedContinuation<Void, Never>) in
      core?.callWhenEnded { continuation.resume() }
      switch end {
      case .unused:
        pool?.shutdown()
      case .used, .dropped:
        let turn = DispatchSemaphore(value: 0)
        pool?.enqueue(
          once {
            ran.increment()
            turn.signal()
          })
        turn.wait()
        if end == .used { pool?.shutdown() }
        pool = nil
      case .fromWorker:
        pool?.enqueue(
          once { [pool] in
            pool?.shutdown()
            ran.increment()
          })
      case .busy:
        for _ in 0..<1000 {
          pool?.enqueue(
            once { [pool, self] in pool?.enqueue(once { ran.increment() }) })
        }
        pool?.shutdown()
      }
    }
    #expect(core?.threadCount == 0)
    if end == .fromWorker { #expect(ran.value == 1) }
    if end == .busy { #expect(ran.value == 1000) }
    #expect(pool == nil || pool?.threadCount == 0)
  }

  /// How much the pool is made to do that it seldom does.
  enum Haste: CaseIterable, Sendable {
    case asUsual
    /// The monitor takes workers for stuck that are not, and spares come and go.
    case hurried

    var tuning: PoolTuning {
      switch self {
      case .asUsual: PoolTuning()
      case .hurried: PoolTuning(monitorInterval: 20_000, patience: 50_000, spareLifetime: 1_000)
      }
    }
  }

  @Test(
    "many threads, runnables that enqueue others: none is lost or run twice",
    arguments: Haste.allCases)
  func stress(haste: Haste) async {
    for round in 0..<20 {
      let pool = WorkStealingPool(workers: 1 + round % 4, spares: 3, tuning: haste.tuning)
      let (threads, each, generations) = (4, 100, 5)
      let total = threads * each * (generations + 1)
      let ran = Counter()
      await withCheckedContinuation { (continuation: CheckedContinuation<Void, Never>) in
        @Sendable func child(_ generation: Int) -> Turns {
          let turns = Counter()
          return Turns { _ in
            // Every third asks for a second turn.
            if generation.isMultiple(of: 3), turns.increment() == 1 { return true }
            if generation > 0 { pool.enqueue(child(generation - 1)) }
            if ran.increment() == total { continuation.resume() }
            return false
          }
        }
        for _ in 0..<threads {
          Task.detached { for _ in 0..<each { pool.enqueue(child(generations)) } }
        }
      }
      #expect(ran.value == total)
      await withCheckedContinuation { (continuation: CheckedContinuation<Void, Never>) in
        pool.shutdown { continuation.resume() }
      }
      #expect(pool.threadCount == 0)
    }
  }

  @Test(
    "bursts with rests between them: a pool that falls asleep always wakes",
    arguments: Haste.allCases)
  func bursts(haste: Haste) async {
    let pool = WorkStealingPool(workers: 3, spares: 3, tuning: haste.tuning)
    for round in 0..<2_000 {
      await withCheckedContinuation { (continuation: CheckedContinuation<Void, Never>) in
        let size = 1 + round % 5
        let left = Counter()
        for _ in 0..<size {
          pool.enqueue(once { if left.increment() == size { continuation.resume() } })
        }
      }
    }
    await withCheckedContinuation { (continuation: CheckedContinuation<Void, Never>) in
      pool.shutdown { continuation.resume() }
    }
  }

  @Test("a shutdown in the midst of it all loses nothing", arguments: Haste.allCases)
  func shutdownRaces(haste: Haste) async {
    for round in 0..<200 {
      let pool = WorkStealingPool(workers: 1 + round % 3, spares: 2, tuning: haste.tuning)
      let total = 60
      await withCheckedContinuation { (continuation: CheckedContinuation<Void, Never>) in
        let ran = Counter()
        for thread in 0..<3 {
          Task.detached { [self] in
            for number in 0..<total / 6 {
              pool.enqueue(
                once {
                  pool.enqueue(once { if ran.increment() == total { continuation.resume() } })
                  if ran.increment() == total { continuation.resume() }
                })
              if thread == 0, number == round % 10 { pool.shutdown() }
            }
          }
        }
      }
    }
  }
}
