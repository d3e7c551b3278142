import ArborPrimitives

extension ProcessCore {
  /// Sends a request and waits for its answer: the half of `gen_server:call` that needs no server.
  ///
  /// - Parameters:
  ///   - timeout: nanoseconds; nil waits without end.
  ///   - makeRequest: makes the request around its return address.
  package func call<Request: Sendable, Reply: Sendable>(
    timeout: UInt64?, _ makeRequest: (From<Reply>) -> Request
  ) async throws(CallError) -> Reply {
    let wait = CallWait<Reply>(server: self)
    return try await ask(wait, timeout: timeout) { ambient in
      let mail = ValueMail(.call, makeRequest(From(wait)), context: ambient?.envelope)
      ambient?.process?.noteSend(mail, to: self)
      self.deliver(mail, asking: wait)
    }
  }

  /// Suspends the caller until `wait` is answered, or until one of this process's end, the
  /// timeout, the caller's exit and its cancellation ends it.
  ///
  /// - Parameter submit: makes the request known; runs once everything is in place to wake the
  ///   caller, so that even an immediate answer finds it.
  private func ask<Reply: Sendable>(
    _ wait: CallWait<Reply>, timeout: UInt64?, _ submit: (Ambient?) -> Void
  ) async throws(CallError) -> Reply {
    let ambient = Ambient.current
    let caller = ambient?.process
    let isOwnTask = caller?.isOwnTask == true
    if isOwnTask, caller === self { throw .callingSelf }
    if let caller, caller.isFenced { throw .cancelled }

    let clock = node.clock
    let body = { (continuation: UnsafeContinuation<Result<Reply, CallError>, Never>) in
      guard wait.begin(continuation) else {
        return continuation.resume(returning: .failure(.cancelled))
      }
      if isOwnTask, let caller, !caller.enter(wait) { return }
      if let timeout { clock.schedule(wait, at: clock.now().addingClamped(timeout)) }
      submit(ambient)
    }
    let result =
      if isOwnTask {
        await withUnsafeContinuation(body)
      } else {
        await suspendInterruptibly(wait, body)
      }
    if timeout != nil { clock.cancel(wait) }
    machine.withLock { $0.calls.remove(wait) }
    return try result.get()
  }

  /// Launches this new process and waits until its body says that it has started, by answering
  /// `ready`. A body that ends before is a failed start, and fails with the exit reason once
  /// everything that the process held has been released.
  ///
  /// OTP: `proc_lib:start/5`.
  package func launchAndWait(
    timeout: UInt64?,
    _ body: @escaping @Sendable (ProcessCore, _ ready: CallWait<Void>) async throws -> Void
  ) async throws(CallError) {
    let wait = CallWait<Void>(server: self)
    do {
      try await ask(wait, timeout: timeout) { _ in
        self.machine.withLock { $0.calls.insert(wait) }
        self.launch(under: nil) { core in try await body(core, wait) }
      }
    } catch {
      // Nobody will ever know of a process whose starter gave up.
      if error == .timeout || error == .cancelled { receiveExit(.kill, from: nil) }
      throw error
    }
  }

  /// Asks a server to stop by its own hand, and waits until it is gone.
  ///
  /// - Returns: the reason that it ended with.
  package func stopAndWait(
    _ reason: ExitReason, timeout: UInt64?
  ) async throws(CallError) -> ExitReason {
    let wait = CallWait<Void>(server: self)  // which nothing answers but the end
    do {
      try await ask(wait, timeout: timeout) { _ in
        self.deliver(ValueMail(.system, SystemRequest.stop(reason), context: nil), asking: wait)
      }
      return reason
    } catch {
      if case .exit(let reason) = error { return reason }
      throw error
    }
  }

  /// Puts a request into the mailbox and notes who waits for it, in one step: whatever ends this
  /// process from here on, the caller is told.
  private func deliver(_ mail: Mail, asking wait: AnyCallWait) {
    var ended: [RoomRequest] = []
    let delivery = machine.withLock { machine -> Machine.Delivery? in
      if machine.status == .released { return nil }
      machine.calls.insert(wait)
      if let bounds = machine.bounds {
        wait.request = ObjectIdentifier(mail)
        if bounds.overflow == .suspend, mail.kind.takesRoom {
          switch machine.deliverOrWait(RoomRequest(mail, wait: wait)) {
          case .admitted(let delivery): return delivery
          case .givenUp: return .queued
          case .waits(let requests):
            ended = requests
            return .queued
          }
        }
      }
      return machine.deliver(mail)
    }
    _ = ended  // let go of here, without the lock
    switch delivery {
    case .woke, .queued, .displaced: noteReceive(mail)
    case nil, .full, .refused: break
    }
    switch delivery {
    case nil: wait.fail(.noproc)
    case .woke(let receiver): receiver.resume(returning: .mail)
    case .queued, .displaced: break
    case .full: wait.fail(.overloaded)
    case .refused:
      // Exiting: the release tells the reason. Without a mailbox nobody would ever answer.
      if isAlive { wait.fail(.noproc) }
    }
  }

  /// Says which type of server this process is; one that says nothing is a raw process.
  package func becomes(_ type: Any.Type) { serverType.withLock { $0 = type } }
  package func isServer(_ type: Any.Type) -> Bool {
    serverType.withLock { $0 == type }
  }

  /// Sends a typed message to a server and does not wait.
  package func cast<Request: Sendable>(_ request: Request) {
    take(.cast, request)
  }
}
