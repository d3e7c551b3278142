import ArborPrimitives
public import ArborProcesses

#if os(Linux)
@_spi(ExperimentalScheduling) import _Concurrency

// `Task.sleep` asks the executor it is called on, then the one its task prefers, then the one its
// thread runs for, whether they are a `SchedulingExecutor`: a protocol of the standard library that
// is not public yet, and that Apple's platforms do not have in their SDK. The test kit says they
// are, so that processes and what else runs in a simulation sleep by the node's clock.
//
// Outside stays the sleep of a plain actor that no process's task and no simulation's entered: its
// executor is none of ours and it has no preference; it sleeps in real time, and comes back from
// a foreign thread.

// The attribute lets a class that other targets' specialisers see conform to what is not public.
@_spi(ExperimentalScheduling)
extension ProcessCore: SchedulingExecutor {
  @usableFromInline
  package func enqueue<C: Clock>(
    _ job: consuming ExecutorJob, at instant: C.Instant, tolerance: C.Duration?, clock: C
  ) {
    let delay = SleepDelay.nanoseconds(until: instant, on: clock)
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
    let delay = SleepDelay.nanoseconds(until: instant, on: clock)
    let job = UnownedJob(job)
    storage.withMachine {
      $0.schedule(
        SleepingJob { [self] in enqueue(job) }, at: $0.now.addingClamped(delay))
    }
  }
}

/// The job that ends a sleep.
private final class SleepingJob: TimerEntry, @unchecked Sendable {
  // Unchecked: written once.
  private let wake: @Sendable () -> Void
  init(_ wake: @escaping @Sendable () -> Void) { self.wake = wake }
  override func fire() { wake() }
}
#endif

/// How long a `Task.sleep` was meant to be.
enum SleepDelay {
  static func nanoseconds<C: Clock>(until instant: C.Instant, on clock: C) -> UInt64 {
    let left = clock.now.duration(to: instant) as? Duration ?? .zero
    guard left > .zero, let simulation = SimulationThread.current?.storage else {
      return left.wholeNanoseconds
    }
    // `Task.sleep(for:)` has made of its duration an instant of the real clock, and some real time
    // has passed since, never the same. It was in this turn, so that the duration lies between
    // what is left now and that plus the age of the turn; people write round numbers.
    let age = SystemTime.monotonic() - simulation.turnBegan
    return roundest(from: left.wholeNanoseconds, to: (left + .nanoseconds(age)).wholeNanoseconds)
  }

  /// The smallest multiple of the largest power of ten that lies between two numbers, the first of
  /// which is at least 1.
  static func roundest(from low: UInt64, to high: UInt64) -> UInt64 {
    var power: UInt64 = 1_000_000_000_000_000_000
    while power > 1 {
      let (multiple, overflow) = ((low - 1) / power + 1).multipliedReportingOverflow(by: power)
      if !overflow, multiple <= high { return multiple }
      power /= 10
    }
    return low
  }
}
