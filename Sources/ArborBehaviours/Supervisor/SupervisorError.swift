import ArborPrimitives
public import ArborProcesses

/// Why a supervisor refuses its children's specifications, or an operation on them.
///
/// OTP: the errors of `supervisor:check_childspecs/1` and of `supervisor`'s functions.
public enum SupervisorError: Error, Sendable, Equatable {
  /// Two children have the same id.
  case duplicateID(String)
  /// A child's id is empty.
  case emptyID
  /// A permanent child is said to be significant; it is always started again.
  case significantPermanent(String)
  /// A child is said to be significant, and its supervisor never shuts down automatically.
  case significantWithoutAutoShutdown(String)
  /// A child is given less than no time to end.
  case negativeShutdown(String, Duration)
  /// A child takes extra arguments, and its supervisor has none, or of another type.
  case extraArguments(String, wanted: String)
  /// A temporary child's specification came from a supervisor, which keeps of it no way to start it.
  case withoutStart(String)
  /// The restart limit is negative.
  case negativeIntensity(Int)
  /// The period is zero or negative.
  case badPeriod(Duration)
  /// The limit of children is negative.
  case negativeMaxChildren(Int)
  /// The number of partitions is not between these.
  case badPartitions(Int, ClosedRange<Int>)
  /// A child did not start. In a supervisor's start, those before it have been stopped again.
  case childFailed(String, StartError)
  /// A child of that id runs. OTP: `already_started`.
  case alreadyStarted(String, PID)
  /// There is a child of that id, without a process. OTP: `already_present`.
  case alreadyPresent(String)
  /// There is no child of that id. OTP: `not_found`.
  case notFound(String)
  /// The PID is not of a child. OTP: `not_found`.
  case notAChild(PID)
  /// The child runs. OTP: `running`.
  case running(String, PID)
  /// The child is being started again. OTP: `restarting`.
  case restarting(String)
  /// There are as many children as there may be. OTP: `max_children` of Elixir.
  case maxChildren(Int)
  /// The supervisor did not answer.
  case noAnswer(CallError)
}

extension SupervisorError: CustomStringConvertible {
  public var description: String {
    switch self {
    case .duplicateID(let id): "two children have the id \"\(id)\"; an id names one child"
    case .emptyID: "a child has an empty id; give it one that names it"
    case .significantPermanent(let id):
      "the child \"\(id)\" is significant and permanent; make it transient or temporary, as one that "
        + "is always started again never ends for good"
    case .significantWithoutAutoShutdown(let id):
      "the child \"\(id)\" is significant; give its supervisor `autoShutdown: .anySignificant` or "
        + "`.allSignificant`, or leave out `significant`"
    case .negativeShutdown(let id, let time):
      "the child \"\(id)\" cannot end within \(time); use zero or more, or `.brutalKill`"
    case .extraArguments(let id, let wanted):
      "the child \"\(id)\" takes a \(wanted); start it by a DynamicSupervisor that was given one as "
        + "`extraArguments`"
    case .withoutStart(let id):
      "the temporary child \"\(id)\" cannot be started by what `childSpec` returned; make a new Child"
    case .negativeIntensity(let limit):
      "maxRestarts must not be negative, and is \(limit); 0 allows no restart"
    case .badPeriod(let period):
      "the period of maxRestarts must be more than zero, and is \(period)"
    case .negativeMaxChildren(let limit):
      "maxChildren must not be negative, and is \(limit); leave it out for no limit"
    case .badPartitions(let number, let range):
      "there can be \(range.lowerBound) to \(range.upperBound) partitions, and not \(number)"
    case .childFailed(let id, let error): "the child \"\(id)\" did not start: \(error)"
    case .alreadyStarted(let id, let pid): "a child \"\(id)\" runs already, as \(pid)"
    case .alreadyPresent(let id):
      "there is a child \"\(id)\" that has no process; use restartChild, or deleteChild first"
    case .notFound(let id): "there is no child \"\(id)\""
    case .notAChild(let pid): "\(pid) is no child of this supervisor"
    case .running(let id, let pid): "the child \"\(id)\" runs, as \(pid); use terminateChild first"
    case .restarting(let id):
      "the child \"\(id)\" is being started again; use terminateChild first"
    case .maxChildren(let limit): "the supervisor has \(limit) children, and may not have more"
    case .noAnswer(let error): "the supervisor did not answer: \(error)"
    }
  }
}

extension Child {
  /// Makes sure that the specification makes sense.
  ///
  /// - Parameter extra: what the supervisor passes to its children.
  func check(
    autoShutdown: AutoShutdown = .never, extra: (any Sendable)? = nil
  ) throws(SupervisorError) {
    if id.isEmpty { throw .emptyID }
    if start == nil { throw .withoutStart(id) }
    if isSignificant {
      if restart == .permanent { throw .significantPermanent(id) }
      if autoShutdown == .never { throw .significantWithoutAutoShutdown(id) }
    }
    if case .timeout(let time) = shutdown, time < .zero { throw .negativeShutdown(id, time) }
    if let wanted = self.extra, !(extra.map(wanted.isMet) ?? false) {
      throw .extraArguments(id, wanted: "\(wanted.type)")
    }
  }
}

extension RestartIntensity {
  /// The intensity that a user asks for.
  init(maxRestarts: Int, within period: Duration) throws(SupervisorError) {
    if maxRestarts < 0 { throw .negativeIntensity(maxRestarts) }
    if period <= .zero { throw .badPeriod(period) }
    self.init(limit: maxRestarts, period: period.wholeNanoseconds)
  }
}
