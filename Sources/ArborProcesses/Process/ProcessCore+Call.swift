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
    let ambient = Ambient.current
    let caller = ambient?.process
    let isOwnTask = caller?.isOwnTask == true
    if isOwnTask, caller === self { throw .callingSelf }
    if let caller, caller.isFenced { throw .cancelled }

    let wait = CallWait<Reply>(server: self)
    let clock = node.clock
    let body = { (continuation: UnsafeContinuation<Result<Reply, CallError>, Never>) in
      guard wait.begin(continuation) else {
        return continuation.resume(returning: .failure(.cancelled))
      }
      if isOwnTask, let caller, !caller.enter(wait) { return }
      if let timeout { clock.schedule(wait, at: clock.now().addingClamped(timeout)) }
      let mail = ValueMail(.call, makeRequest(From(wait)), context: ambient?.envelope)
      self.deliver(mail, asking: wait)
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

  /// Puts a request into the mailbox and notes who waits for it, in one step: whatever ends this
  /// process from here on, the caller is told.
  private func deliver(_ mail: Mail, asking wait: AnyCallWait) {
    let delivery = machine.withLock { machine -> Machine.Delivery? in
      if machine.status == .released { return nil }
      machine.calls.insert(wait)
      return machine.deliver(mail)
    }
    switch delivery {
    case nil: wait.fail(.noproc)
    case .woke(let receiver): receiver.resume(returning: .mail)
    case .queued: break
    case .refused:
      // Exiting: the release tells the reason. Without a mailbox nobody would ever answer.
      if isAlive { wait.fail(.noproc) }
    }
  }

  /// Sends a typed message to a server and does not wait.
  package func cast<Request: Sendable>(_ request: Request) {
    let ambient = Ambient.current
    if ambient?.process?.isFenced == true { return }
    deliver(ValueMail(.cast, request, context: ambient?.envelope))
  }
}
