package import ArborProcesses

/// Which element's task is to be started when, and which result is next, as a pure state machine.
///
/// Positions count the elements from 0. A task first gives its value, or times out, and then ends.
package struct TaskStreamMachine<Input: Sendable, Value: Sendable>: Sendable {
  package typealias Element = Result<Value, TaskFailure<Input>>

  /// What the iterator is to do.
  package enum Step {
    /// Take the next element and start its task; `inputEnded` if there is none.
    case start(Int)
    case deliver(Element)
    case wait
    case finished
    case failed(TaskError)
  }

  private enum Work {
    case running
    case replied(Value)
    case timedOut
  }

  private let maxConcurrency: Int
  private let isOrdered: Bool
  private let onTimeout: StreamTimeout

  private var running: [Int: (input: Input, work: Work)] = [:]
  /// Results that wait for those before them.
  private var early: [Int: Element] = [:]
  /// Results in the order of their delivery.
  private var ready: [Element] = []
  private var readyHead = 0
  private var started = 0
  private var nextInOrder = 0
  private var hasInput = true
  private var error: TaskError?

  package init(maxConcurrency: Int, isOrdered: Bool, onTimeout: StreamTimeout) {
    self.maxConcurrency = maxConcurrency
    self.isOrdered = isOrdered
    self.onTimeout = onTimeout
  }

  /// What comes next: starting goes before delivering, so that work is under way while the results
  /// are looked at.
  package mutating func next() -> Step {
    if let error { return .failed(error) }
    if hasInput, running.count < maxConcurrency { return .start(started) }
    if readyHead < ready.count {
      defer {
        readyHead += 1
        if readyHead == ready.count {
          ready.removeAll(keepingCapacity: true)
          readyHead = 0
        }
      }
      return .deliver(ready[readyHead])
    }
    return running.isEmpty ? .finished : .wait
  }

  package mutating func inputEnded() { hasInput = false }

  package mutating func started(_ input: Input) {
    running[started] = (input, .running)
    started += 1
  }

  /// The task has its value; what counts is its end.
  package mutating func replied(_ position: Int, _ value: Value) {
    guard let task = running[position], case .running = task.work else { return }
    running[position] = (task.input, .replied(value))
  }

  /// - Returns: true if the task is to be killed.
  package mutating func timedOut(_ position: Int) -> Bool {
    guard let task = running[position], case .running = task.work else { return false }
    running[position] = (task.input, .timedOut)
    if onTimeout == .endStream { error = .timeout }
    return true
  }

  package mutating func ended(_ position: Int, _ reason: ExitReason) {
    guard let (input, work) = running.removeValue(forKey: position) else { return }
    let element: Element =
      switch work {
      case .replied(let value): .success(value)
      case .running: .failure(TaskFailure(input: input, reason: reason))
      case .timedOut: .failure(TaskFailure(input: input, reason: .error(TaskError.timeout)))
      }
    guard isOrdered else { return ready.append(element) }
    early[position] = element
    while let element = early.removeValue(forKey: nextInOrder) {
      ready.append(element)
      nextInOrder += 1
    }
  }
}
