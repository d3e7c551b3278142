import ArborPrimitives
import Synchronization

extension ProcessCore {
  /// Puts a mail into the mailbox and wakes whoever waits for it; false if nobody will ever read it.
  @discardableResult
  package func deliver(_ mail: Mail) -> Bool {
    let error = settle(machine.withLock { $0.deliver(mail) })
    if error == nil { noteReceive(mail) }
    return error == nil
  }

  /// Takes a message from whoever calls this, unless that is a process that is exiting.
  @inline(__always) func take<Value: Sendable>(_ kind: Mail.Kind, _ value: Value) {
    let ambient = Ambient.current
    let mail: ValueMail<Value>
    if let ambient {
      if let sender = ambient.process {
        if sender.isFenced { return }
        mail = ValueMail(kind, value, context: ambient.envelope)
        sender.noteSend(mail, to: self)
      } else {
        mail = ValueMail(kind, value, context: ambient.envelope)
      }
    } else {
      mail = ValueMail(kind, value, context: nil)
    }
    deliver(mail)
  }

  /// Does what a delivery asks for; says why the mail was not taken.
  @inline(__always) func settle(_ delivery: Machine.Delivery) -> SendError? {
    switch delivery {
    case .refused: return .noproc
    case .full: return .full
    case .queued: return nil
    case .woke(let receiver):
      receiver.resume(returning: .mail)
      return nil
    case .displaced(let displaced, let receiver):
      settle(displaced)
      receiver?.resume(returning: .mail)
      return nil
    }
  }

  func settle(_ displaced: Machine.Displaced) { displaced.call?.fail(.overloaded) }

  /// The next mail, whatever it is; an interruption if the process is exiting or was cancelled.
  package func nextMail() async -> Result<Mail, WaitInterrupted> {
    while true {
      switch machine.withLock({ $0.next() }) {
      case .mail(let mail):
        noteTime()
        return .success(mail)
      case .mailMakingRoom(let mail, let room):
        room.finish()
        noteTime()
        return .success(mail)
      case .interrupted(let interruption): return .failure(WaitInterrupted(interruption))
      case .empty:
        if case .interrupted(let interruption) = await waitForMail(until: nil) {
          return .failure(WaitInterrupted(interruption))
        }
      }
    }
  }

  /// Notes when a message was taken, if anybody wants to know.
  @inline(__always) func noteTime() {
    if watch.load(ordering: .relaxed) & Watch.timing != 0 { noteTimeNow() }
  }

  private func noteTimeNow() {
    let now = node.clock.now()
    machine.withLock { $0.currentSeen = ($0.ledger.handled, now) }
  }

  /// Waits until there is mail that was not yet looked at, or until the deadline (a time of the
  /// node's clock, in nanoseconds).
  func waitForMail(until deadline: UInt64?) async -> MailWake {
    if isOwnTask { return await park(until: deadline) }
    // A child task: it can be cancelled alone, which the process would not hear of.
    return await withTaskCancellationHandler {
      await park(until: deadline, isCancelled: { Task.isCancelled })
    } onCancel: {
      machine.withLock { $0.takeReceiver() }?.resume(returning: .interrupted(.cancelled))
    }
  }

  private func park(
    until deadline: UInt64?, isCancelled: () -> Bool = { false }
  ) async -> MailWake {
    var timer: ReceiveTimer?
    let wake = await withUnsafeContinuation {
      (continuation: UnsafeContinuation<MailWake, Never>) in
      let (immediate, number) = machine.withLock { ($0.park(continuation), $0.receiveNumber) }
      if let immediate { return continuation.resume(returning: immediate) }
      if isCancelled(), let receiver = machine.withLock({ $0.receiveTimedOut(number) }) {
        return receiver.resume(returning: .interrupted(.cancelled))
      }
      if let deadline {
        // Woken meanwhile by another thread, the timer ends nothing: its number is over.
        let entry = ReceiveTimer(self, number: number)
        timer = entry
        node.clock.schedule(entry, at: deadline)
      }
    }
    if let timer { node.clock.cancel(timer) }
    return wake
  }
}

/// Why a wait ended without what it waited for.
package struct WaitInterrupted: Error {
  package let interruption: Interruption
  package init(_ interruption: Interruption) { self.interruption = interruption }
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
    let receiver = core.machine.withLock { [number] in $0.receiveTimedOut(number) }
    receiver?.resume(returning: .interrupted(.timeout))
  }
}
