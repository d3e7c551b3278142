import ArborPrimitives

/// The shorter way into an idle server: its own task runs on the caller's stack, for one message, and
/// mostly the answer is there when it comes back. No scheduler is asked, and the caller is not
/// suspended.
///
/// It is the server's task, with the server's task-locals and cancellation; only the thread is the
/// caller's. Guides/Decisions/0004 says why it is not for every server.
extension ProcessCore {
  /// How far a server that runs on its caller's stack has come.
  enum InPlace: Sendable {
    /// It does not run there.
    case no
    /// It may take one message.
    case one
    /// It has taken it: whatever else there is has to wait for a turn of its own.
    case done
  }

  /// As ``call(timeout:_:)``, running an idle server here and now. The deadline, and a kill of the
  /// caller, take effect when the handler suspends.
  @inlinable
  @inline(__always)
  package func callInPlace<Request: Sendable, Reply: Sendable>(
    timeout: UInt64?, _ makeRequest: (From<Reply>) -> Request
  ) async throws(CallError) -> Reply {
    let ambient = callersAmbient
    guard let place = placeToAnswer(ambient) else {
      return try await call(timeout: timeout, makeRequest)
    }
    let deadline = timeout.map(time(after:))
    let wait: CallWait<Reply>
    if let last = place.takeWait(CallWait<Reply>.self, for: self)
      ?? takeLastWait(CallWait<Reply>.self, of: ambient)
    {
      wait = CallWait.again(last)
    } else {
      wait = CallWait<Reply>(server: self)
    }
    submit(makeRequest, as: wait, ambient, inPlace: true)
    if wait.hasEnded {
      conclude(wait)
      place.keep(wait)
      return try wait.take()
    }
    if let parking = beginLate(wait, ambient, until: deadline) {
      await parking.park()
    } else {
      await wait.suspend()
    }
    conclude(wait)
    return try wait.take()
  }

  /// The wait of the caller's last call that went the long way, as ``AnswerPlace/takeWait(_:for:)`` has it.
  @usableFromInline
  package func takeLastWait(
    _ type: AnyCallWait.Type, of ambient: Ambient?
  ) -> Unmanaged<AnyCallWait>? {
    guard let caller = ambient?.process.map(Unmanaged.passUnretained) else { return nil }
    return caller._withUnsafeGuaranteedRef { caller in
      caller.machine.withLock { $0.takeLastWait(type, for: self) }
    }
  }

  @usableFromInline
  package func time(after timeout: UInt64) -> UInt64 { node.clock.now().addingClamped(timeout) }

  /// Where this process may run on the calling thread's stack; nil if it must not.
  @usableFromInline
  package func placeToAnswer(_ ambient: Ambient?) -> AnswerPlace? {
    guard node.mayAnswerInPlace else { return nil }
    if let caller = ambient?.process.map(Unmanaged.passUnretained) {
      // The long way says what is wrong.
      let mayCall = caller._withUnsafeGuaranteedRef { $0 !== self && !$0.isFenced }
      // On a thread that is not the node's nobody counts how deep the stack is.
      guard mayCall, let worker = node.currentWorker else { return nil }
      let isTooDeep = worker._withUnsafeGuaranteedRef {
        $0.depthInPlace >= PoolWorker.deepestInPlace
      }
      return isTooDeep ? nil : AnswerPlace(worker: worker)
    }
    // The main thread is the program's, for what cannot wait.
    return SystemThread.isMain ? nil : AnswerPlace(worker: nil)
  }

  /// The server has suspended, or was not idle: the caller waits as any other.
  ///
  /// - Returns: where to park; nil if it is to be suspended.
  @usableFromInline
  package func beginLate(
    _ wait: AnyCallWait, _ ambient: Ambient?, until deadline: UInt64?
  ) -> Parking? {
    if let caller = ambient?.process, caller.isOwnTask {
      caller.enter(wait, until: deadline ?? .max)
      return caller.parking
    }
    if let deadline { schedule(wait, at: deadline) }
    return nil
  }

  /// Whether a process that has nothing more to do than to end may do that on this thread's stack.
  var mayEndInPlace: Bool {
    guard node.mayAnswerInPlace, let worker = node.currentWorker else { return false }
    return worker._withUnsafeGuaranteedRef { $0.depthInPlace < PoolWorker.deepestInPlace }
  }

  /// Runs the task that has just been woken, for one message.
  func runInPlace(_ job: UnownedJob) {
    // Its last turn may not be over yet, on another thread: then that one goes on.
    guard jobs.append(JobQueue.Entry(job: job, isIsolated: runsAsActor)) else {
      return
    }
    inPlace = .one
    let worker = node.currentWorker
    worker?._withUnsafeGuaranteedRef { $0.depthInPlace += 1 }
    let hasMore = drain(budget: 1)
    worker?._withUnsafeGuaranteedRef { $0.depthInPlace -= 1 }
    if hasMore { node.enqueue(self) }
  }

  /// True if the server has had its one message and asks for another.
  @inline(__always) var isLastInPlace: Bool {
    if case .no = inPlace { return false }
    if case .done = inPlace { return true }
    inPlace = .done
    return false
  }

  /// Says that there is no more mail: should there be, the server finds it when it parks, and goes on
  /// in a turn of its own.
  func endInPlace() -> Machine.Next {
    inPlace = .no
    intent = .mail
    return .empty
  }
}

/// A thread on whose stack a server may answer.
@usableFromInline
package struct AnswerPlace {
  // Not retained: it is the calling thread's, and of use only until the caller suspends.
  let worker: Unmanaged<PoolWorker>?

  /// The wait of the last call that was answered here, retained, to be used once more; nil if a new one is
  /// to be made.
  @usableFromInline
  package func takeWait(
    _ type: AnyCallWait.Type, for server: ProcessCore
  ) -> Unmanaged<AnyCallWait>? {
    worker?._withUnsafeGuaranteedRef { $0.takeWait(type, for: server) }
  }

  /// Keeps a wait that is over for the next call.
  @usableFromInline
  package func keep(_ wait: AnyCallWait) {
    worker?._withUnsafeGuaranteedRef { $0.spareWait = wait }
  }
}
