public import ArborPrimitives

/// What ends a wait from outside, other than what is waited for.
@usableFromInline
package enum Interruption: Sendable {
  case timeout
  /// An exit signal arrived at the waiting process.
  case exiting
  /// The waiting task was cancelled.
  case cancelled
}

/// One wait of one task, ended exactly once: by what it waits for, or by an interruption.
///
/// It may end before the task is suspended; then the task is not suspended at all. Being a timer
/// entry as well, a wait with a deadline needs no second object.
@usableFromInline
package class Wait: TimerEntry, @unchecked Sendable {
  // Unchecked: what changes is in the lock, and what a subclass adds is written in `end`'s closure,
  // under it, and read once the wait is over.
  @usableFromInline
  package struct State: Sendable {
    @usableFromInline package var isOver = false
    @usableFromInline package var resumer: Resumer?
    @usableFromInline package init() {}
  }

  @usableFromInline package final let state = Lock(State())

  @usableFromInline
  package override init() {}

  /// Says who is to be woken; false if the wait is over already, and there is nobody to wake.
  package final func arm(_ resumer: Resumer) -> Bool {
    state.withLock { state in
      if state.isOver { return false }
      state.resumer = resumer
      return true
    }
  }

  /// Ends the wait, if nobody else has: `store` keeps the outcome, then the task is woken.
  @inlinable
  package final func end(_ store: () -> Void) {
    let resumer = state.withLock { state -> Resumer? in
      if state.isOver { return nil }
      state.isOver = true
      store()
      defer { state.resumer = nil }
      return state.resumer
    }
    resumer?.resume()
  }

  /// Ends the wait, if nobody else has, without waking the task: that is left to the caller, who may
  /// hold a lock now.
  ///
  /// - Returns: nil if it was over; else the task to wake, or nobody as yet.
  package final func claim() -> (resumer: Resumer?, Void)? {
    state.withLock { state in
      if state.isOver { return nil }
      state.isOver = true
      defer { state.resumer = nil }
      return (state.resumer, ())
    }
  }

  @usableFromInline
  package final var isOver: Bool { state.withLock { $0.isOver } }

  /// True while somebody is suspended in it.
  package final var isArmed: Bool { state.withLock { $0.resumer != nil } }

  package func interrupt(_ interruption: Interruption) {}

  override public final func fire() { interrupt(.timeout) }

  /// Suspends a task that is not a process's own, whose cancellation ends the wait.
  @usableFromInline
  package final func suspend() async {
    await withTaskCancellationHandler {
      await withUnsafeContinuation { (continuation: UnsafeContinuation<Void, Never>) in
        if !arm(.continuation(continuation)) { continuation.resume() }
      }
    } onCancel: {
      interrupt(.cancelled)
    }
  }
}

/// A wait for nothing but its deadline.
package final class SleepWait: Wait, @unchecked Sendable {
  // Unchecked: as `Wait`.
  private(set) var interruption = Interruption.timeout

  override package func interrupt(_ interruption: Interruption) {
    end { self.interruption = interruption }
  }
}
