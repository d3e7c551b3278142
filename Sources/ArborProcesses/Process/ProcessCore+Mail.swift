public import ArborPrimitives
import Synchronization

extension ProcessCore {
  /// Puts a mail into the mailbox and wakes whoever waits for it; false if nobody will ever read it.
  @discardableResult
  @usableFromInline
  package func deliver(_ mail: Mail) -> Bool {
    var last: Mail? = mail
    return deliver(&last)
  }

  /// As ``deliver(_:)``, for a sender who keeps nothing of the mail.
  @discardableResult
  @usableFromInline
  package func deliver(_ mail: inout Mail?) -> Bool {
    let seen = mailToShow(mail)
    let error = settle(machine.withLock { $0.deliver(&mail) })
    if error == nil, let seen { noteReceive(seen) }
    return error == nil
  }

  /// The mail, if somebody looks on who is to be told of it once it is in the mailbox.
  @inline(__always) func mailToShow(_ mail: Mail?) -> Mail? {
    if watch.load(ordering: .relaxed) & Watch.arrival == 0 { return nil }
    mail?.isShown = true
    return mail
  }

  /// Does what a delivery asks for; says why the mail was not taken.
  @inline(__always) func settle(_ delivery: Machine.Delivery) -> SendError? {
    switch delivery {
    case .refused: return .noproc
    case .full: return .full
    case .queued: return nil
    case .woke(let receiver):
      receiver.resume()
      return nil
    case .displaced(let displaced, let receiver):
      settle(displaced)
      receiver?.resume()
      return nil
    }
  }

  func settle(_ displaced: Machine.Displaced) { displaced.call?.fail(.overloaded) }

  /// Takes a message from whoever calls this, unless that is a process that is exiting.
  @inlinable
  @inline(__always)
  package func take<Value: Sendable>(_ kind: Mail.Kind, _ value: Value) {
    var ambient: Ambient?
    var envelope: Ambient?
    if !node.fences.isQuiet {
      ambient = callersAmbient
      if let ambient, !ambient.seal(&envelope) { return }
    }
    var mail: Mail? = makeMail(kind, value, context: envelope)
    deliver(&mail, from: ambient)
  }

  /// Puts a mail into the mailbox, from whom it says.
  @usableFromInline
  package func deliver(_ mail: inout Mail?, from ambient: Ambient?) {
    ambient?.process?.noteSend(mail, to: self)
    deliver(&mail)
  }

  /// Sends a mail as this process.
  @usableFromInline
  package func send(_ mail: inout Mail?, to receiver: ProcessCore) {
    noteSend(mail, to: receiver)
    receiver.deliver(&mail)
  }

  /// The next mail for a server's loop; if there is none it parks, and asks again.
  @usableFromInline
  package func nextMail() -> Machine.Next {
    if isLastInPlace { return endInPlace() }
    if let hand {
      if let mail = hand._withUnsafeGuaranteedRef({ $0.next() }) {
        forgetHeardExit()
        return .mail(mail)
      }
      self.hand = nil
    }
    let (next, room) = machine.withLock { machine in
      let next = machine.next()
      if !machine.mail.isEmpty { hand = machine.handOver() }
      return (next, machine.takeRoom())
    }
    room?.finish()
    forgetHeardExit()
    if case .empty = next { intent = .mail } else { noteTime() }
    return next
  }

  /// Notes when a message was taken, if anybody wants to know.
  @inline(__always) func noteTime() {
    if watch.load(ordering: .relaxed) & Watch.timing != 0 { noteTimeNow() }
  }

  private func noteTimeNow() {
    let now = node.clock.now()
    // Which takes the loop's hand back: where each message is timed, each comes through here.
    machine.withLock { $0.madeBackstage().currentSeen = ($0.countedLedger().handled, now) }
  }

  /// Sets a deadline (a time of the node's clock, in nanoseconds) for the wait for mail that follows.
  ///
  /// - Returns: the timer, to be cancelled afterwards.
  @usableFromInline
  package func setDeadline(_ deadline: UInt64) -> TimerEntry {
    let timer = ReceiveTimer(self, number: machine.withLock { $0.beginWait() })
    node.clock.schedule(timer, at: deadline)
    return timer
  }

  /// Waits until there may be something new for a receive to look at.
  @usableFromInline
  package func waitForMail() async {
    // A child task: it can be cancelled alone, which the process would not hear of.
    await withTaskCancellationHandler {
      await withUnsafeContinuation { (continuation: UnsafeContinuation<Void, Never>) in
        let hasParked = machine.withLock { $0.park(.continuation(continuation)) }
        if !hasParked { return continuation.resume() }
        // Cancelled before it was parked, nobody would wake it.
        if Task.isCancelled { machine.withLock { $0.takeReceiver() }?.resume() }
      }
    } onCancel: {
      machine.withLock { $0.takeReceiver() }?.resume()
    }
  }
}

/// The deadline of one wait for mail.
private final class ReceiveTimer: TimerEntry, @unchecked Sendable {
  // Unchecked: both are written once.
  private let core: ProcessCore
  private let number: UInt64

  init(_ core: ProcessCore, number: UInt64) {
    self.core = core
    self.number = number
  }

  override func fire() {
    core.machine.withLock { [number] in $0.receiveTimedOut(number) }?.resume()
  }
}
