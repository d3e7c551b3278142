import ArborProcesses

/// Why a supervisor refuses its children's specifications, or an operation on them.
///
/// OTP: the errors of `supervisor:check_childspecs/1`.
public enum SupervisorError: Error, Sendable, Equatable {
  /// Two children have the same id.
  case duplicateID(String)
  /// A child's id is empty.
  case emptyID
  /// The restart limit is negative.
  case negativeIntensity(Int)
  /// The period is zero or negative.
  case badPeriod(Duration)
  /// A child did not start; those before it have been stopped again.
  case childFailed(String, StartError)
}

extension SupervisorError: CustomStringConvertible {
  public var description: String {
    switch self {
    case .duplicateID(let id): "two children have the id \"\(id)\"; an id names one child"
    case .emptyID: "a child has an empty id; give it one that names it"
    case .negativeIntensity(let limit): "maxRestarts must not be negative, and is \(limit)"
    case .badPeriod(let period): "the period of maxRestarts must be positive, and is \(period)"
    case .childFailed(let id, let error): "the child \"\(id)\" did not start: \(error)"
    }
  }
}
