/// Why a call has no answer.
///
/// One that leaves a handler or a process's body is always an abnormal exit reason, also where it
/// carries a normal one. (In OTP the caller exits with the tuple that holds the reason, which is
/// abnormal too.)
///
/// OTP: the exits of `gen_server:call/3`.
public enum CallError: Error, Sendable, Equatable {
  /// The server ended before it answered; for this reason.
  case exit(ExitReason)
  /// There is no such process, or nobody has that name.
  case noproc
  /// The answer did not come in time. If it still comes it is dropped.
  case timeout
  /// A handler called its own server, which could never have answered.
  case callingSelf
  /// The calling task was cancelled, or an exit signal arrived at the calling process.
  case cancelled
  /// The name or PID is held by another type of server than the reference names.
  case wrongServer
  /// The server's bounded mailbox refused the call.
  case overloaded
  /// The server let go of the request's `From` without replying to it.
  case noReply
  /// The arguments make no call: a negative timeout.
  case badarg
}

extension CallError: CustomStringConvertible {
  public var description: String {
    switch self {
    case .exit(let reason): "the server ended before it answered: \(reason)"
    case .noproc: "no such process: it has ended, or nobody holds that name"
    case .timeout: "no answer in time; pass a longer timeout, or look at what the server waits for"
    case .callingSelf: "a handler called its own server; call the method itself instead"
    case .cancelled: "the caller was cancelled, or is exiting"
    case .wrongServer: "another type of server holds that name or PID"
    case .overloaded: "the server's mailbox is full"
    case .noReply: "the server let go of the request without a reply"
    case .badarg: "a timeout must not be negative"
    }
  }
}
