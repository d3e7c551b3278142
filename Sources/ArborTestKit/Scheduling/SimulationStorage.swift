import ArborPrimitives
import ArborProcesses
import Synchronization

/// The lock around a simulation's machine; scheduler, clock and hooks all lead here.
final class SimulationStorage: Sendable {
  private let machine: Lock<SimulationMachine>
  private let fallback = GlobalPool()
  /// The simulation's thread waits here for other threads, when it has nothing to run.
  private let parker = Parker()
  /// When the running turn began, in real time.
  private let turn = Atomic<UInt64>(0)

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

  var turnBegan: UInt64 { turn.load(ordering: .relaxed) }

  /// Decides on the next turn; the simulation's thread alone asks.
  func step(mayAdvance: Bool) -> SimulationMachine.Step {
    turn.store(SystemTime.monotonic(), ordering: .relaxed)
    return machine.withLock { $0.step(mayAdvance: mayAdvance) }
  }

  /// True on the thread that runs the simulation, while it does.
  var isOnItsThread: Bool { SimulationThread.current?.storage === self }

  /// Waits, in real time, for a job from another thread.
  func waitForArrival(atMost patience: UInt64) {
    parker.park(until: SystemTime.monotonic().addingClamped(patience))
  }

  /// Ends a wait for another thread, because the body has returned there.
  func wake() { parker.unpark() }

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
