public import ArborPrimitives
public import Synchronization

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
///
/// All of it is one word, that only ever goes forward: who is suspended, if anybody yet, and how far
/// its end has come. Who ends it claims it first, then stores the outcome, then says that it is over
/// and takes who is to be woken; a task that comes to be suspended in between is still seen.
@usableFromInline
package class Wait: TimerEntry, @unchecked Sendable {
  // Unchecked: `word` is atomic, `process` is written before the word that says to read it, and what
  // a subclass adds is written in `end`'s closure, by the one who has claimed the wait, and read
  // once the wait is over.

  /// What the word says, beside the address of the suspended task's job or continuation.
  @usableFromInline
  enum Mark {
    /// The address is a continuation's.
    static var continuation: UInt { 1 }
    /// Somebody is ending it.
    static var claimed: UInt { 2 }
    /// It is over; there is no address.
    @inlinable static var over: UInt { 4 }
    /// The address is a listener's, which the wait retains until its end.
    static var listener: UInt { 8 }
  }

  @usableFromInline final let word = Atomic<UInt>(0)
  /// Whose own task is suspended, if the address is a job's. It is not retained: see ``Resumer``.
  @exclusivity(unchecked) private final var process: Unmanaged<ProcessCore>?

  /// The clock that it stands in by itself, to be taken out when it is over. The waiting task's own.
  @exclusivity(unchecked) final var clock: (any NodeClock)?

  @usableFromInline
  package override init() {}

  /// Says who is to be woken; false if the wait is over already, and there is nobody to wake.
  package final func arm(_ resumer: Resumer) -> Bool {
    let address: UInt
    switch resumer {
    case .job(let job, let core):
      process = core
      address = unsafeBitCast(job, to: UInt.self)
    case .continuation(let continuation):
      address = unsafeBitCast(continuation, to: UInt.self) | Mark.continuation
    case .listener(let listener):
      let retained = Unmanaged.passRetained(listener).toOpaque()
      address = UInt(bitPattern: retained) | Mark.listener
    }
    var now = word.load(ordering: .acquiring)
    while now != Mark.over {
      let (isArmed, other) = word.compareExchange(
        expected: now, desired: now | address, ordering: .acquiringAndReleasing)
      if isArmed { return true }
      now = other
    }
    if case .listener(let listener) = resumer { Unmanaged.passUnretained(listener).release() }
    return false
  }

  /// Takes back that it is over, so that it may serve once more: for who holds the only reference.
  final func reopen() { word.store(0, ordering: .relaxed) }

  /// Ends the wait, if nobody else has: `store` keeps the outcome, then the task is woken.
  @inlinable
  @inline(__always)
  package final func end(_ store: () -> Void) {
    guard beginEnd() else { return }
    store()
    finishEnd()?.resume()
  }

  /// - Returns: false if somebody else ends it, or has.
  @usableFromInline
  final func beginEnd() -> Bool {
    var now = word.load(ordering: .acquiring)
    while now & (Mark.claimed | Mark.over) == 0 {
      let (isClaimed, other) = word.compareExchange(
        expected: now, desired: now | Mark.claimed, ordering: .acquiringAndReleasing)
      if isClaimed { return true }
      now = other
    }
    return false
  }

  /// - Returns: the task to wake; nobody, if it is not suspended yet.
  @usableFromInline
  final func finishEnd() -> Resumer? {
    let before = word.exchange(Mark.over, ordering: .acquiringAndReleasing)
    let address = before & ~(Mark.continuation | Mark.claimed | Mark.listener)
    guard address != 0 else { return nil }
    if before & Mark.listener != 0, let pointer = UnsafeRawPointer(bitPattern: address) {
      return .listener(Unmanaged<ResponseListener>.fromOpaque(pointer).takeRetainedValue())
    }
    if before & Mark.continuation != 0 {
      return .continuation(
        unsafeBitCast(address, to: UnsafeContinuation<Void, Never>.self))
    }
    return process.map { .job(unsafeBitCast(address, to: UnownedJob.self), of: $0) }
  }

  /// Ends the wait, if nobody else has, without waking the task: that is left to the caller, who may
  /// hold a lock now.
  ///
  /// - Returns: nil if it was over; else the task to wake, or nobody as yet.
  package final func claim() -> (resumer: Resumer?, Void)? {
    beginEnd() ? (finishEnd(), ()) : nil
  }

  /// True once it has ended, or is just ending.
  @usableFromInline
  package final var isOver: Bool {
    word.load(ordering: .acquiring) & (Mark.claimed | Mark.over) != 0
  }

  /// True once it has ended: there is nothing more to wait for.
  @inlinable
  @inline(__always)
  package final var hasEnded: Bool { word.load(ordering: .acquiring) == Mark.over }

  /// True while somebody is suspended in it.
  package final var isArmed: Bool {
    word.load(ordering: .acquiring) & ~(Mark.claimed | Mark.over) != 0
  }

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
