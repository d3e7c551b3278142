import ArborPrimitives
import ArborProcesses
import Synchronization

/// One iteration of a stream: the lock around its ``TaskStreamMachine``, and its tasks' processes.
final class TaskStreamSession<Input: Sendable, Value: Sendable>: Sendable {
  typealias Machine = TaskStreamMachine<Input, Value>

  enum Step {
    case start(Int)
    case deliver(Machine.Element)
    case wait(EventWait)
    case finished
    case failed(TaskError)
  }

  private struct State: Sendable {
    var machine: Machine
    var tasks: [Int: EndListener] = [:]
    /// The iterator's wait.
    var wait: EventWait?
    var isClosed = false
    /// What the last task that failed ended with.
    var failure: ExitReason?
    /// Kills the tasks at the owner's end, where no links do.
    var tie: OwnerTie?
  }

  let node: Node
  private let owner: ProcessCore?
  /// Whether its tasks are linked to the owner.
  private let isLinked: Bool
  private let timeout: UInt64?
  private let state: Lock<State>

  init(_ options: TaskStreamOptions, isLinked: Bool) {
    let owner = ProcessCore.current
    self.owner = owner
    node = owner?.node ?? .shared
    // An owner that traps exits hears of its tasks' ends by the results alone. As in Elixir, where
    // another process stands in between.
    self.isLinked = isLinked && owner?.trapsExit == false
    timeout = options.timeout?.wholeNanoseconds
    state = Lock(
      State(
        machine: Machine(
          maxConcurrency: options.maxConcurrency ?? SystemThread.processorCount,
          isOrdered: options.isOrdered, onTimeout: options.onTimeout)))
    guard let owner else { return }
    if isLinked, !self.isLinked {
      let tie = OwnerTie { [weak self] in self?.close() }
      state.withLock { $0.tie = tie }
      if !owner.adopt(tie) { close() }
    } else if owner.isFenced {
      close()
    }
  }

  func next() -> Step {
    state.withLock { state in
      switch state.machine.next() {
      case .start where state.isClosed, .wait where state.isClosed: return .failed(.cancelled)
      case .start(let position): return .start(position)
      case .deliver(let element): return .deliver(element)
      case .finished: return .finished
      case .failed(let error): return .failed(error)
      case .wait:
        let wait = EventWait()
        state.wait = wait
        return .wait(wait)
      }
    }
  }

  func inputEnded() { state.withLock { $0.machine.inputEnded() } }

  /// Starts the task of the next element.
  func start(
    _ input: Input, at position: Int, in home: TaskHome,
    _ body: @escaping @Sendable (Input) async throws -> Value
  ) async throws(TaskError) {
    let cursor = Ambient.current?.envelope?.cursor
    let prepare = { @Sendable [self] (core: ProcessCore) in
      let watch = EndListener(core) { [weak self] in self?.hear($0, of: position) }
      let isClosed = state.withLock { state in
        if state.isClosed { return true }
        state.machine.started(input)
        state.tasks[position] = watch
        return false
      }
      if isClosed { return core.finish(.killed) }
      watch.begin(timeout: timeout)
      core.launch(under: cursor) { [weak self] core in
        let value = try await body(input)
        if !core.isFenced { self?.replied(position, value) }
      }
    }
    try await home.newTask(for: owner, on: node, linked: isLinked, prepare)
  }

  private func replied(_ position: Int, _ value: Value) {
    state.withLock { $0.machine.replied(position, value) }
  }

  private func hear(_ news: CallError, of position: Int) {
    let (watch, wait) = state.withLock { state -> (EndListener?, EventWait?) in
      if state.isClosed { return (nil, nil) }
      let watch: EndListener?
      if case .exit(let reason) = news {
        state.machine.ended(position, reason)
        if reason != .normal { state.failure = reason }
        watch = state.tasks.removeValue(forKey: position)
      } else {
        guard state.machine.timedOut(position) else { return (nil, nil) }
        watch = state.tasks[position]
      }
      defer { state.wait = nil }
      return (watch, state.wait)
    }
    if let watch {
      if case .exit = news { node.clock.cancel(watch) } else { kill(watch.server) }
    }
    wait?.signal()
  }

  /// Ends a task without its owner being taken along.
  private func kill(_ task: ProcessCore) {
    if isLinked, let owner { ProcessContext(owner).unlink(task.pid) }
    task.receiveExit(.kill, from: nil)
  }

  /// Ends what is left of it. From here on its tasks are fenced.
  func close() {
    let (tasks, tie) = state.withLock { state -> ([EndListener], OwnerTie?) in
      state.isClosed = true
      defer {
        state.tasks = [:]
        state.tie = nil
      }
      return (state.tasks.sorted { $0.key < $1.key }.map(\.value), state.tie)
    }
    for watch in tasks {
      watch.end()
      kill(watch.server)
    }
    if let tie { owner?.disown(tie) }
  }

  /// What the iterator throws when it is cancelled, or its process is exiting.
  var cancellation: TaskError {
    guard let reason = owner?.exitReason else { return .cancelled }
    // A linked task's failure is known by what it does to its owner: say what it was. That is before it
    // is heard of here, or after.
    let isOurs = state.withLock { state in
      state.failure == reason || state.tasks.values.contains { $0.server.fate?.reason == reason }
    }
    return isOurs ? .exit(reason) : .cancelled
  }
}

/// Hears of the end of a process that it is handed to.
private final class OwnerTie: OwnedResource {
  private let end: @Sendable () -> Void
  init(_ end: @escaping @Sendable () -> Void) { self.end = end }
  func ownerReleased(_ owner: PID, reason: ExitReason) { end() }
}

/// Where the tasks of a stream live.
struct TaskHome: Sendable {
  let isLinked: Bool
  /// Makes a process and hands it to `prepare`, which launches it; nil for the owner's own.
  let supervisor:
    (
      @Sendable (
        _ owner: ProcessCore?, _ isLinked: Bool,
        _ prepare: @escaping @Sendable (ProcessCore) -> Void
      ) async throws(TaskError) -> Void
    )?

  func newTask(
    for owner: ProcessCore?, on node: Node, linked: Bool,
    _ prepare: @escaping @Sendable (ProcessCore) -> Void
  ) async throws(TaskError) {
    if let supervisor { return try await supervisor(owner, linked, prepare) }
    prepare(owner?.newTask(linked: linked) ?? ProcessCore(node: node, parent: nil))
  }
}
