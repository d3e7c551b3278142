public import ArborPrimitives

/// Why a receive has no message.
public enum ReceiveError: Error, Sendable, Equatable {
  /// None that fits came in time.
  case timeout
  /// An exit signal arrived at the process: it is to end.
  case exiting
  /// The task that the process's scope runs in was cancelled.
  case cancelled
  /// Another receive of this process is running; one at a time.
  case alreadyReceiving
  /// The context is another process's: a mailbox is read by its own process alone.
  case foreignProcess
  /// The timeout is negative.
  case badarg
}

extension ReceiveError: CustomStringConvertible {
  public var description: String {
    switch self {
    case .timeout: "no message that fits came in time"
    case .exiting: "the process has been told to exit"
    case .cancelled: "the task was cancelled"
    case .alreadyReceiving: "another receive of this process is running; end it first"
    case .foreignProcess: "this context is another process's; use the one you were handed"
    case .badarg: "a timeout must not be negative; leave it out to wait without end"
    }
  }
}

extension ReceiveError {
  @usableFromInline
  init(_ interruption: Interruption) {
    switch interruption {
    case .timeout: self = .timeout
    case .exiting: self = .exiting
    case .cancelled: self = .cancelled
    }
  }
}

extension ProcessContext {
  /// Waits for the first message of a type, and for which `fits` is true; what does not fit stays,
  /// in its order, for a later receive.
  ///
  ///     let ping = try await context.receive(Ping.self, timeout: .seconds(1))
  ///
  /// - Parameters:
  ///   - type: the type of the message; ``Down`` and ``Exit`` are received like any other.
  ///   - timeout: how long to wait. Zero looks at what is there; nil, the default, waits without
  ///     end.
  ///   - fits: says whether to take a message of that type.
  /// - Throws: ``ReceiveError``: `timeout`; `exiting` or `cancelled` if the process is to end;
  ///   `alreadyReceiving`, `foreignProcess` and `badarg` if the call makes no sense.
  ///
  /// OTP: `receive … after … end`.
  @inlinable
  public func receive<Message: Sendable>(
    _ type: Message.Type, timeout: Duration? = nil, where fits: (Message) -> Bool = { _ in true }
  ) async throws(ReceiveError) -> Message {
    try await receiveFirst(timeout: timeout) { mail in
      guard let message = mail.value(as: Message.self), fits(message) else { return nil }
      return message
    }
  }

  /// Waits for the next message, whatever it is.
  ///
  /// Parameters and errors as in ``receive(_:timeout:where:)``.
  @inlinable
  public func receive(timeout: Duration? = nil) async throws(ReceiveError) -> any Sendable {
    try await receiveFirst(timeout: timeout) { $0.payload }
  }

  /// Waits for the first mail of which `pick` makes something.
  @inlinable
  @inline(__always)
  package func receiveFirst<Message>(
    timeout: Duration?, _ pick: (Mail) -> Message?
  ) async throws(ReceiveError) -> Message {
    let isOwnTask = core.isOwnTask
    var next = try core.beginReceive(timeout: timeout, isOwnTask: isOwnTask)
    var isOpen = true
    var timer: TimerEntry?
    defer { core.endReceive(timer, isOpen: isOpen) }
    while true {
      switch consume next {
      case .mail(let mail):
        // A request to a server is its loop's to take.
        if mail.kind != .call, mail.kind != .cast, let message = pick(mail) {
          isOpen = false
          let isToYield = try core.acceptLast(mail)
          core.recycle(consume mail, as: Message.self)
          if isToYield, isOwnTask { await core.yieldTurn() }
          return message
        }
        next = core.skip(mail)
      case .interrupted(let interruption): throw ReceiveError(interruption)
      case .empty:
        if let timeout, timer == nil { timer = try core.setDeadline(after: timeout) }
        if isOwnTask {
          await core.parking.park()
        } else {
          await core.waitForMail()
          if Task.isCancelled { throw .cancelled }
        }
        next = core.lookForMail()
      }
    }
  }

  /// Waits for a time of the node's clock.
  ///
  /// - Throws: ``ReceiveError`` `exiting` or `cancelled` if the process is to end; `badarg` for a
  ///   negative time.
  ///
  /// OTP: `timer:sleep/1`.
  public func sleep(for duration: Duration) async throws(ReceiveError) {
    if duration < .zero { throw .badarg }
    let deadline = node.clock.now().addingClamped(duration.wholeNanoseconds)
    let wait = SleepWait()
    let isOwnTask = core.isOwnTask
    if isOwnTask { core.enter(wait) }
    node.clock.schedule(wait, at: deadline)
    if isOwnTask { await core.parking.park() } else { await wait.suspend() }
    if wait.interruption != .timeout {
      node.clock.cancel(wait)
      throw ReceiveError(wait.interruption)
    }
  }
}

extension ProcessCore {
  /// Begins a receive, with a look at the first mail.
  @usableFromInline
  func beginReceive(
    timeout: Duration?, isOwnTask: Bool
  ) throws(ReceiveError) -> Machine.Next {
    if let timeout, timeout < .zero { throw .badarg }
    // A process's own task runs as nothing else: to ask the task-local as well would take as long again.
    guard isOwnTask || Ambient.current?.process === self else { throw .foreignProcess }
    let next = machine.withLock { $0.beginReceive() ? $0.look() : nil }
    guard let next else { throw .alreadyReceiving }
    if case .empty = next { intent = .mail }
    return next
  }

  /// - Parameter isOpen: false if the receive has been ended by ``acceptLast(_:)``.
  @usableFromInline
  func endReceive(_ timer: TimerEntry?, isOpen: Bool = true) {
    if let timer { node.clock.cancel(timer) }
    if isOpen { machine.withLock { $0.endReceive() } }
  }

  @usableFromInline
  func lookForMail() -> Machine.Next {
    let next = machine.withLock { $0.look() }
    if case .empty = next { intent = .mail }
    return next
  }

  /// Leaves the mail that was looked at, and looks at the next.
  @usableFromInline
  func skip(_ mail: Mail) -> Machine.Next {
    let (displaced, next) = machine.withLock { ($0.skip(mail), $0.look()) }
    if let displaced { settle(displaced) }
    if case .empty = next { intent = .mail }
    return next
  }

  /// Takes the mail that was looked at, and ends the receive.
  ///
  /// - Returns: true now and then: a process that always finds what it looks for has to let others
  ///   run.
  @usableFromInline
  func acceptLast(_ mail: Mail) throws(ReceiveError) -> Bool {
    let (isTaken, room, handled) = machine.withLock { machine in
      let isTaken = machine.accept(mail)
      machine.endReceive()
      return (isTaken, machine.takeRoom(), machine.ledger.handled)
    }
    guard isTaken else { throw .exiting }
    room?.finish()
    if mail.kind == .exit, let exit = mail.exactValue(of: Exit.self) {
      hears(exit)
    } else {
      forgetHeardExit()
    }
    noteTime()
    return handled & 127 == 0
  }

  @usableFromInline
  func setDeadline(after timeout: Duration) throws(ReceiveError) -> TimerEntry {
    if timeout == .zero { throw .timeout }
    return setDeadline(node.clock.now().addingClamped(timeout.wholeNanoseconds))
  }
}
