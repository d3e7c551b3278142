/// One monitor of one process; every call of `monitor` makes its own.
///
/// OTP: the reference that `erlang:monitor/2` returns.
public struct MonitorRef: Hashable, Sendable {
  package let id: UInt64
  package init(id: UInt64) { self.id = id }
}

extension MonitorRef: CustomStringConvertible {
  public var description: String { "#Ref<\(id)>" }
}

/// The message that a monitor leaves when the process it watches has ended.
///
///     let ref = context.monitor(worker)
///     let down = try await context.receive(Down.self, where: { $0.ref == ref })
///     print(down.reason)
///
/// OTP: `{'DOWN', Ref, process, Object, Reason}`.
public struct Down: Sendable {
  /// The monitor that this answers.
  public let ref: MonitorRef
  /// Who ended; nil if the monitor named a process that did not exist.
  public let pid: PID?
  /// The name that the monitor was set by, if by name.
  public let name: ProcessName?
  /// Why; ``ExitReason/noproc`` if there was no such process when the monitor was set.
  public let reason: ExitReason
}

/// The message that an exit signal becomes in a process that traps exits.
///
/// OTP: `{'EXIT', From, Reason}`.
public struct Exit: Sendable {
  /// Who ended, or who sent the signal; nil if that was code outside any process.
  public let pid: PID?
  public let reason: ExitReason
}
