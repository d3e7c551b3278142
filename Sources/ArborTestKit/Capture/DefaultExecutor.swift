#if os(Linux)
@_spi(ExperimentalScheduling) @_spi(ExperimentalCustomExecutors) import _Concurrency

/// Swift's default executor, with a simulation's jobs taken out.
///
/// Not all that runs there comes through ``GlobalEnqueueHook``: `Task.yield()` and `Task.sleep` of a
/// plain actor that a `Task {}` entered turn to the default executor directly. So a process that the
/// test kit is linked into has this one as its default; on any thread but a simulation's it hands
/// everything on to the one that would have been there.
final class RoutingExecutor: TaskExecutor, SchedulingExecutor {
  private let platform = PlatformExecutorFactory.defaultExecutor

  func enqueue(_ job: consuming ExecutorJob) {
    let unowned = UnownedJob(job)
    if let executor = SimulationThread.executor(for: unowned) {
      executor.enqueue(unowned)
    } else {
      platform.enqueue(ExecutorJob(unowned))
    }
  }

  func enqueue<C: Clock>(
    _ job: consuming ExecutorJob, at instant: C.Instant, tolerance: C.Duration?, clock: C
  ) {
    if let executor = SimulationThread.current {
      executor.enqueue(job, at: instant, tolerance: tolerance, clock: clock)
    } else if let platform = platform as? any SchedulingExecutor {
      platform.enqueue(job, at: instant, tolerance: tolerance, clock: clock)
    } else {
      // Late rather than never: no such platform is known.
      platform.enqueue(job)
    }
  }
}

private struct RoutingExecutorFactory: ExecutorFactory {
  static var mainExecutor: any MainExecutor { PlatformExecutorFactory.mainExecutor }
  static let defaultExecutor: any TaskExecutor = RoutingExecutor()
}

// The runtime takes executors only before it has made its own, and reads them without a lock: to be
// safe it must happen before there is a second thread. So the loader calls this, before `main`.
@used @section(".init_array")
private let installAtLoad: @convention(c) () -> Void = {
  _createExecutors(factory: RoutingExecutorFactory.self)
}
#endif
