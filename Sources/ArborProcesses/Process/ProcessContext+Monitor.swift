extension ProcessContext {
  /// Watches a process: when it ends, a ``Down`` arrives as mail, at once if it has ended already.
  ///
  ///     let ref = context.monitor(worker)
  ///     let down = try await context.receive(Down.self, where: { $0.ref == ref })
  ///
  /// Each call makes a monitor of its own. One of oneself is never answered.
  ///
  /// - Parameter tag: what the ``Down`` shall carry, to be told by: ``Down/tag``.
  ///
  /// OTP: `erlang:monitor(process, Pid, [{tag, Tag}])`.
  public func monitor(_ pid: PID, tag: (any Sendable)? = nil) -> MonitorRef {
    core.monitor(pid.core, label: MonitorLabel.of(tag: tag))
  }

  /// Watches whoever holds a name now; the ``Down`` carries the name, and says `noproc` if nobody
  /// does. Names of later holders, and what becomes of the name, are nothing to it.
  ///
  /// OTP: `erlang:monitor(process, Name)`.
  public func monitor(_ name: ProcessName, tag: (any Sendable)? = nil) -> MonitorRef {
    core.monitor(node.names.find(name), label: MonitorLabel.of(name: name, tag: tag))
  }

  /// Watches a process and makes an ``Alias`` of this one, to be answered by, that is on for as
  /// long as `mode` says.
  ///
  ///     let (ref, alias) = context.monitor(worker, alias: .replyDemonitor)
  ///     worker.send(Question(replyTo: alias))
  ///     switch try await context.receive() {
  ///     case let answer as Answer: …           // the monitor is gone
  ///     case let down as Down where down.ref == ref: …
  ///     default: …
  ///     }
  ///
  /// OTP: `erlang:monitor(process, Pid, [{alias, Mode}])`.
  public func monitor(
    _ pid: PID, tag: (any Sendable)? = nil, alias mode: AliasMode
  ) -> (ref: MonitorRef, alias: Alias) {
    let ref = core.monitor(pid.core, label: MonitorLabel.of(tag: tag), alias: mode)
    return (ref, Alias(core, ref))
  }

  /// As ``monitor(_:tag:alias:)-PID``, of whoever holds a name now.
  public func monitor(
    _ name: ProcessName, tag: (any Sendable)? = nil, alias mode: AliasMode
  ) -> (ref: MonitorRef, alias: Alias) {
    let label = MonitorLabel.of(name: name, tag: tag)
    let ref = core.monitor(node.names.find(name), label: label, alias: mode)
    return (ref, Alias(core, ref))
  }

  /// Takes a monitor back. No DOWN of it arrives afterwards; with `flush`, one that is in the
  /// mailbox already is taken out.
  ///
  /// - Returns: true if the monitor was still set; false also for one that is not this process's.
  ///
  /// OTP: `erlang:demonitor/2`.
  @discardableResult
  public func demonitor(_ ref: MonitorRef, flush: Bool = false) -> Bool {
    core.demonitor(ref, flush: flush)
  }

  /// Makes a second address of this process, which is on until `unalias`.
  ///
  ///     let alias = context.alias(untilReply: true)
  ///     logger.send(Flush(doneTo: alias))
  ///
  /// - Parameter untilReply: whether the first message through it ends it.
  ///
  /// OTP: `erlang:alias/0,1`.
  public func alias(untilReply: Bool = false) -> Alias { core.makeAlias(untilReply: untilReply) }

  /// Switches an alias off; what has arrived by it stays. A monitor it was made with stays set.
  ///
  /// - Returns: true if it was on; false also for one that is not this process's.
  ///
  /// OTP: `erlang:unalias/1`.
  @discardableResult
  public func unalias(_ alias: Alias) -> Bool { core.unalias(alias) }
}
