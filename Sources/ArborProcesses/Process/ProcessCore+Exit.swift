package import ArborPrimitives
import ArborTelemetry
import Synchronization

extension ProcessCore {
  /// Takes an exit signal: `sender` sent it, directly or by ending while linked.
  ///
  /// - Parameter origin: how it came about; found out if not said.
  package func receiveExit(
    _ reason: ExitReason, from sender: ProcessCore?, linked: Bool = false,
    of origin: ExitOrigin? = nil
  ) {
    let origin = origin ?? (sender === self ? nil : sender?.origin(ofSignal: reason)) ?? .itself
    let path: Machine.Path = linked ? .link : .direct(toSelf: sender === self)
    let effect = machine.withLock { machine -> Machine.ExitEffect in
      // The peer's end takes the link; one that was unlinked meanwhile is no longer heard.
      if linked, let sender, machine.links.removeValue(forKey: ObjectIdentifier(sender)) == nil {
        return .ignored
      }
      let isRunning = machine.status == .running
      let effect = machine.receiveExit(reason, from: sender?.pid, by: path, of: origin)
      if isRunning, machine.status == .exiting { self.close() }
      return effect
    }
    switch consume effect {
    case .ignored: break
    case .trapped(let mail, let delivery): if settle(delivery) == nil { noteReceive(mail) }
    case .exiting(let ending): end(ending, mayRun: !linked)
    }
  }

  /// What an exit signal that was not trapped does beside closing the fence.
  ///
  /// - Parameter mayRun: whether the process may come to its end on this stack; not through a link,
  ///   or a long chain of links would become a deep stack.
  private func end(_ ending: consuming Machine.Ending, mayRun: Bool) {
    ending.unread.drop()
    if mayRun, ending.isBetweenMessages, case .job(let job, _)? = ending.receiver, isServer,
      mayEndInPlace
    {
      // The loop has only to see that it is over: nobody can keep it from that, so that no grace is
      // to be watched, and there is no handler to be cancelled.
      return runInPlace(job)
    }
    if let task = ending.task {
      armGrace()
      task.cancel()
    } else if ownTask.load(ordering: .relaxed) == 0 {
      // A plain actor has no task that would notice: the pool releases it, so that a long chain
      // of links does not become a deep stack.
      node.scheduler.enqueue(ReleaseJob(self))
    } else {
      // A `withProcess` scope ends by itself, or is a zombie after the grace.
      armGrace()
    }
    ending.wait?.interrupt(.exiting)
    ending.receiver?.resume()
  }

  /// A handler that does not return must not keep the process's links and monitors waiting.
  private func armGrace() {
    let grace = GraceTimer(self)
    let isWanted = machine.withLock { machine in
      if machine.status == .released { return false }
      machine.grace = grace
      return true
    }
    guard isWanted else { return }
    node.clock.schedule(grace, at: node.clock.now() &+ node.exitGrace)
    // Released between the two lines above: nobody else will take the timer back.
    if isReleased { node.clock.cancel(grace) }
  }

  /// The body has ended by itself: for that reason, unless an exit signal was first.
  @usableFromInline
  package func finish(_ reason: ExitReason, isReported: Bool = true) {
    if isReported, isAlive { reportCrash(reason) }
    endBody()
    let origin = heardOrigin
    let time = node.clock.now()
    let estate = machine.withLock { machine -> Machine.Estate? in
      let isFirst = machine.status == .running
      let estate = machine.finish(reason, of: origin, at: time)
      if isFirst { self.close() }
      if estate != nil { self.closeForGood() }
      return estate
    }
    if let estate = consume estate { settle(estate) } else { node.processes.endZombie(self) }
  }

  /// Releases a process whose body has not ended, or that has none. Whoever comes first does it: this,
  /// or the body's end.
  package func release(asZombie: Bool = false) {
    let time = node.clock.now()
    let estate = machine.withLock { machine -> Machine.Estate? in
      let estate = machine.release(at: time)
      if estate != nil { self.closeForGood() }
      return estate
    }
    if let estate = consume estate {
      settle(estate, asZombie: asZombie)
    } else if !asZombie {
      node.processes.endZombie(self)
    }
  }

  /// Lets go of everything the process held, in the order that DESIGN.md's "Death" states.
  private func settle(_ estate: borrowing Machine.Estate, asZombie: Bool = false) {
    estate.unread.drop()
    if let grace = estate.grace { node.clock.cancel(grace) }
    if let alarm = estate.alarm { node.clock.cancel(alarm) }
    let reason = estate.reason
    noteExit(reason)
    slot.content?.processReleased(self)
    estate.backstage?.resources.visit { $0.ownerReleased(pid, reason: reason) }
    for timer in estate.timers { timer.abandon() }
    for name in estate.names { node.names.release(name, of: self) }
    estate.monitors.visit { $0.target.forgetWatcher($0) }
    node.processes.remove(self, asZombie: asZombie)
    if !estate.links.isEmpty {
      let origin = estate.origin.passedOn(by: id, .link, reason)
      estate.links.visit(by: \.id) {
        $0.receiveExit(reason, from: self, linked: true, of: origin)
      }
    }
    for call in estate.calls { call.fail(.exit(reason)) }
    estate.watchers.visit(by: \.ref.id) { $0.watcher.hearDown($0, reason: reason) }
    let (watchers, calls) = machine.withLock { $0.settle() }
    for call in calls { call.fail(.exit(reason)) }
    watchers.visit(by: \.ref.id) { $0.watcher.hearDown($0, reason: .noproc) }
    if asZombie {
      node.telemetry.execute(
        .processZombie, ["count": 1], ["pid": self.pid, "reason": reason])
    }
  }
}

/// Ends the grace of a process whose handler goes on.
package final class GraceTimer: TimerEntry, @unchecked Sendable {
  // Unchecked: written once.
  private let core: ProcessCore
  init(_ core: ProcessCore) { self.core = core }
  override package func fire() { core.release(asZombie: true) }
}

/// Releases a process that has no task.
private final class ReleaseJob: Runnable, @unchecked Sendable {
  // Unchecked: written once.
  private let core: ProcessCore
  init(_ core: ProcessCore) {
    self.core = core
    super.init()
  }
  override func run(budget: Int) -> Bool {
    core.release()
    return false
  }
}
