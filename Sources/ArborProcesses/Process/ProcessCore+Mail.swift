public import ArborPrimitives

extension ProcessCore {
  /// Puts a mail into the mailbox and wakes whoever waits for it; false if nobody will ever read it.
  @discardableResult
  @usableFromInline
  package func deliver(_ mail: Mail) -> Bool {
    switch machine.withLock({ $0.deliver(mail) }) {
    case .refused: return false
    case .queued: return true
    case .woke(let receiver):
      receiver.resume()
      return true
    }
  }

  /// The next mail for a server's loop; if there is none it parks, and asks again.
  @usableFromInline
  package func nextMail() -> Machine.Next {
    let next = machine.withLock { $0.next() }
    if case .empty = next { intent = .mail }
    return next
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
