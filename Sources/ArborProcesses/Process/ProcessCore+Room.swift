import ArborPrimitives

extension ProcessCore {
  /// Puts a mail into the mailbox, from whoever calls this.
  func post<Message: Sendable>(
    _ kind: Mail.Kind, _ message: Message, from ambient: Ambient?
  ) throws(SendError) {
    if ambient?.process?.isFenced == true { throw .cancelled }
    let mail = Mail.make(kind, message, context: ambient?.envelope)
    mail.isShown = true  // below, to who looks on
    ambient?.process?.noteSend(mail, to: self)
    if let error = settle(machine.withLock { $0.deliver(mail) }) { throw error }
    noteReceive(mail)
  }

  /// Puts a mail into the mailbox, as soon as there is room.
  func postWaiting<Message: Sendable>(
    _ kind: Mail.Kind, _ message: Message, timeout: Duration?
  ) async throws(SendError) {
    if let timeout, timeout < .zero { throw .badarg }
    let ambient = Ambient.current
    let sender = ambient?.process
    if let sender, sender.isFenced { throw .cancelled }
    let mail = Mail.make(kind, message, context: ambient?.envelope)
    mail.isShown = true  // below, to who looks on
    if let delivery = machine.withLock({ $0.deliverIfRoom(mail) }) {
      sender?.noteSend(mail, to: self)
      if let error = settle(delivery) { throw error }
      noteReceive(mail)
      return
    }
    let wait = RoomWait()
    let parking = sender?.isOwnTask == true ? sender : nil
    if let parking {
      if parking === self { throw .full }  // nobody else would make room
      guard parking.enter(wait) else { throw .cancelled }
    }
    let clock = node.clock
    if let timeout {
      clock.schedule(wait, at: clock.now().addingClamped(timeout.wholeNanoseconds))
    }
    ask(RoomRequest(mail, wait: wait))
    if let parking { await parking.parking.park() } else { await wait.suspend() }
    if timeout != nil { clock.cancel(wait) }
    if let error = wait.error { throw error }
    sender?.noteSend(mail, to: self)
    noteReceive(mail)
  }

  private func ask(_ request: RoomRequest) {
    switch machine.withLock({ $0.deliverOrWait(request) }) {
    case .waits, .givenUp: break
    case .admitted(let delivery, let resumer):
      if let error = settle(delivery) { request.refuse(error) }
      resumer?.resume()
    }
  }
}

extension PID {
  /// Sends a message, or says why it was not taken.
  ///
  ///     do { try logger.trySend(line) } catch SendError.full { lost += 1 }
  ///
  /// - Throws: ``SendError``: `full` if the mailbox is bounded and does not take it; `noproc`;
  ///   `cancelled` if the calling process is exiting.
  ///
  /// OTP: `erlang:send(Pid, Message, [nosuspend])`.
  public func trySend<Message: Sendable>(_ message: Message) throws(SendError) {
    try core.post(.message, message, from: Ambient.current)
  }

  /// Sends a message, and waits for room in the mailbox if it is bounded and full, whatever its
  /// policy. Who has waited longest comes first.
  ///
  ///     try await writer.sendWaiting(block, timeout: .seconds(1))
  ///
  /// - Parameter timeout: how long to wait; nil, the default, is without end.
  /// - Throws: ``SendError``, and then the message was not sent: `noproc` if the receiver has ended,
  ///   also while waiting; `timeout`; `cancelled` if the task is, or its process is exiting; `full`
  ///   at once for a full mailbox of the caller's own; `badarg` for a negative timeout.
  public func sendWaiting<Message: Sendable>(
    _ message: Message, timeout: Duration? = nil
  ) async throws(SendError) {
    try await core.postWaiting(.message, message, timeout: timeout)
  }

  /// What became of the messages to this process so far; also after its end.
  public var mailbox: MailboxLedger { core.machine.withLock { $0.countedLedger() } }
}

extension ProcessContext {
  /// What became of the messages to this process so far.
  public var mailbox: MailboxLedger { pid.mailbox }
}

extension ProcessCore {
  /// As `cast`, saying why the request was not taken.
  package func tryCast<Request: Sendable>(_ request: Request) throws(SendError) {
    try post(.cast, request, from: Ambient.current)
  }

  /// As `cast`, waiting for room.
  package func castWaiting<Request: Sendable>(
    _ request: Request, timeout: Duration?
  ) async throws(SendError) {
    try await postWaiting(.cast, request, timeout: timeout)
  }
}
