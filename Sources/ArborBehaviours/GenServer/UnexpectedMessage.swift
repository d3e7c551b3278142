import ArborProcesses

extension ProcessContext {
  /// Writes to the node's logger that a server got what it does not know what to do with.
  ///
  /// OTP: what `supervisor`, and `gen_server` for a module without `handle_info/2`, log.
  func logUnexpected(_ info: Info, by server: String, _ level: LogLevel) {
    node.log(level, "\(server) got an unexpected \(info.text)", of: core, report: info)
  }
}

extension Info {
  fileprivate var text: String {
    func who(_ pid: PID?, _ name: ProcessName? = nil) -> String {
      name?.text ?? pid.map { "\($0)" } ?? "nobody"
    }
    return switch self {
    case .message(let message): "message: \(message)"
    case .down(let down): "DOWN of \(who(down.pid, down.name)): \(down.reason)"
    case .exit(let exit): "EXIT of \(who(exit.pid)): \(exit.reason)"
    case .timeout: "idle timeout"
    }
  }
}
