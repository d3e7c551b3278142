import ArborPrimitives

extension ProcessCore {
  /// Makes an alias that has no monitor.
  func makeAlias(untilReply: Bool) -> Alias {
    let ref = node.nextMonitorRef()
    machine.withLock { machine in
      if machine.status == .running { machine.setAlias(ref, untilReply ? .reply : .explicit) }
    }
    return Alias(self, ref)
  }

  /// - Returns: true if the alias was this process's and on.
  func unalias(_ alias: Alias) -> Bool {
    guard alias.core === self else { return false }
    return machine.withLock { $0.removeAlias(alias.ref) != nil }
  }

  /// Puts a mail into the mailbox if the alias it came through is on.
  func deliver(_ mail: Mail, through ref: MonitorRef) {
    let (delivery, monitor) = machine.withLock { $0.deliver(mail, through: ref) }
    monitor?.target.forgetWatcher(monitor)
    if settle(delivery) == nil { noteReceive(mail) }
  }
}
