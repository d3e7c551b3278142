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
    let ambient = Ambient.current
    guard mayAnswer(ambient) else { return try await call(timeout: timeout, makeRequest) }
    let deadline = timeout.map(time(after:))
    let wait: CallWait<Reply>
    if let (last, _) = beginAgain(CallWait<Reply>.self, ambient, timeout: nil) {
      wait = unsafeDowncast(last.takeRetainedValue(), to: CallWait<Reply>.self)
    } else {
      wait = CallWait<Reply>(server: self)
      if let caller = ambient?.process { caller.enterForLater(wait) }
    }
    submit(makeRequest, as: wait, ambient, inPlace: true)
    if !wait.hasEnded {
      if let parking = beginLate(wait, ambient, until: deadline) {
        await parking.park()
      } else {
        await wait.suspend()
      }
    }
    conclude(wait)
    return try wait.take()
  }

  /// Keeps a wait for the next call of this process, if its own task is the caller. It has no deadline as
  /// yet: that is for when the server suspends.
  @usableFromInline
  package func enterForLater(_ wait: AnyCallWait) {
    if isOwnTask { enter(wait) }
  }

  @usableFromInline
  package func time(after timeout: UInt64) -> UInt64 { node.clock.now().addingClamped(timeout) }

  /// Whether this process may run on the calling thread's stack.
  @usableFromInline
  package func mayAnswer(_ ambient: Ambient?) -> Bool {
    guard node.mayAnswerInPlace else { return false }
    if let caller = ambient?.process {
      // The long way says what is wrong.
      if caller === self || caller.isFenced { return false }
      // On a thread that is not the node's nobody counts how deep the stack is.
      guard let worker = node.currentWorker else { return false }
      return worker._withUnsafeGuaranteedRef { $0.depthInPlace < PoolWorker.deepestInPlace }
    }
    // The main thread is the program's, for what cannot wait.
    return !SystemThread.isMain
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
    guard jobs.withLock({ $0.append(JobQueue.Entry(job: job, isIsolated: runsAsActor)) }) else {
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
