import ArborPrimitives

/// How a suspended task is got going again.
@usableFromInline
package enum Resumer: Sendable {
  /// The process's own task, which is parked: its job goes back into the process's queue.
  // Not retained: a parked task holds its process, and is parked until `resume` has queued its job.
  case job(UnownedJob, of: Unmanaged<ProcessCore>)
  /// Any other task.
  case continuation(UnsafeContinuation<Void, Never>)
  /// Nobody as yet: the answer is to be kept for who asks for it later.
  case listener(ResponseListener)

  @usableFromInline
  package func resume() {
    switch self {
    case .job(let job, let core): core._withUnsafeGuaranteedRef { $0.unpark(job) }
    case .continuation(let continuation): continuation.resume()
    case .listener(let listener): listener.hear()
    }
  }
}

/// Where a process's own task goes while it has to wait.
///
/// An actor whose executor runs nothing: the job of the task that comes here is kept by whatever is
/// to wake it. That is a suspension and a resumption without a continuation, whose resumption
/// goes through the task's preferred executor, under a lock of the task's; Guides/Decisions/0003
/// has the figures.
@usableFromInline
package actor Parking: SerialExecutor {
  // Not retained, because the process owns this. Only the process's own task comes here, and that
  // holds the process, by its `Ambient`.
  private let core: Unmanaged<ProcessCore>

  init(_ core: ProcessCore) { self.core = .passUnretained(core) }

  @usableFromInline
  package nonisolated var unownedExecutor: UnownedSerialExecutor { asUnownedSerialExecutor() }

  @usableFromInline
  package nonisolated func enqueue(_ job: consuming ExecutorJob) {
    let job = UnownedJob(job)
    core._withUnsafeGuaranteedRef { $0.park(job) }
  }

  private var arrivals: UInt = 0

  /// Returns when what the process said it waits for has come: see ``ProcessCore/Intent``. What it
  /// then finds is for the caller to see; that it was woken promises nothing.
  ///
  /// Never inlined, and touching its actor's state: the optimiser drops a visit to an actor that
  /// nothing comes of, and going there is all that this does.
  @inline(never)
  @usableFromInline
  package func park() { arrivals &+= 1 }
}

extension ProcessCore {
  /// What the process's own task is about to park for.
  package enum Intent: Sendable {
    case mail
    /// Nothing but that others have had a turn.
    case turn
    /// Held by the task that waits.
    case wait(Unmanaged<Wait>)
  }

  /// The own task has arrived at the parking.
  func park(_ job: UnownedJob) {
    let hasParked =
      switch intent {
      case .turn: false
      case .mail: machine.withLock { $0.park(.job(job, of: .passUnretained(self))) }
      case .wait(let wait):
        wait._withUnsafeGuaranteedRef { $0.arm(.job(job, of: .passUnretained(self))) }
      }
    if !hasParked { unpark(job) }
  }

  func unpark(_ job: UnownedJob) {
    append(JobQueue.Entry(job: job, isIsolated: runsAsActor))
  }
}
