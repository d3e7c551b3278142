import Synchronization

#if canImport(Glibc)
import Glibc
#elseif canImport(Musl)
import Musl
#elseif canImport(Darwin)
import Darwin
#endif

/// Where one thread sleeps until another wakes it, or until a deadline.
///
/// A wake-up that comes first is kept, so that the next `park` returns at once; several are kept as
/// one. Only the thread that owns it parks; any thread may unpark it.
///
/// The one place, besides ``Lock``, that has a pthread mutex: a condition variable wants one. No code
/// of anybody's runs under it.
package final class Parker: @unchecked Sendable {
  // Unchecked: the pointers are written once, in init, and what they point at is made for several
  // threads; `state` is atomic.
  private static let empty = 0
  private static let parked = 1
  private static let notified = 2

  private let state = Atomic<Int>(Parker.empty)
  private let mutex: UnsafeMutablePointer<pthread_mutex_t>
  private let condition: UnsafeMutablePointer<pthread_cond_t>

  package init() {
    mutex = .allocate(capacity: 1)
    mutex.initialize(to: pthread_mutex_t())
    pthread_mutex_init(mutex, nil)
    condition = .allocate(capacity: 1)
    condition.initialize(to: pthread_cond_t())
    #if canImport(Darwin)
    pthread_cond_init(condition, nil)
    #else
    // Else a deadline would move when somebody sets the machine's clock.
    var attributes = pthread_condattr_t()
    pthread_condattr_init(&attributes)
    pthread_condattr_setclock(&attributes, CLOCK_MONOTONIC)
    pthread_cond_init(condition, &attributes)
    pthread_condattr_destroy(&attributes)
    #endif
  }

  deinit {
    pthread_cond_destroy(condition)
    condition.deallocate()
    pthread_mutex_destroy(mutex)
    mutex.deallocate()
  }

  /// Sleeps until `unpark`, or until the deadline (nanoseconds of `SystemTime.monotonic()`; the
  /// default is never).
  ///
  /// - Returns: true if it was woken, false if the deadline passed.
  @discardableResult
  package func park(until deadline: UInt64 = .max) -> Bool {
    if consumeNotification() { return true }
    pthread_mutex_lock(mutex)
    defer { pthread_mutex_unlock(mutex) }
    let (slept, _) = state.compareExchange(
      expected: Parker.empty, desired: Parker.parked, ordering: .acquiringAndReleasing)
    guard slept else {
      state.store(Parker.empty, ordering: .sequentiallyConsistent)
      return true
    }
    while true {
      let timedOut = wait(until: deadline)
      if consumeNotification() { return true }
      if timedOut {
        // The wake-up may come between the look above and here.
        return state.exchange(Parker.empty, ordering: .acquiringAndReleasing) == Parker.notified
      }
    }
  }

  /// Wakes the thread that is parked here, or lets its next `park` return at once.
  package func unpark() {
    guard state.exchange(Parker.notified, ordering: .acquiringAndReleasing) == Parker.parked else {
      return
    }
    // The parked thread holds the mutex from its change of state until it sleeps: to have held it
    // is to know that the signal is not too early.
    pthread_mutex_lock(mutex)
    pthread_mutex_unlock(mutex)
    pthread_cond_signal(condition)
  }

  private func consumeNotification() -> Bool {
    state.compareExchange(
      expected: Parker.notified, desired: Parker.empty, ordering: .acquiringAndReleasing
    ).exchanged
  }

  /// - Returns: true if the deadline passed.
  private func wait(until deadline: UInt64) -> Bool {
    guard deadline < .max else {
      pthread_cond_wait(condition, mutex)
      return false
    }
    #if canImport(Darwin)
    let now = SystemTime.monotonic()
    guard deadline > now else { return true }
    var left = timespec(nanoseconds: deadline - now)
    return pthread_cond_timedwait_relative_np(condition, mutex, &left) == ETIMEDOUT
    #else
    var time = timespec(nanoseconds: deadline)
    return pthread_cond_timedwait(condition, mutex, &time) == ETIMEDOUT
    #endif
  }
}

extension timespec {
  fileprivate init(nanoseconds: UInt64) {
    self.init(
      tv_sec: Int(nanoseconds / 1_000_000_000), tv_nsec: Int(nanoseconds % 1_000_000_000))
  }
}
