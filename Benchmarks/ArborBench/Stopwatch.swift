import Arbor
import ArborProcesses

/// What every row measures with.
struct Stopwatch {
  private let start = ContinuousClock.now

  /// Nanoseconds of one of `count` operations since the watch was made.
  func perOperation(_ count: Int) -> Double {
    let elapsed = (ContinuousClock.now - start).components
    return (Double(elapsed.seconds) * 1e9 + Double(elapsed.attoseconds) / 1e9) / Double(count)
  }
}

/// Where the rounds run.
enum Stage {
  /// One worker, and one seed, where instructions are counted: then a run takes the same ones each time.
  static let node =
    CommandLine.arguments.contains("--one-worker")
    ? Node(scheduler: WorkStealingPool(workers: 1, spares: 0), clock: SystemClock(), seed: 1)
    : .shared
}

/// Runs a round in a process of its own, on the node's threads.
func inProcess(
  _ round: @escaping @Sendable (ProcessContext) async throws -> Double
) async throws -> Double {
  try await withCheckedThrowingContinuation { continuation in
    spawn(on: Stage.node) { context in
      do {
        continuation.resume(returning: try await round(context))
      } catch {
        continuation.resume(throwing: error)
      }
    }
  }
}

/// Runs a round in a plain task on Swift's own threads.
func inPlainTask(_ round: @escaping @Sendable () async throws -> Double) async throws -> Double {
  try await Task.detached { try await round() }.value
}

struct Go: Sendable {}
struct Done: Sendable {}

/// Has `count` processes work at once: nanoseconds of one of `operations`, from the common start
/// to the last end. Each process is given its number and its share of the operations.
func together(
  _ count: Int, _ operations: Int, _ context: ProcessContext,
  _ work: @escaping @Sendable (_ index: Int, _ share: Int) async throws -> Void
) async throws -> Double {
  let parent = context.pid
  let share = operations / count
  let workers = (0..<count).map { index in
    context.spawnLink { worker in
      _ = try await worker.receive(Go.self)
      try await work(index, share)
      worker.send(Done(), to: parent)
    }
  }
  let watch = Stopwatch()
  for worker in workers { context.send(Go(), to: worker) }
  for _ in workers { _ = try await context.receive(Done.self) }
  return watch.perOperation(operations)
}
