public import ArborProcesses

/// Why there is no answer of a task, or no task.
///
/// OTP: the exits of Elixir's `Task.await/2`, and the errors that its `Task` raises.
public enum TaskError: Error, Sendable, Equatable {
  /// The task ended without a result; for this reason.
  case exit(ExitReason)
  /// The result did not come in time; of a stream, that of one of its tasks.
  case timeout
  /// The task belongs to another process: who has started it is who its result is sent to.
  case notOwner(PID, caller: PID?)
  /// There is no calling process for the task to belong to.
  case notInProcess
  /// The result was taken before, or the task was given up: by a timeout, `ignore` or `shutdown`.
  case alreadyAwaited
  /// Another receive of the calling process is running.
  case alreadyReceiving
  /// The caller was cancelled, or is exiting.
  case cancelled
  /// The supervisor runs as many tasks as it may.
  case maxChildren
  /// The supervisor did not start the task.
  case notStarted(SupervisorError)
  /// A timeout or a limit makes no sense.
  case badarg
}

extension TaskError: CustomStringConvertible {
  public var description: String {
    switch self {
    case .exit(let reason): "the task ended without a result: \(reason)"
    case .timeout:
      "the task gave no result in time; pass a longer timeout, or `yield` to look again"
    case .notOwner(let owner, let caller):
      "the task belongs to \(owner), and \(caller.map { "\($0)" } ?? "code outside any process") asked "
        + "for its result; send the result on instead"
    case .notInProcess:
      "a task belongs to a process: start it in one, or inside `withProcess { }`"
    case .alreadyAwaited: "the task's result was taken before, or the task was given up"
    case .alreadyReceiving:
      "another receive of this process is running; to await several tasks at once use `awaitMany`"
    case .cancelled: "the caller was cancelled, or is exiting"
    case .maxChildren:
      "the supervisor runs as many tasks as it may; raise its `maxChildren`, or lower the stream's "
        + "`maxConcurrency`"
    case .notStarted(let error): "the supervisor did not start the task: \(error)"
    case .badarg: "a timeout must not be negative, a limit must be 1 or more"
    }
  }
}
