/// One choice of a simulation: who was given a turn, and among how many.
///
///     for step in failure.trace.suffix(20) { print(step) }   // 5ms: #PID<3> (2 of 4)
public struct SimulationStep: Sendable, Hashable {
  /// Who was given the turn.
  public enum Subject: Sendable, Hashable {
    /// A process, by the number of its PID.
    case process(UInt64)
    /// A task that is no process's own, numbered in the order of appearance.
    case task(Int)
    /// A plain actor.
    case actor
    /// A timer whose time had come.
    case timer
    /// Housekeeping of the runtime.
    case other
  }

  /// Nanoseconds of virtual time since the simulation began.
  public let time: UInt64
  /// Which of the candidates it was, from 0.
  public let choice: Int
  /// How many could have been given the turn.
  public let choices: Int
  public let subject: Subject
}

extension SimulationStep: CustomStringConvertible {
  public var description: String {
    "\(Duration.nanoseconds(time)): \(subject) (\(choice + 1) of \(choices))"
  }
}

extension SimulationStep.Subject: CustomStringConvertible {
  public var description: String {
    switch self {
    case .process(let id): "#PID<\(id)>"
    case .task(let number): "task \(number)"
    case .actor: "an actor"
    case .timer: "a timer"
    case .other: "the runtime"
    }
  }
}
