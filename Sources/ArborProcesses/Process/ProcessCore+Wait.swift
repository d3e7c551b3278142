import ArborPrimitives

extension ProcessCore {
  /// Says that the process's own task is about to park for `wait`, so that an exit can end it. If the
  /// process is exiting the wait is over at once.
  ///
  /// - Returns: false if it is over.
  @discardableResult
  func enter(_ wait: Wait) -> Bool {
    intent = .wait(wait)
    let interruption = machine.withLock { machine -> Interruption? in
      guard machine.status == .running else { return .exiting }
      if machine.isCancelled { return .cancelled }
      machine.wait = wait
      return nil
    }
    if let interruption { wait.interrupt(interruption) }
    return interruption == nil
  }

  /// The task around the process's scope was cancelled: what waits now and later ends at once.
  func cancelWaits() {
    let (receiver, wait) = machine.withLock { machine -> (Resumer?, Wait?) in
      machine.isCancelled = true
      defer { machine.wait = nil }
      return (machine.takeReceiver(), machine.wait)
    }
    wait?.interrupt(.cancelled)
    receiver?.resume()
  }
}
