public import ArborProcesses

/// Why a server could not be started. Nothing of it is left: no process, no name.
///
/// OTP: the `{error, Reason}` of `gen_server:start/3`.
public enum StartError: Error, Sendable, Equatable {
  /// What makes the server threw, or the process was ended while it did; for this reason.
  case failed(ExitReason)
  /// The name is held by another process.
  case alreadyStarted(PID)
  /// The closure returned a server that was made elsewhere, or started before.
  case foreignServer
  /// It was not ready in time, and was killed.
  case timeout
  /// The starting task was cancelled, or its process is exiting; the server was killed.
  case cancelled
  /// What makes the server threw this: there is no need for it now. Not a failure to its supervisor,
  /// which keeps the child without a process.
  ///
  /// OTP: `ignore`.
  case ignored
  /// `startLink` links to the calling process, and there is none.
  case notInProcess
  /// A timeout is negative; nothing was started.
  ///
  /// OTP: `timeout_value`.
  case badarg
}

extension StartError: CustomStringConvertible {
  public var description: String {
    switch self {
    case .failed(let reason): "the server failed to start: \(reason)"
    case .alreadyStarted(let pid): "the name is held by \(pid); stop that one, or choose another"
    case .foreignServer:
      "the closure must make a new server, whose `process` is made with it: "
        + "`let process = ProcessContext()`"
    case .timeout: "the server was not ready in time, and was killed"
    case .cancelled: "the starter was cancelled while the server started"
    case .ignored: "the server did not want to start"
    case .notInProcess:
      "there is no calling process to link to: use `start`, or start it inside `withProcess { }`"
    case .badarg: "a timeout must not be negative; leave it out to wait without end"
    }
  }
}

extension StartError {
  /// What a failed start means to its starter.
  @usableFromInline
  init(_ error: CallError) {
    switch error {
    case .timeout: self = .timeout
    case .cancelled, .callingSelf: self = .cancelled
    case .exit(.error(let error as StartError)): self = error
    case .exit(let reason): self = .failed(reason)
    case .noproc, .wrongServer, .overloaded, .noReply, .badarg: self = .failed(.error(error))
    }
  }
}
