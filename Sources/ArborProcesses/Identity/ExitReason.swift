/// Why a process ended, or shall end.
///
///     throw ExitReason.normal              // inside a handler: stop, nothing is wrong
///     worker.sendExit(.kill)               // from outside: stop now, this cannot be trapped
///
/// Any other error that leaves a process's body becomes ``error(_:)``. Equal are reasons of the
/// same kind; two errors are equal if they are of one type and, being `Equatable`, are equal, or
/// else read the same.
///
/// OTP: the exit reasons of `erlang:exit/1,2`.
public enum ExitReason: Error, Sendable {
  /// The end that nobody needs to hear of: links are not taken down by it.
  case normal
  /// An end on request, as a supervisor asks for it; quiet in the log, taking links along.
  case shutdown
  /// As ``shutdown``, saying why. Written `.shutdown("why")`.
  case shutdownDetail(String)
  /// The request that cannot be trapped. A process ended by it reports ``killed``.
  case kill
  /// What a process ended by ``kill`` tells its links and monitors.
  case killed
  /// There was no such process, when it was linked, monitored or called.
  case noproc
  /// An error that left the process's body.
  case error(any Error)

  /// As `shutdown`, with a detail for the log.
  public static func shutdown(_ detail: String) -> ExitReason { .shutdownDetail(detail) }

  /// The reason that an error means when it leaves a process's body: itself if it is one.
  public init(_ error: any Error) {
    self = error as? ExitReason ?? .error(error)
  }

  // Without a comparison of all the others.
  var isNormal: Bool { if case .normal = self { true } else { false } }
  var isKill: Bool { if case .kill = self { true } else { false } }

  /// True for `normal`, `shutdown` and `shutdown(detail)`: ends that are no failure. They are not
  /// logged, and a transient child that ended so is not restarted.
  public var isQuiet: Bool {
    switch self {
    case .normal, .shutdown, .shutdownDetail: true
    case .kill, .killed, .noproc, .error: false
    }
  }
}

extension ExitReason: Equatable {
  public static func == (left: ExitReason, right: ExitReason) -> Bool {
    switch (left, right) {
    case (.normal, .normal), (.shutdown, .shutdown), (.kill, .kill), (.killed, .killed),
      (.noproc, .noproc):
      return true
    case (.shutdownDetail(let left), .shutdownDetail(let right)): return left == right
    case (.error(let left), .error(let right)):
      guard type(of: left) == type(of: right) else { return false }
      if let left = left as? any Equatable { return left.isEqual(to: right) }
      return String(reflecting: left) == String(reflecting: right)
    default: return false
    }
  }
}

extension Equatable {
  fileprivate func isEqual(to other: any Error) -> Bool { self == other as? Self }
}

extension ExitReason: CustomStringConvertible {
  public var description: String {
    switch self {
    case .normal: "normal"
    case .shutdown: "shutdown"
    case .shutdownDetail(let detail): "shutdown(\(detail))"
    case .kill: "kill"
    case .killed: "killed"
    case .noproc: "noproc"
    case .error(let error): "\(error)"
    }
  }
}
