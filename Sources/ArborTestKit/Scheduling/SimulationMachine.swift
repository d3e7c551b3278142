import ArborPrimitives
import ArborProcesses

/// What a simulation decides under its lock: who runs next, what time it is, and when there is
/// nothing left to do. Pure: it runs, fires and resumes nothing itself.
struct SimulationMachine {
  /// What the loop does after it has let the lock go.
  enum Step {
    case run(Runnable)
    case fire(TimerEntry)
    /// Nothing could run: those who waited for just that go on.
    case resume([UnsafeContinuation<Void, Never>])
    /// Nothing can run, nobody waits for that, and there is no later time to go to.
    case idle
  }

  /// A virtual clock does not begin at 0, which code may take for "no time".
  static let start: UInt64 = 1_000_000_000

  private(set) var now = SimulationMachine.start
  private(set) var candidates: [Candidate] = []
  private(set) var trace: [SimulationStep] = []
  /// How many jobs came from threads outside.
  private(set) var arrivals = 0
  /// True once the simulation has ended: nothing is taken any more.
  private(set) var isOver = false

  private var choices: ChoiceSource
  private let wheel = TimerWheel(startingAt: SimulationMachine.start)
  private var settlers: [UnsafeContinuation<Void, Never>] = []
  private var taskNumbers: [UInt64: Int] = [:]

  init(seed: UInt64, policy: SimulationOptions.Policy) {
    choices = ChoiceSource(seed: seed, policy: policy)
  }

  /// - Returns: false if the simulation is over, and the runnable must go elsewhere.
  mutating func enqueue(_ runnable: Runnable, isForeign: Bool) -> Bool {
    if isOver { return false }
    if isForeign { arrivals += 1 }
    add(.run(runnable))
    return true
  }

  mutating func schedule(_ entry: TimerEntry, at deadline: UInt64) {
    if isOver { return }
    if deadline <= now { add(.fire(entry)) } else { wheel.add(entry, at: deadline) }
  }

  /// - Returns: the nanoseconds that were left, nil if the entry does not wait.
  mutating func cancel(_ entry: TimerEntry) -> UInt64? {
    if let deadline = wheel.remove(entry) { return deadline - now }
    guard let index = indexOfDue(entry) else { return nil }
    take(at: index)
    return 0
  }

  func remaining(_ entry: TimerEntry) -> UInt64? {
    if let deadline = wheel.deadline(of: entry) { return deadline - now }
    return indexOfDue(entry) == nil ? nil : 0
  }

  /// Notes somebody to resume once nothing else can run.
  mutating func settle(_ continuation: UnsafeContinuation<Void, Never>) {
    settlers.append(continuation)
  }

  /// Decides what happens next.
  ///
  /// - Parameter mayAdvance: whether time may pass if nothing can run now.
  mutating func step(mayAdvance: Bool = true) -> Step {
    if candidates.isEmpty {
      if !settlers.isEmpty {
        defer { settlers = [] }
        return .resume(settlers)
      }
      guard mayAdvance, advance() else { return .idle }
    }
    let index = choices.next(of: candidates)
    let count = candidates.count
    let candidate = take(at: index)
    trace.append(
      SimulationStep(
        time: now - SimulationMachine.start, choice: index, choices: count,
        subject: candidate.subject))
    return switch candidate.action {
    case .run(let runnable): .run(runnable)
    case .fire(let entry): .fire(entry)
    }
  }

  /// Ends the simulation.
  ///
  /// - Returns: what could still have run, and the timers to let go once the lock is let go.
  mutating func end() -> (candidates: [Candidate], timers: [TimerEntry]) {
    isOver = true
    defer { candidates = [] }
    return (candidates, wheel.removeAll())
  }

  private mutating func add(_ action: Candidate.Action) {
    let subject = subject(of: action)
    candidates.append(
      Candidate(action: action, subject: subject, rank: choices.rank(of: subject)))
  }

  /// Takes a candidate out; the last one takes its place, so that it costs the same among many.
  @discardableResult
  private mutating func take(at index: Int) -> Candidate {
    candidates.swapAt(index, candidates.count - 1)
    return candidates.removeLast()
  }

  /// Moves on to the next deadline; false if there is none.
  private mutating func advance() -> Bool {
    var due: [TimerEntry] = []
    // The wheel may say a time that is too early, to sort its entries more finely.
    while let time = wheel.nextDeadline {
      wheel.advance(to: time, into: &due)
      if due.isEmpty { continue }
      now = max(now, time)
      for entry in due { add(.fire(entry)) }
      return true
    }
    return false
  }

  private func indexOfDue(_ entry: TimerEntry) -> Int? {
    candidates.firstIndex {
      if case .fire(let due) = $0.action { due === entry } else { false }
    }
  }

  private mutating func subject(of action: Candidate.Action) -> SimulationStep.Subject {
    switch action {
    case .fire: return .timer
    case .run(let process as ProcessCore): return .process(process.id)
    case .run(let loose as LooseJob):
      guard let id = JobIdentity.taskID(of: loose.job) else { return .actor }
      // Numbered in the order in which they are met: the runtime's own numbers go on from one
      // simulation to the next, so that no two traces would be alike.
      if let number = taskNumbers[id] { return .task(number) }
      let number = taskNumbers.count + 1
      taskNumbers[id] = number
      return .task(number)
    case .run: return .other
    }
  }
}
