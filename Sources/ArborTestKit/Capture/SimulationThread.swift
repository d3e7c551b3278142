#if canImport(Glibc)
import Glibc
#elseif canImport(Musl)
import Musl
#elseif canImport(Darwin)
import Darwin
#endif

/// Which simulation the calling thread is running: what tells its jobs from those of others, so
/// that simulations on several threads do not mix.
enum SimulationThread {
  private static let key: pthread_key_t = {
    var key = pthread_key_t()
    let result = pthread_key_create(&key, nil)
    precondition(result == 0, "The system has no thread-specific key left.")
    return key
  }()

  /// The executor of the simulation that the calling thread runs; nil on every other thread.
  static var current: SimulationExecutor? {
    pthread_getspecific(key).map {
      Unmanaged<SimulationExecutor>.fromOpaque($0).takeUnretainedValue()
    }
  }

  /// The executor of the calling thread's simulation, if the job is the simulation's.
  ///
  /// It is not if its task is older than the simulation: code in there has resumed somebody outside, who
  /// goes on outside.
  static func executor(for job: UnownedJob) -> SimulationExecutor? {
    guard let executor = current else { return nil }
    if let id = JobIdentity.taskID(of: job), id < executor.storage.firstTaskID { return nil }
    return executor
  }

  /// Makes the calling thread the simulation's, for as long as `body` runs. One inside another is
  /// allowed: the inner one runs as a single turn of the outer.
  static func run<Result>(_ executor: SimulationExecutor, _ body: () -> Result) -> Result {
    _ = GlobalEnqueueHook.isInstalled
    _ = SwiftClocks.areVirtual
    let previous = pthread_getspecific(key)
    pthread_setspecific(key, Unmanaged.passUnretained(executor).toOpaque())
    defer { pthread_setspecific(key, previous) }
    // The thread's entry is no reference of its own.
    return withExtendedLifetime(executor) { body() }
  }
}
