import ArborPrimitives
import Synchronization

#if canImport(Glibc)
import Glibc
#elseif canImport(Musl)
import Musl
#elseif canImport(Darwin)
import Darwin
#endif

/// The numbers of a ``WorkStealingPool``; tests have others, to bring about what is rare.
struct PoolTuning: Sendable {
  /// How many jobs a runnable may run in one turn.
  var budget = 64
  /// Between two looks of the monitor, in nanoseconds; what stands behind a stuck worker waits for up
  /// to two. Nil is no monitor.
  var monitorInterval: UInt64? = 2_000_000
  /// How long all workers must have been stuck before a spare one is started, in nanoseconds.
  var patience: UInt64 = 20_000_000
  /// How long a spare sleeps before its thread ends, in nanoseconds.
  var spareLifetime: UInt64 = 1_000_000_000
}

/// The locks and the threads of a ``WorkStealingPool``.
final class PoolCore: @unchecked Sendable {
  // Unchecked: `workers` is written once; what it points at are atomics.
  let tuning: PoolTuning
  /// How many workers there are without the spares.
  let regulars: Int
  let capacity: Int
  /// References to the workers that have ever had a thread, 0 for the others.
  let workers: UnsafeMutablePointer<Atomic<UInt>>
  /// No worker from here on has ever had a thread.
  let workersEnd = Atomic(0)

  /// Retained references to what threads outside the pool have enqueued.
  let common = Lock(CommonQueue())
  /// How many stand there, for those who only want to know whether to take the lock.
  let commonCount = Atomic(0)
  /// How many of them have a high priority: every worker looks at it before each turn.
  let highCount = Atomic(0)

  let roster: Lock<PoolRoster>
  /// `roster.wantsWake`, for those who only want to know whether to take the lock.
  let wantsWake = Atomic(true)
  let ended = Atomic(false)
  let whenEnded = Lock<[@Sendable () -> Void]>([])

  let monitorParker = Parker()
  let fallback: GlobalPool

  init(workers regulars: Int, spares: Int, tuning: PoolTuning) {
    self.tuning = tuning
    self.regulars = regulars
    capacity = regulars + spares
    workers = .allocate(capacity: capacity)
    for index in 0..<capacity { (workers + index).initialize(to: Atomic(0)) }
    roster = Lock(PoolRoster(regulars: regulars, spares: spares))
    fallback = GlobalPool(budget: tuning.budget)
  }

  deinit {
    for index in 0..<capacity { worker(index)?.release() }
    workers.deinitialize(count: capacity)
    workers.deallocate()
  }

  // MARK: Which worker a thread is

  // One key for all pools, as a process has few of them; never given back.
  private static let currentWorkerKey: pthread_key_t = {
    var key = pthread_key_t()
    let result = pthread_key_create(&key, nil)
    precondition(result == 0, "The system has no thread-specific key left.")
    return key
  }()
  // Read at each enqueue: without the check whether the static has been set up.
  private let key = PoolCore.currentWorkerKey

  let spareMail = SpareMailDepot()

  /// The worker of this pool that the calling thread is, if any.
  func currentWorker() -> Unmanaged<PoolWorker>? {
    guard let pointer = pthread_getspecific(key) else { return nil }
    let worker = Unmanaged<PoolWorker>.fromOpaque(pointer)
    return worker._withUnsafeGuaranteedRef { $0.core === self } ? worker : nil
  }

  func setCurrentWorker(_ worker: PoolWorker?) {
    pthread_setspecific(key, worker.map { Unmanaged.passUnretained($0).toOpaque() })
  }

  func worker(_ index: Int) -> Unmanaged<PoolWorker>? {
    let word = workers[index].load(ordering: .acquiring)
    guard let pointer = UnsafeRawPointer(bitPattern: word) else { return nil }
    return Unmanaged.fromOpaque(pointer)
  }
}
