import ArborPrimitives
public import Synchronization

extension ProcessCore {
  /// Sends a request and waits for its answer: the half of `gen_server:call` that needs no server.
  ///
  /// - Parameters:
  ///   - timeout: nanoseconds; nil waits without end.
  ///   - makeRequest: makes the request around its return address.
  @inlinable
  @inline(__always)
  package func call<Request: Sendable, Reply: Sendable>(
    timeout: UInt64?, _ makeRequest: (From<Reply>) -> Request
  ) async throws(CallError) -> Reply {
    let ambient = callersAmbient
    let parking: Parking?
    let wait: CallWait<Reply>
    if let (last, place) = beginAgain(CallWait<Reply>.self, ambient, timeout: timeout) {
      (wait, parking) = (CallWait.again(last), place)
    } else {
      wait = CallWait<Reply>(server: self)
      parking = try begin(wait, ambient, timeout: timeout)
    }
    submit(makeRequest, as: wait, ambient)
    // On another thread the server may have been faster than this.
    if !wait.hasEnded {
      if let parking {
        await parking.park()
      } else if !endsSoon(wait) {
        await wait.suspend()
      }
    }
    conclude(wait)
    return try wait.take()
  }

  /// Sends the request. Apart from `call`, whose frame outlives the wait: the request must not be kept
  /// by its sender, or nobody would notice that the server has let go of it.
  @inlinable
  package func submit<Request: Sendable, Reply: Sendable>(
    _ makeRequest: (From<Reply>) -> Request, as wait: CallWait<Reply>, _ ambient: Ambient?,
    inPlace: Bool = false
  ) {
    let envelope = node.fences.isQuiet ? nil : ambient?.envelope
    var mail: Mail? = makeMail(.call, makeRequest(From(wait)), context: envelope)
    ambient?.process?.noteSend(mail, to: self)
    deliver(&mail, asking: wait, inPlace: inPlace)
  }

  /// Makes ready for a wait that this process is to end: by an answer, or by its own end.
  ///
  /// - Returns: where to park, if the caller is a process's own task; any other task is to be
  ///   suspended.
  @usableFromInline
  package func begin(
    _ wait: AnyCallWait, _ ambient: Ambient?, timeout: UInt64?
  ) throws(CallError) -> Parking? {
    if let caller = ambient?.process {
      if let parking = try caller.beginOwn(wait, at: self, timeout: timeout) { return parking }
    }
    if let timeout { schedule(wait, at: node.now().addingClamped(timeout)) }
    return nil
  }

  /// As ``begin(_:_:timeout:)``, with the wait of the caller's last call, if it is a process's own task and
  /// that wait was of the same type.
  @usableFromInline
  package func beginAgain(
    _ type: AnyCallWait.Type, _ ambient: Ambient?, timeout: UInt64?
  ) -> (Unmanaged<AnyCallWait>, Parking)? {
    guard let caller = ambient?.process.map(Unmanaged.passUnretained) else { return nil }
    return caller._withUnsafeGuaranteedRef { caller in
      guard caller !== self, caller.isOwnTask else { return nil }
      var deadline = UInt64.max
      if let timeout { deadline = time(after: timeout) }
      guard let wait = caller.reenter(type, for: self, until: deadline) else { return nil }
      return (wait, caller.parking)
    }
  }

  /// Where this process parks, if its own task is about to wait for `server`.
  private func beginOwn(
    _ wait: AnyCallWait, at server: ProcessCore, timeout: UInt64?
  ) throws(CallError) -> Parking? {
    guard isOwnTask else {
      if isFenced { throw .cancelled }
      return nil
    }
    if server === self { throw .callingSelf }
    var deadline = UInt64.max
    if let timeout { deadline = time(after: timeout) }
    guard enter(wait, until: deadline) else { throw .cancelled }
    return parking
  }

  /// Looks out for the end of a wait for a moment, where a suspension would cost more: a task that is
  /// not on the node's threads would be woken through two queues and by two threads.
  ///
  /// - Returns: true if it has ended.
  @usableFromInline
  package func endsSoon(_ wait: AnyCallWait) -> Bool {
    guard node.mayAnswerInPlace, node.currentWorker == nil else { return false }
    return SystemTime.lookOut(for: 5_000) { wait.hasEnded }
  }

  /// Tidies up after a wait that is over.
  @usableFromInline
  package func conclude(_ wait: AnyCallWait) {
    wait.clock?.cancel(wait)
    machine.withLock { $0.calls.remove(wait) }
  }

  /// Launches this new process and waits until its body says that it has started. A body that ends
  /// before is a failed start, and fails with the exit reason once everything that the process held
  /// has been released.
  ///
  /// - Parameters:
  ///   - wait: what the body says it to: it takes it by `takeStart`, so that what only the start needs
  ///     is let go of once the process has started.
  ///   - makeTask: makes the process's own task, which prefers the process as its executor.
  /// - Returns: nil once it has started; or why its body did not want it to, being ended quietly.
  /// OTP: `proc_lib:start/5`.
  @usableFromInline
  package func launchAndWait(
    _ wait: StartWait, timeout: UInt64?, _ makeTask: () -> Task<Void, any Error>
  ) async throws(CallError) -> (any Error)? {
    let parking: Parking?
    do {
      parking = try begin(wait, Ambient.current, timeout: timeout)
    } catch {
      finish(.killed)  // it never ran
      throw error
    }
    machine.withLock { $0.calls.insert(wait) }
    start = wait
    begin(under: nil, makeTask)
    if let parking { await parking.park() } else { await wait.suspend() }
    conclude(wait)
    do {
      try wait.result.get()
      return nil
    } catch {
      if let refusal = wait.refusal, error == .exit(.normal) { return refusal }
      // Nobody will ever know of a process whose starter gave up, nor shall the starter of its end.
      if error == .timeout || error == .cancelled {
        if isLinkedToParent, let starter = ProcessCore.current { starter.disinherit(self) }
        receiveExit(.kill, from: nil)
        if error == .timeout { await waitForRelease() }
      }
      throw error
    }
  }

  /// Monitors a process that this one is about to start.
  @usableFromInline
  package func watchStart(of child: ProcessCore) -> MonitorRef { monitor(child) }

  /// Takes the monitor of a start that failed back, and the DOWN with it.
  @usableFromInline
  package func forgetStart(_ ref: MonitorRef) { demonitor(ref, flush: true) }

  /// Waits until nothing is held any more by a process that is exiting, its name least of all: not
  /// longer than the exit grace.
  private func waitForRelease() async {
    let wait = CallWait<Void>(server: self)  // which nothing answers but the end
    let parking: Parking?
    do { parking = try begin(wait, Ambient.current, timeout: nil) } catch { return }
    let isSettled = machine.withLock { machine in
      if !machine.isSettled { machine.calls.insert(wait) }
      return machine.isSettled
    }
    if isSettled { wait.fail(.noproc) }
    if let parking { await parking.park() } else { await wait.suspend() }
    conclude(wait)
  }

  /// Asks a server to stop by its own hand, and waits until it is gone.
  ///
  /// - Returns: the reason that it ended with.
  package func stopAndWait(
    _ reason: ExitReason, timeout: UInt64?
  ) async throws(CallError) -> ExitReason {
    let wait = CallWait<Void>(server: self)  // which nothing answers but the end
    let parking = try begin(wait, Ambient.current, timeout: timeout)
    var mail: Mail? = Mail.make(.system, SystemMessage(.stop(reason)), context: nil)
    deliver(&mail, asking: wait)
    if let parking { await parking.park() } else { await wait.suspend() }
    conclude(wait)
    do throws(CallError) {
      try wait.get()
      return reason
    } catch {
      if case .exit(let reason) = error { return reason }
      throw error
    }
  }

  /// Puts a request into the mailbox and notes who waits for it, in one step: whatever ends this
  /// process from here on, the caller is told.
  @usableFromInline
  package func deliver(
    _ mail: inout Mail?, asking wait: AnyCallWait, inPlace: Bool = false
  ) {
    var ended: [RoomRequest] = []
    let seen = mailToShow(mail)
    let delivery = machine.withLock { machine -> Machine.Delivery? in
      if machine.status == .released { return nil }
      machine.calls.insert(wait)
      if let bounds = machine.bounds, let mail {
        bounds.mark(mail, as: wait)
        if bounds.overflow == .suspend, mail.kind.takesRoom {
          switch machine.deliverOrWait(RoomRequest(mail, wait: wait)) {
          case .admitted(let delivery, _): return delivery
          case .givenUp: return .queued
          case .waits(let requests):
            ended = requests
            return .queued
          }
        }
      }
      return machine.deliver(&mail)
    }
    _ = ended  // let go of here, without the lock
    guard let delivery else { return wait.fail(.noproc) }
    if inPlace, case .woke(.job(let job, _)) = delivery {
      if let seen { noteReceive(seen) }
      return runInPlace(job)
    }
    switch settle(delivery) {
    case nil: if let seen { noteReceive(seen) }
    case .full: wait.fail(.overloaded)
    default:
      // Exiting: the release tells the reason. Without a mailbox nobody would ever answer.
      if isAlive { wait.fail(.noproc) }
    }
  }

  /// Says which type of server this process is; one that says nothing is a raw process.
  @usableFromInline
  package func becomes(_ type: Any.Type) {
    serverType.store(Self.address(of: type), ordering: .releasing)
  }

  @inlinable
  package func isServer(_ type: Any.Type) -> Bool {
    serverType.load(ordering: .acquiring) == Self.address(of: type)
  }

  /// Says when a server's loop begins and ends.
  @inlinable
  package func serves(_ isServing: Bool) { self.isServing.store(isServing, ordering: .relaxed) }

  var runsAsActor: Bool { isServing.load(ordering: .relaxed) }

  var isServer: Bool { serverType.load(ordering: .relaxed) != 0 }

  @inlinable
  static func address(of type: Any.Type) -> UInt { UInt(bitPattern: ObjectIdentifier(type)) }

  /// Sends a typed message to a server and does not wait.
  @inlinable
  package func cast<Request: Sendable>(_ request: Request) {
    take(.cast, request)
  }
}
