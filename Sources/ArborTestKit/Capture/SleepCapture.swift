import ArborPrimitives
public import ArborProcesses

#if os(Linux)
@_spi(ExperimentalScheduling) import _Concurrency

// `Task.sleep` asks the executor that it is called on, then the one that its task prefers, then the
// one that its thread runs for, then the default one, whether they are a `SchedulingExecutor`: a
// protocol of the standard library that is not public yet, and that the SDK of Apple's platforms
// leaves out. The test kit says that they are, so that processes, and what else runs in a
// simulation, sleep by the node's clock.

// The attribute lets a class that other targets' specialisers see conform to what is not public.
@_spi(ExperimentalScheduling)
extension ProcessCore: SchedulingExecutor {
  @usableFromInline
  package func enqueue<C: Clock>(
    _ job: consuming ExecutorJob, at instant: C.Instant, tolerance: C.Duration?, clock: C
  ) {
    let delay = nanoseconds(until: instant, on: clock)
    let job = UnownedJob(job)
    node.clock.schedule(
      SleepingJob { [self] in enqueuePreferring(ExecutorJob(job)) },
      at: node.clock.now().addingClamped(delay))
  }
}

extension SimulationExecutor: SchedulingExecutor {
  func enqueue<C: Clock>(
    _ job: consuming ExecutorJob, at instant: C.Instant, tolerance: C.Duration?, clock: C
  ) {
    let delay = nanoseconds(until: instant, on: clock)
    let job = UnownedJob(job)
    storage.schedule(
      SleepingJob { [self] in enqueue(job) }, at: storage.now.addingClamped(delay))
  }
}

/// The job that ends a sleep.
private final class SleepingJob: TimerEntry, @unchecked Sendable {
  // Unchecked: written once.
  private let wake: @Sendable () -> Void
  init(_ wake: @escaping @Sendable () -> Void) { self.wake = wake }
  override func fire() { wake() }
}
/// How long a sleep is to be.
private func nanoseconds<C: Clock>(until instant: C.Instant, on clock: C) -> UInt64 {
  let left = (clock.now.duration(to: instant) as? Duration ?? .zero).wholeNanoseconds
  if SimulationThread.current == nil || SwiftClocks.areVirtual { return left }
  // Some time has passed since the instant was made: mostly less than a millisecond.
  return (left + 999_999) / 1_000_000 * 1_000_000
}
#endif
