import ArborPrimitives
import Foundation
import Synchronization
import Testing

@Suite struct BriefLockTests {
  /// A lock, and a number that it guards.
  final class Guarded: @unchecked Sendable {
    // Unchecked: `value` is touched only while the lock is held, which is what the tests are about.
    let lock = BriefLock()
    var value = 0
    let arrived = Atomic(0)
  }

  /// Runs the body on several threads and waits until all have ended.
  func together(_ count: Int, _ body: @escaping @Sendable () -> Void) async {
    await withTaskGroup { group in
      for _ in 0..<count {
        group.addTask {
          await withCheckedContinuation { continuation in
            let started = SystemThread.start(named: "locker") {
              body()
              continuation.resume()
            }
            if !started { continuation.resume() }
            #expect(started)
          }
        }
      }
    }
  }

  @Test("no two threads hold it at once")
  func exclusion() async {
    let guarded = Guarded()
    await together(4) {
      for _ in 0..<20_000 {
        guarded.lock.acquire()
        guarded.value += 1
        guarded.lock.release()
      }
    }
    #expect(guarded.value == 80_000)
  }

  @Test("who has to wait longer than it cares to look gets it in the end")
  func patience() async {
    let guarded = Guarded()
    await together(4) {
      if guarded.arrived.wrappingAdd(1, ordering: .acquiringAndReleasing).oldValue == 0 {
        guarded.lock.acquire()
        while guarded.arrived.load(ordering: .acquiring) < 4 { sched_yield() }
        // The others are at the lock now, or will be: long enough for them to look in vain.
        for _ in 0..<2000 { sched_yield() }
      } else {
        guarded.lock.acquire()
      }
      guarded.value += 1
      guarded.lock.release()
    }
    #expect(guarded.value == 4)
  }
}
