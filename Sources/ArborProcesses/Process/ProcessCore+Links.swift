import ArborPrimitives

extension ProcessCore {
  /// Runs one transition over two processes. The only place that holds two locks, so the order of
  /// the ids is all that keeps it from a deadlock.
  private func withBoth<Result: Sendable>(
    _ other: ProcessCore, _ body: (inout Machine, inout Machine) -> Result
  ) -> Result {
    // Processes of two nodes may have one id.
    if id < other.id || id == other.id && ObjectIdentifier(self) < ObjectIdentifier(other) {
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
      // Linked, and the other's EXIT is under way: that one tells.
      if mine.links[ObjectIdentifier(other)] != nil { return .done }
      guard theirs.status != .released else { return .peerIsGone(trapped: mine.trapsExit) }
      mine.links[ObjectIdentifier(other)] = other
      theirs.links[ObjectIdentifier(self)] = self
      return .done
    }
    if case .done = linked {
      noteLink(.link(other.pid))
      other.noteLink(.link(pid))
    }
    if case .peerIsGone(trapped: true) = linked {
      deliver(makeMail(.exit, Exit(pid: other.pid, reason: .noproc), context: nil))
    }
    return linked
  }

  func unlink(from other: ProcessCore) {
    guard other !== self else { return }
    let wasLinked = withBoth(other) { mine, theirs in
      theirs.links.removeValue(forKey: ObjectIdentifier(self))
      return mine.links.removeValue(forKey: ObjectIdentifier(other)) != nil
    }
    if wasLinked {
      noteLink(.unlink(other.pid))
      other.noteLink(.unlink(pid))
    }
  }

  /// Unlinks a child, and takes back what it may have said of its end already.
  func disinherit(_ child: ProcessCore) {
    unlink(from: child)
    let flushed = machine.withLock { machine in
      machine.flush { $0.exactValue(of: Exit.self)?.pid == child.pid }
    }
    _ = flushed  // ended here, without the lock
  }

  /// Watches `target`, nobody if nil; its DOWN, even an immediate one, arrives as mail.
  func monitor(
    _ target: ProcessCore?, label: MonitorLabel? = nil, alias mode: AliasMode? = nil
  ) -> MonitorRef {
    let ref = node.nextMonitorRef()
    let life = mode.map(AliasLife.init)
    guard let target, target !== self else {
      machine.withLock { machine in
        guard machine.status == .running, let life else { return }
        if target != nil || !life.endsWithMonitor { machine.setAlias(ref, life) }
      }
      // Nobody lives to read of one's own end.
      if target == nil { deliverDown(Down(ref: ref, pid: nil, label: label, reason: .noproc)) }
      return ref
    }
    let monitor = Monitor(ref: ref, watcher: self, target: target, label: label)
    let isSet = withBoth(target) { mine, theirs in
      guard mine.status == .running else { return true }
      let isSet = !theirs.isSettled
      if isSet {
        mine.monitors[ref] = monitor
        theirs.watchers[ObjectIdentifier(monitor)] = monitor
      }
      if let life, isSet || !life.endsWithMonitor { mine.setAlias(ref, life) }
      return isSet
    }
    if !isSet {
      deliverDown(Down(ref: ref, pid: target.pid, label: label, reason: .noproc))
    }
    return ref
  }

  private func deliverDown(_ down: Down) { deliver(makeMail(.down, down, context: nil)) }

  /// Takes a monitor back; with `flush` also the DOWN that it may have left.
  ///
  /// - Returns: true if the monitor was still set.
  @discardableResult
  func demonitor(_ ref: MonitorRef, flush: Bool) -> Bool {
    let (monitor, flushed) = machine.withLock { machine -> (Monitor?, Mail?) in
      if let monitor = machine.removeMonitor(ref) { return (monitor, nil) }
      guard flush else { return (nil, nil) }
      return (nil, machine.flush { $0.exactValue(of: Down.self)?.ref == ref })
    }
    _ = flushed  // ended here, without the lock
    monitor?.target.forgetWatcher(monitor)
    return monitor != nil
  }

  func forgetWatcher(_ monitor: Monitor?) {
    guard let monitor else { return }
    // Let go of after the lock, should this be the last reference.
    let kept = machine.withLock { $0.watchers.removeValue(forKey: ObjectIdentifier(monitor)) }
    _ = kept
  }

  /// The target of a monitor of this process has ended.
  func hearDown(_ monitor: Monitor, reason: ExitReason) {
    let down = Down(ref: monitor.ref, pid: monitor.target.pid, label: monitor.label, reason: reason)
    var mail: Mail? = makeMail(.down, down, context: nil)
    let seen = mailToShow(mail)
    let delivery = machine.withLock { machine -> Machine.Delivery in
      // Demonitored meanwhile: then there is nothing to hear.
      guard machine.removeMonitor(monitor.ref) != nil else { return .refused }
      return machine.deliver(&mail)
    }
    if settle(delivery) == nil, let seen { noteReceive(seen) }
  }

  /// How many others know of the process, and it of them: what must be gone after its end.
  package struct Bonds: Sendable, Equatable {
    package var links = 0, monitors = 0, watchers = 0, aliases = 0
    package init() {}
  }

  package var bonds: Bonds {
    machine.withLock { machine in
      var bonds = Bonds()
      bonds.links = machine.links.count
      bonds.monitors = machine.monitors.count
      bonds.watchers = machine.watchers.count
      bonds.aliases = machine.backstage?.aliases.count ?? 0
      return bonds
    }
  }

  package var ledger: MailboxLedger { machine.withLock { $0.countedLedger() } }
}
