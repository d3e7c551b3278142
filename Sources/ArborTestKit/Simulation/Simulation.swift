import ArborPrimitives
public import ArborProcesses
import Synchronization

/// A simulation, as its body sees it: the node it runs on, its time, and its chance.
///
///     try simulate(seed: 7) { sim in
///       let worker = spawn { context in try await context.sleep(for: .seconds(60)) }
///       await sim.advance(by: .seconds(59))
///       #expect(worker.isAlive)
///       await sim.advance(by: .seconds(1))
///       #expect(!worker.isAlive)
///     }
public final class Simulation: Sendable {
  /// The seed that its choices come from.
  public let seed: UInt64
  /// The node that the body runs on: what it spawns and names, lives there.
  public let node: Node
  /// The process that the body runs as.
  public let context: ProcessContext

  let options: SimulationOptions
  let storage: SimulationStorage
  let executor: SimulationExecutor
  /// For the test's own choices, apart from the scheduler's: one more of those changes no turn.
  private let chance: Lock<SeededGenerator>

  init(seed: UInt64, options: SimulationOptions) {
    self.seed = seed
    self.options = options
    var seeds = SeededGenerator(seed: seed)
    storage = SimulationStorage(seed: seeds.next(), policy: options.policy)
    executor = SimulationExecutor(storage)
    node = Node(
      scheduler: SeededScheduler(storage), clock: VirtualClock(storage), seed: seeds.next())
    // Processes crash in simulations by the thousand, and on purpose.
    node.logger = nil
    context = ProcessContext(ProcessCore(node: node, parent: nil))
    chance = Lock(SeededGenerator(seed: seeds.next()))
  }

  /// The virtual time since the simulation began.
  public var now: Duration { .nanoseconds(storage.elapsed) }

  /// The choices made so far.
  public var trace: [SimulationStep] { storage.withMachine { $0.trace } }

  /// How many jobs were seen to come in from threads outside, each at a time that no seed decides:
  /// above 0, the simulation cannot be repeated exactly.
  public var arrivals: Int { storage.withMachine { $0.arrivals } }

  /// Waits until nothing can run but the caller. Time does not pass.
  public func settle() async {
    await withUnsafeContinuation { continuation in
      storage.settle(continuation)
    }
  }

  /// Lets virtual time pass: every timer of that time fires, and what follows from it comes to rest.
  public func advance(by duration: Duration) async {
    await withUnsafeContinuation { continuation in
      storage.schedule(
        ResumingEntry(continuation), at: storage.now.addingClamped(duration.wholeNanoseconds))
    }
    await settle()
  }

  /// A random number of the seed's, for the test's own choices.
  public func random(in range: Range<Int>) -> Int {
    chance.withLock { .random(in: range, using: &$0) }
  }
}

/// Resumes somebody at a time.
private final class ResumingEntry: TimerEntry, @unchecked Sendable {
  // Unchecked: written once.
  private let continuation: UnsafeContinuation<Void, Never>
  init(_ continuation: UnsafeContinuation<Void, Never>) { self.continuation = continuation }
  override func fire() { continuation.resume() }
}
