import ArborPrimitives
import Synchronization
import Testing

@testable import ArborProcesses

/// The real clock: entries fire at their deadline or later, once, and not after they were cancelled.
@Suite struct SystemClockTests {
  final class Entry: TimerEntry, @unchecked Sendable {
    // Unchecked: the closure is written once and is Sendable.
    let action: @Sendable () -> Void
    init(_ action: @escaping @Sendable () -> Void) { self.action = action }
    override func fire() { action() }
  }

  private func fired(on clock: SystemClock, after delay: UInt64) async -> UInt64 {
    await withCheckedContinuation { continuation in
      clock.schedule(
        Entry { continuation.resume(returning: clock.now()) }, at: clock.now() + delay)
    }
  }

  @Test("fires at the deadline, never before", arguments: [0, 1_000, 1_000_000, 70_000_000])
  func fires(delay: UInt64) async {
    let clock = SystemClock()
    let before = clock.now()
    #expect(await fired(on: clock, after: delay) >= before + delay)
    clock.shutdown()
  }

  @Test("an earlier deadline wakes the thread that sleeps for a later one")
  func earlier() async {
    let clock = SystemClock()
    let late = Entry {}
    clock.schedule(late, at: clock.now() + 3600 * 1_000_000_000)
    _ = await fired(on: clock, after: 1_000_000)
    _ = await fired(on: clock, after: 1_000_000)
    let left = clock.cancel(late) ?? 0
    #expect(left > 3000 * 1_000_000_000)
    clock.shutdown()
  }

  @Test("a cancelled entry does not fire, and can be scheduled again")
  func cancel() async {
    let clock = SystemClock()
    let count = Counter()
    let entry = Entry { count.increment() }
    clock.schedule(entry, at: clock.now() + 3_600_000_000_000)
    #expect(clock.remaining(entry) != nil)
    #expect(clock.cancel(entry) != nil)
    #expect(clock.cancel(entry) == nil)
    #expect(clock.remaining(entry) == nil)
    clock.schedule(entry, at: clock.now())
    // Added later with a later deadline, so fired after it.
    _ = await fired(on: clock, after: 1_000_000)
    #expect(count.value == 1)
    #expect(clock.cancel(entry) == nil)
    clock.shutdown()
  }

  @Test("is never fired inside schedule, and may schedule itself from fire")
  func reschedules() async {
    let clock = SystemClock()
    let count = Counter()
    await withCheckedContinuation { (continuation: CheckedContinuation<Void, Never>) in
      let repeating = Repeating(clock: clock) { entry in
        if count.increment() < 5 {
          clock.schedule(entry, at: clock.now())
        } else {
          continuation.resume()
        }
      }
      clock.schedule(repeating, at: 0)
    }
    #expect(count.value == 5)
    clock.shutdown()
  }

  final class Repeating: TimerEntry, @unchecked Sendable {
    // Unchecked: both are written once and are Sendable.
    let clock: SystemClock
    let action: @Sendable (Repeating) -> Void
    init(clock: SystemClock, _ action: @escaping @Sendable (Repeating) -> Void) {
      self.clock = clock
      self.action = action
    }
    override func fire() { action(self) }
  }

  @Test("shutdown lets what waits go, unfired, also when called on the clock's own thread")
  func shutdown() async {
    let clock = SystemClock()
    weak var waiting: Entry?
    let fired = Counter()
    do {
      let entry = Entry { fired.increment() }
      waiting = entry
      clock.schedule(entry, at: clock.now() + 3_600_000_000_000)
    }
    #expect(waiting != nil)
    await withCheckedContinuation { (continuation: CheckedContinuation<Void, Never>) in
      clock.schedule(
        Entry {
          clock.shutdown()
          continuation.resume()
        }, at: 0)
    }
    #expect(waiting == nil)
    let late = Entry { fired.increment() }
    clock.schedule(late, at: 0)
    #expect(clock.cancel(late) == nil)
    clock.shutdown()
    #expect(fired.value == 0)
  }

  @Test("many threads schedule and cancel: each entry fires or is cancelled, never both")
  func race() async {
    let clock = SystemClock()
    let fired = Counter()
    let cancelled = Counter()
    let total = 20_000
    await withCheckedContinuation { (continuation: CheckedContinuation<Void, Never>) in
      let done: @Sendable () -> Void = {
        if fired.value + cancelled.value == total { continuation.resume() }
      }
      let settled = Lock(0)
      let settle: @Sendable () -> Void = {
        let isLast = settled.withLock { count in
          count += 1
          return count == total
        }
        if isLast { done() }
      }
      for thread in 0..<4 {
        Task.detached {
          var random = SystemRandomNumberGenerator()
          for _ in 0..<total / 4 {
            let entry = Entry {
              fired.increment()
              settle()
            }
            clock.schedule(entry, at: clock.now() + random.next(upperBound: UInt64(50_000)))
            if thread.isMultiple(of: 2), clock.cancel(entry) != nil {
              cancelled.increment()
              settle()
            }
          }
        }
      }
    }
    #expect(fired.value + cancelled.value == total)
    clock.shutdown()
  }
}

/// A count that several threads keep.
final class Counter: Sendable {
  private let count = Atomic(0)
  @discardableResult
  func increment() -> Int { count.add(1, ordering: .acquiringAndReleasing).newValue }
  var value: Int { count.load(ordering: .acquiring) }
}
