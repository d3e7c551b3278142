import ArborProcesses
public import ArborTelemetry

/// What a supervisor has to tell of a child, to those who look after the whole.
///
/// OTP: the supervisor reports and progress reports of `logger`.
struct SupervisorReport: Sendable, Equatable {
  let event: TelemetryEvent
  let id: String
  let pid: PID?
  let reason: ExitReason?
  let restart: Restart
  let shutdown: Shutdown

  init(_ event: TelemetryEvent, _ child: Child, _ pid: PID?, _ reason: ExitReason? = nil) {
    self.event = event
    id = child.id
    self.pid = pid
    self.reason = reason
    restart = child.restart
    shutdown = child.shutdown
  }

  func emit(by supervisor: ProcessContext) {
    supervisor.node.telemetry.execute(event, ["count": 1], metadata(supervisor))
  }

  private func metadata(_ supervisor: ProcessContext) -> TelemetryValues {
    var metadata: TelemetryValues = [
      "supervisor": supervisor.pid, "child": id, "restart": restart, "shutdown": shutdown,
    ]
    metadata["pid"] = pid
    metadata["reason"] = reason
    return metadata
  }
}

// Measurement of all: `count`, 1. Metadata: `supervisor` (PID), `child` (its id), `restart`,
// `shutdown`, and where there is one `pid` (the child's) and `reason` (``ExitReason``).
extension TelemetryEvent {
  /// A supervisor has started a child, at first or on request. OTP: a progress report.
  public static let childStarted = TelemetryEvent("arbor", "supervisor", "child_started")

  /// A child has ended that is to be started again, or ended abnormally. OTP: `child_terminated`.
  public static let childTerminated = TelemetryEvent("arbor", "supervisor", "child_terminated")

  /// A supervisor has started a child again, because it or another one failed.
  public static let childRestarted = TelemetryEvent("arbor", "supervisor", "child_restarted")

  /// A child did not start; its reason is the ``StartError``. OTP: `start_error`.
  public static let childStartFailed = TelemetryEvent("arbor", "supervisor", "start_failed")

  /// A child that was asked to end did so for another reason, or had to be killed. OTP:
  /// `shutdown_error`.
  public static let childShutdownFailed = TelemetryEvent("arbor", "supervisor", "shutdown_failed")

  /// A child needed one restart too many, and its supervisor ends. OTP:
  /// `reached_max_restart_intensity`.
  public static let restartIntensityReached = TelemetryEvent(
    "arbor", "supervisor", "intensity_reached")

  /// The end of a significant child ends its supervisor; see ``AutoShutdown``.
  public static let automaticShutdown = TelemetryEvent("arbor", "supervisor", "auto_shutdown")
}
