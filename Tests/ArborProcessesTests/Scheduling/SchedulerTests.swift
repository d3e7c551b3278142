import ArborPrimitives
import Synchronization
import Testing

@testable import ArborProcesses

/// What every scheduler owes its runnables.
@Suite struct SchedulerTests {
  enum Kind: CaseIterable, Sendable {
    case workStealing, oneWorker, global

    func make() -> any Scheduler {
      switch self {
      case .workStealing: WorkStealingPool(workers: 4)
      case .oneWorker: WorkStealingPool(workers: 1)
      case .global: GlobalPool()
      }
    }
  }

  /// Runs a closure at each turn; true asks for another.
  final class Turns: Runnable, @unchecked Sendable {
    // Unchecked: the closure is written once and is Sendable.
    let action: @Sendable (Turns) -> Bool
    init(_ action: @escaping @Sendable (Turns) -> Bool) { self.action = action }
    override func run(budget: Int) -> Bool { action(self) }
  }

  @Test("what many threads enqueue is run exactly once each", arguments: Kind.allCases)
  func exactlyOnce(kind: Kind) async {
    let scheduler = kind.make()
    let (threads, each) = (8, 5_000)
    let runs = (0..<threads * each).map { _ in Counter() }
    await withCheckedContinuation { (continuation: CheckedContinuation<Void, Never>) in
      let finished = Counter()
      for thread in 0..<threads {
        Task.detached {
          for index in 0..<each {
            scheduler.enqueue(
              Turns { _ in
                runs[thread * each + index].increment()
                if finished.increment() == threads * each { continuation.resume() }
                return false
              })
          }
        }
      }
    }
    #expect(runs.allSatisfy { $0.value == 1 })
    scheduler.shutdown()
  }

  @Test("runnables that ask for more turns all get on", arguments: Kind.allCases)
  func reenqueued(kind: Kind) async {
    let scheduler = kind.make()
    await withCheckedContinuation { (continuation: CheckedContinuation<Void, Never>) in
      let finished = Counter()
      // One that never has enough must not keep the others from their turns.
      let greedy = Turns { _ in finished.value < 10 }
      scheduler.enqueue(greedy)
      for _ in 0..<10 {
        let turns = Counter()
        scheduler.enqueue(
          Turns { _ in
            guard turns.increment() == 200 else { return true }
            if finished.increment() == 10 { continuation.resume() }
            return false
          })
      }
    }
    scheduler.shutdown()
  }

  @Test("a runnable is let go after its last turn", arguments: Kind.allCases)
  func released(kind: Kind) async {
    final class Token: Sendable {
      let onRelease: @Sendable () -> Void
      init(_ onRelease: @escaping @Sendable () -> Void) { self.onRelease = onRelease }
      deinit { onRelease() }
    }
    let scheduler = kind.make()
    await withCheckedContinuation { (continuation: CheckedContinuation<Void, Never>) in
      let token = Token { continuation.resume() }
      scheduler.enqueue(
        Turns { _ in
          withExtendedLifetime(token) {}
          return false
        })
    }
    scheduler.shutdown()
  }

  @Test("what is enqueued after shutdown is still run", arguments: Kind.allCases)
  func afterShutdown(kind: Kind) async {
    let scheduler = kind.make()
    scheduler.shutdown()
    await withCheckedContinuation { (continuation: CheckedContinuation<Void, Never>) in
      scheduler.enqueue(
        Turns { _ in
          continuation.resume()
          return false
        })
    }
  }

  @Test("shutdown loses nothing that was queued, nor what that enqueues", arguments: Kind.allCases)
  func shutdownDrains(kind: Kind) async {
    let scheduler = kind.make()
    await withCheckedContinuation { (continuation: CheckedContinuation<Void, Never>) in
      let finished = Counter()
      for _ in 0..<1000 {
        scheduler.enqueue(
          Turns { _ in
            scheduler.enqueue(
              Turns { _ in
                if finished.increment() == 1000 { continuation.resume() }
                return false
              })
            return false
          })
      }
      scheduler.shutdown()
    }
  }
}
