import ArborPrimitives

extension ProcessCore {
  /// Suspends the calling task until `wait` ends, which the body arms with the continuation.
  ///
  /// The process's own task is interrupted by the process. Any other task is interrupted by its
  /// own cancellation, which costs several times as much.
  package func suspend<Value>(
    _ wait: Wait, _ body: (UnsafeContinuation<Value, Never>) -> Void
  ) async -> Value {
    if isOwnTask { return await withUnsafeContinuation(body) }
    return await suspendInterruptibly(wait, body)
  }

  /// Says that the process's own task is about to wait, so that an exit can end the wait. Nothing
  /// to say for another task.
  ///
  /// - Returns: false if it was ended at once.
  package func enter(_ wait: Wait) -> Bool {
    guard isOwnTask else { return true }
    let interruption = machine.withLock { machine -> Interruption? in
      guard machine.status == .running else { return .exiting }
      if machine.isCancelled { return .cancelled }
      machine.wait = wait
      return nil
    }
    guard let interruption else { return true }
    wait.interrupt(interruption)
    return false
  }

  /// The task around the process's scope was cancelled: what waits now and later ends at once.
  func cancelWaits() {
    let (receiver, wait) = machine.withLock {
      machine -> (UnsafeContinuation<MailWake, Never>?, Wait?) in
      machine.isCancelled = true
      defer { machine.wait = nil }
      return (machine.takeReceiver(), machine.wait)
    }
    wait?.interrupt(.cancelled)
    receiver?.resume(returning: .interrupted(.cancelled))
  }
}

/// Suspends a task that the runtime does not cancel itself, so that its cancellation ends the wait.
func suspendInterruptibly<Value>(
  _ wait: Wait, _ body: (UnsafeContinuation<Value, Never>) -> Void
) async -> Value {
  await withTaskCancellationHandler {
    await withUnsafeContinuation(body)
  } onCancel: {
    wait.interrupt(.cancelled)
  }
}
