public import Synchronization

#if canImport(Glibc)
import Glibc
#elseif canImport(Musl)
import Musl
#elseif canImport(Darwin)
import Darwin
#endif

/// A lock for a few dozen instructions: half the price of ``Lock``, where two atomic steps are most of
/// what is done.
///
/// It is taken with one atomic step and let go with a plain store, which leaves no room for a list of
/// those who wait. So whoever finds it taken looks again, soon lets other threads run, and in the end
/// sleeps between looks. Only one thread looks at a time; the others sleep behind it. That is cheap
/// where waiting is rare and short, which the holder has to see to.
///
///     lock.acquire()
///     defer { lock.release() }
///
/// Not recursive. It guards nothing by itself: what it stands for is its owner's business.
@usableFromInline
package struct BriefLock: ~Copyable, Sendable {
  @usableFromInline let isHeld = Atomic<UInt32>(0)
  @usableFromInline let queue = Lock(())

  @inlinable
  package init() {}

  @inlinable @inline(__always)
  package borrowing func acquire() {
    if !tryAcquire() { wait() }
  }

  @inlinable @inline(__always)
  package borrowing func release() { isHeld.store(0, ordering: .releasing) }

  @inlinable @inline(__always)
  borrowing func tryAcquire() -> Bool {
    isHeld.compareExchange(
      expected: 0, desired: 1, successOrdering: .acquiring, failureOrdering: .relaxed
    ).exchanged
  }

  @usableFromInline @inline(never)
  borrowing func wait() {
    for _ in 0..<Self.looks where isHeld.load(ordering: .relaxed) == 0 {
      if tryAcquire() { return }
    }
    queue.withLock { _ in
      var attempt = 0
      while isHeld.load(ordering: .relaxed) != 0 || !tryAcquire() {
        attempt += 1
        if attempt < Self.yields {
          sched_yield()
        } else {
          // The holder may be a thread that never runs while this one wants to.
          usleep(Self.napMicroseconds)
        }
      }
    }
  }

  /// How often a thread looks before it lets others run: longer than the lock is held as a rule.
  private static var looks: Int { 100 }
  private static var yields: Int { 50 }
  private static var napMicroseconds: UInt32 { 50 }
}
