import ArborPrimitives
import ArborProcesses
import Synchronization

/// The lock around a simulation's machine; scheduler, clock and hooks all lead here.
final class SimulationStorage: Sendable {
  private let machine: Lock<SimulationMachine>
  private let fallback = GlobalPool()
  /// The simulation's thread waits here for other threads, when it has nothing to run.
  private let parker = Parker()
  private let time = Atomic<UInt64>(SimulationMachine.start)
  private let oldestTask = Atomic<UInt64>(.max)

  init(seed: UInt64, policy: SimulationOptions.Policy) {
    machine = Lock(SimulationMachine(seed: seed, policy: policy))
  }

  func withMachine<Result>(
    _ body: (inout sending SimulationMachine) -> sending Result
  ) -> sending Result {
    machine.withLock(body)
  }

  /// Takes what can run, from any thread.
  func enqueue(_ runnable: Runnable) {
    let isForeign = !isOnItsThread
    if machine.withLock({ $0.enqueue(runnable, isForeign: isForeign) }) {
      if isForeign { parker.unpark() }
    } else {
      fallback.enqueue(runnable)
    }
  }

  /// The runtime's number of the simulation's first task; later ones have higher numbers.
  var firstTaskID: UInt64 { oldestTask.load(ordering: .relaxed) }

  /// Takes a job that is no process's.
  func enqueue(_ job: UnownedJob, for executor: SimulationExecutor) {
    if firstTaskID == .max, let id = JobIdentity.taskID(of: job) {
      oldestTask.store(id, ordering: .relaxed)
    }
    enqueue(LooseJob(job, for: executor.asUnownedTaskExecutor(), keepAlive: executor))
  }

  /// The virtual time. Read without the lock: the machine's clocks are asked anywhere.
  var now: UInt64 { time.load(ordering: .acquiring) }

  /// The nanoseconds of virtual time since the simulation began.
  var elapsed: UInt64 { now - SimulationMachine.start }

  /// Decides on the next turn; the simulation's thread alone asks.
  func step(mayAdvance: Bool) -> SimulationMachine.Step {
    let (step, now) = machine.withLock { ($0.step(mayAdvance: mayAdvance), $0.now) }
    time.store(now, ordering: .releasing)
    return step
  }

  /// True on the thread that runs the simulation, while it does.
  var isOnItsThread: Bool { SimulationThread.current?.storage === self }

  /// Notes somebody to resume once nothing else can run.
  func settle(_ continuation: UnsafeContinuation<Void, Never>) {
    machine.withLock { $0.settle(continuation) }
    wakeFromOutside()
  }

  func schedule(_ entry: TimerEntry, at deadline: UInt64) {
    machine.withLock { $0.schedule(entry, at: deadline) }
    wakeFromOutside()
  }

  /// Waits, in real time, for another thread to bring something.
  ///
  /// - Returns: false if none did.
  func waitForOutside(atMost patience: UInt64) -> Bool {
    parker.park(until: SystemTime.monotonic().addingClamped(patience))
  }

  /// Ends such a wait, if the caller is another thread.
  func wakeFromOutside() {
    if !isOnItsThread { parker.unpark() }
  }

  /// Ends the simulation: what comes later is run by the global pool.
  ///
  /// - Parameter passingOn: whether what could still have run goes there too. Dropped, it never
  ///   runs: right for what goes round in circles.
  func end(passingOn: Bool) {
    let left = machine.withLock { $0.end() }
    guard passingOn else { return }
    for candidate in left.candidates {
      if case .run(let runnable) = candidate.action { fallback.enqueue(runnable) }
    }
  }
}
