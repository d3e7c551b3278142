#if TSAN
#if canImport(Glibc)
import Glibc
#elseif canImport(Darwin)
import Darwin
#endif
#else
public import Synchronization
#endif

/// The one lock of the package: a value and the mutual exclusion around it.
///
/// It is `Synchronization.Mutex`, but for builds under ThreadSanitizer (`-D TSAN`): the sanitizer
/// does not see into that type and reports races that are none, so there it is a pthread mutex.
///
///     let count = Lock(0)
///     count.withLock { $0 += 1 }
///
/// Not recursive. Nothing that runs under it may call a user's code.
#if TSAN
@usableFromInline package struct Lock<State>: ~Copyable, @unchecked Sendable {
  // Unchecked: both pointers are written once, in init; what `state` points at is only touched
  // between pthread_mutex_lock and pthread_mutex_unlock.
  private let mutex: UnsafeMutablePointer<pthread_mutex_t>
  private let state: UnsafeMutablePointer<State>

  @usableFromInline package init(_ initial: sending State) {
    mutex = .allocate(capacity: 1)
    mutex.initialize(to: pthread_mutex_t())
    pthread_mutex_init(mutex, nil)
    state = .allocate(capacity: 1)
    state.initialize(to: initial)
  }

  deinit {
    pthread_mutex_destroy(mutex)
    mutex.deallocate()
    state.deinitialize(count: 1)
    state.deallocate()
  }

  @usableFromInline package borrowing func withLock<Result: ~Copyable, Failure: Error>(
    _ body: (inout sending State) throws(Failure) -> sending Result
  ) throws(Failure) -> sending Result {
    pthread_mutex_lock(mutex)
    defer { pthread_mutex_unlock(mutex) }
    return try body(&state.pointee)
  }
}
#else
@usableFromInline package struct Lock<State>: ~Copyable, Sendable {
  @usableFromInline package let mutex: Mutex<State>

  @inlinable
  package init(_ initial: consuming sending State) {
    mutex = Mutex(initial)
  }

  @inlinable
  package borrowing func withLock<Result: ~Copyable, Failure: Error>(
    _ body: (inout sending State) throws(Failure) -> sending Result
  ) throws(Failure) -> sending Result {
    try mutex.withLock(body)
  }
}
#endif
