import ArborPrimitives

// What the behaviours ask of a process.

extension ProcessCore {
  package var trapsExit: Bool { machine.withLock { $0.trapsExit } }

  /// What it has been told to exit for, or ended of; nil while it runs.
  package var exitReason: ExitReason? {
    machine.withLock { $0.status == .running ? nil : $0.exitReason }
  }

  /// True while the monitor is set: false once its DOWN is in the mailbox.
  package func isMonitoring(_ ref: MonitorRef) -> Bool {
    machine.withLock { $0.monitors[ref] != nil }
  }
}
