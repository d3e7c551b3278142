import ArborPrimitives
import ArborProcesses
import Synchronization

extension Simulation {
  /// Runs the body and all that it starts, on the calling thread, until it has returned.
  func run<Value: Sendable>(
    _ body: @escaping @Sendable (Simulation) async throws -> Value
  ) -> Result<Value, any Error> {
    let outcome = Outcome<Value>()
    var turns = Turns(limit: options.stepLimit)
    let result = SimulationThread.run(executor) {
      // The first task of all, by which those that are older are told.
      Task(executorPreference: executor) { [self] in start(body, outcome) }
      let error = drive(&turns, until: { outcome.isSet })
      if error == nil, options.settles { drain(&turns, mayAdvance: false) }
      let result = error.map { .failure($0) } ?? outcome.value ?? .failure(CancellationError())
      stop(&turns)
      return result
    }
    storage.end(passingOn: !turns.areUsedUp)
    return result
  }

  private func start<Value: Sendable>(
    _ body: @escaping @Sendable (Simulation) async throws -> Value, _ outcome: Outcome<Value>
  ) {
    context.core.launch(under: nil) { [self] _ in
      defer { storage.wakeFromOutside() }
      do {
        outcome.set(.success(try await body(self)))
      } catch {
        outcome.set(.failure(error))
        throw error
      }
    }
  }

  /// How many turns have been taken, and how many may be.
  private struct Turns {
    let limit: Int
    private var taken = 0

    init(limit: Int) { self.limit = limit }

    var areUsedUp: Bool { taken > limit }

    mutating func take() -> Bool {
      taken += 1
      return !areUsedUp
    }

    mutating func startAgain() { taken = 0 }
  }

  /// Gives turns until the body has returned. Returns why it never will, if so.
  private func drive(_ turns: inout Turns, until isDone: () -> Bool) -> SimulationError? {
    while !isDone() {
      guard turns.take() else { return .tooManySteps(turns.limit) }
      if turn() { continue }
      // Perhaps another thread is about to bring something: the main actor, a queue.
      let isWoken = storage.waitForOutside(atMost: options.patience.wholeNanoseconds)
      if !isWoken, !isDone() { return .deadlock(waiting) }
    }
    return nil
  }

  /// Gives turns until nothing can run.
  private func drain(_ turns: inout Turns, mayAdvance: Bool, while goesOn: () -> Bool = { true }) {
    while goesOn(), turns.take(), turn(mayAdvance: mayAdvance) {}
  }

  /// Gives one turn; false if nobody can take it.
  private func turn(mayAdvance: Bool = true) -> Bool {
    switch storage.step(mayAdvance: mayAdvance) {
    case .run(let runnable):
      if runnable.run(budget: 1) { storage.enqueue(runnable) }
    case .fire(let entry): entry.fire()
    case .resume(let settled):
      for continuation in settled { continuation.resume() }
    case .idle: return false
    }
    return true
  }

  /// Ends the processes that are left, and lets them come to rest.
  private func stop(_ turns: inout Turns) {
    turns.startAgain()
    for process in node.processes.all { process.receiveExit(.kill, from: nil) }
    drain(&turns, mayAdvance: false)
    // A handler that does not return holds its process until the grace is over.
    drain(&turns, mayAdvance: true) { node.processCount > 0 }
  }

  /// Who cannot go on.
  private var waiting: [SimulationError.Waiting] {
    let names = Dictionary(grouping: node.registered, by: \.value).mapValues {
      $0.map(\.key).sorted { $0.text < $1.text }
    }
    return node.processes.all.map { process in
      SimulationError.Waiting(
        pid: process.pid, names: names[process.pid] ?? [], what: process.waitDescription)
    }
  }
}

/// What the body returned or threw, once it has.
private final class Outcome<Value: Sendable>: Sendable {
  private let result = Lock<Result<Value, any Error>?>(nil)
  private let hasResult = Atomic(false)

  func set(_ result: Result<Value, any Error>) {
    self.result.withLock { $0 = result }
    hasResult.store(true, ordering: .releasing)
  }

  var isSet: Bool { hasResult.load(ordering: .acquiring) }
  var value: Result<Value, any Error>? { result.withLock { $0 } }
}
