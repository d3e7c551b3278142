import Synchronization
import Testing

@testable import ArborPrimitives

@Suite struct ParkerTests {
  @Test("a wake-up that comes first is kept, once")
  func token() {
    let parker = Parker()
    parker.unpark()
    parker.unpark()
    #expect(parker.park())
    #expect(!parker.park(until: SystemTime.monotonic() + 1_000_000))
  }

  @Test("a deadline that has passed does not wait")
  func overdue() {
    let parker = Parker()
    #expect(!parker.park(until: 1))
    parker.unpark()
    #expect(parker.park(until: 1))
  }

  @Test("never returns before its deadline unless woken")
  func deadline() {
    let deadline = SystemTime.monotonic() + 3_000_000
    #expect(!Parker().park(until: deadline))
    #expect(SystemTime.monotonic() >= deadline)
  }

  @Test("two threads that wake each other never miss it", arguments: [false, true])
  func pingPong(timed: Bool) async {
    let rounds = 20_000
    let (ping, pong) = (Parker(), Parker())
    await withCheckedContinuation { (continuation: CheckedContinuation<Void, Never>) in
      let far = SystemTime.monotonic() + 3_600_000_000_000
      let started = SystemThread.start(named: "ping") {
        for _ in 0..<rounds {
          pong.unpark()
          if timed { ping.park(until: far) } else { ping.park() }
        }
        continuation.resume()
      }
      let startedToo = SystemThread.start(named: "pong") {
        for _ in 0..<rounds {
          if timed { pong.park(until: far) } else { pong.park() }
          ping.unpark()
        }
      }
      #expect(started && startedToo)
    }
  }
}

@Suite struct SystemThreadTests {
  @Test("a thread has the stack that was asked for")
  func stack() async {
    // 4 MB of frames would not fit into what some systems give a thread by default.
    @Sendable func depth(_ left: Int) -> Int {
      left == 0
        ? 0
        : 1
          + withUnsafeTemporaryAllocation(of: UInt8.self, capacity: 4096) { bytes in
            bytes[0] = UInt8(truncatingIfNeeded: left)
            return depth(left - 1)
          }
    }
    let reached = await withCheckedContinuation { (continuation: CheckedContinuation<Int, Never>) in
      let started = SystemThread.start(named: "a name that is longer than systems allow") {
        continuation.resume(returning: depth(1000))
      }
      #expect(started)
    }
    #expect(reached == 1000)
  }

  @Test("a thread that cannot be had is said so, and its body let go")
  func refused() {
    final class Token: Sendable {}
    weak var token: Token?
    do {
      let held = Token()
      token = held
      // No address space holds such a stack.
      let started = SystemThread.start(named: "huge", stackSize: 1 << 60) {
        withExtendedLifetime(held) {}
      }
      #expect(!started)
    }
    #expect(token == nil)
  }
}
