import ArborPrimitives

extension ProcessCore {
  /// Runs one transition over two processes. The only place that holds two locks, so the order of
  /// the ids is all that keeps it from a deadlock.
  private func withBoth<Result: Sendable>(
    _ other: ProcessCore, _ body: (inout Machine, inout Machine) -> Result
  ) -> Result {
    if id < other.id {
      return machine.withLock { mine in other.machine.withLock { theirs in body(&mine, &theirs) } }
    }
    return other.machine.withLock { theirs in machine.withLock { mine in body(&mine, &theirs) } }
  }

  /// What came of an attempt to link.
  enum Linked: Sendable {
    case done
    case peerIsGone(trapped: Bool)
    case ownerIsGone
  }

  /// Links the two processes, both ways, at once.
  func link(to other: ProcessCore) -> Linked {
    guard other !== self else { return .done }
    let linked = withBoth(other) { mine, theirs -> Linked in
      guard mine.status == .running else { return .ownerIsGone }
      guard theirs.status != .released else { return .peerIsGone(trapped: mine.trapsExit) }
      mine.links[other.id] = other
      theirs.links[self.id] = self
      return .done
    }
    if case .peerIsGone(trapped: true) = linked {
      deliver(ValueMail(.exit, Exit(pid: other.pid, reason: .noproc), context: nil))
    }
    return linked
  }

  func unlink(from other: ProcessCore) {
    guard other !== self else { return }
    withBoth(other) { mine, theirs in
      mine.links.removeValue(forKey: other.id)
      theirs.links.removeValue(forKey: self.id)
    }
  }

  /// Watches `target`; its DOWN, even an immediate one, arrives as mail.
  func monitor(_ target: ProcessCore, name: ProcessName? = nil) -> MonitorRef {
    let ref = node.nextMonitorRef()
    guard target !== self else { return ref }  // nobody lives to read of one's own end
    let monitor = Monitor(ref: ref, watcher: self, target: target, name: name)
    let isSet = withBoth(target) { mine, theirs in
      guard mine.status == .running else { return true }
      guard theirs.status != .released else { return false }
      mine.monitors[ref] = monitor
      theirs.watchers[ref] = monitor
      return true
    }
    if !isSet {
      let down = Down(ref: ref, pid: target.pid, name: name, reason: .noproc)
      deliver(ValueMail(.down, down, context: nil))
    }
    return ref
  }

  /// Takes a monitor back; with `flush` also the DOWN that it may have left.
  ///
  /// - Returns: true if the monitor was still set.
  @discardableResult
  func demonitor(_ ref: MonitorRef, flush: Bool) -> Bool {
    let (monitor, flushed) = machine.withLock { machine -> (Monitor?, Mail?) in
      if let monitor = machine.monitors.removeValue(forKey: ref) { return (monitor, nil) }
      guard flush else { return (nil, nil) }
      let isThat = { (mail: Mail) in (mail as? ValueMail<Down>)?.value.ref == ref }
      let mail =
        machine.mail.removeFirst(where: isThat) ?? machine.skipped.removeFirst(where: isThat)
      if mail != nil { machine.ledger.flushed += 1 }
      return (nil, mail)
    }
    _ = flushed  // ended here, without the lock
    monitor?.target.forgetWatcher(ref)
    return monitor != nil
  }

  func forgetWatcher(_ ref: MonitorRef) {
    _ = machine.withLock { $0.watchers.removeValue(forKey: ref) }
  }

  /// The target of a monitor of this process has ended.
  func hearDown(_ monitor: Monitor, reason: ExitReason) {
    let delivery = machine.withLock { machine -> Machine.Delivery in
      // Demonitored meanwhile: then there is nothing to hear.
      guard machine.monitors.removeValue(forKey: monitor.ref) != nil else { return .queued }
      let down = Down(
        ref: monitor.ref, pid: monitor.target.pid, name: monitor.name, reason: reason)
      return machine.deliver(ValueMail(.down, down, context: nil))
    }
    if case .woke(let receiver) = delivery { receiver.resume() }
  }
}
