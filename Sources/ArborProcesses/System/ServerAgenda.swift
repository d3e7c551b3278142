import ArborPrimitives

/// What a server's handlers have asked for beyond their own return, and what its loop is to do about
/// it: go on with a step, wait for so long, sleep. Pure.
///
/// What is asked counts for one return: the next message takes it back, unless it is a system
/// message, after which everything is as before.
package struct ServerAgenda: Sendable {
  /// How the loop waits for its next message.
  package enum Waiting: Sendable, Equatable {
    case withoutEnd
    /// So many nanoseconds, then that is a message of its own.
    case idle(UInt64)
    /// So many nanoseconds, then asleep.
    case drowsy(UInt64)
    /// Asleep, and after that time, if one is given, woken to be told so.
    case asleep(idle: UInt64?)
  }

  /// Nanoseconds after which it hibernates by itself.
  package var hibernatesAfter: UInt64?
  private var steps = MailQueue()
  private var idle: UInt64?
  private var hibernates = false
  private var fault: TimerError?

  package init() {}

  package mutating func continueWith(_ step: Mail) { steps.append(step) }

  package mutating func idleTimeout(_ timeout: Duration) {
    if timeout < .zero { fault = .negativeTime(timeout) }
    idle = timeout.wholeNanoseconds
  }

  package mutating func hibernate() { hibernates = true }

  /// What comes before any mail.
  package enum Errand: Sendable {
    case step(Mail)
    /// What was asked for makes no sense.
    case fault(any Error)
    case none
  }

  package mutating func nextErrand() -> Errand {
    if let fault { return .fault(fault) }
    return steps.popFirst().map(Errand.step) ?? .none
  }

  package var waiting: Waiting {
    if hibernates { return .asleep(idle: idle) }
    if let idle { return .idle(idle) }
    return hibernatesAfter.map(Waiting.drowsy) ?? .withoutEnd
  }

  /// A message was taken.
  ///
  /// - Returns: true if nothing is left that was asked for.
  package mutating func took(_ kind: Mail.Kind) -> Bool {
    if kind == .system { return false }
    idle = nil
    hibernates = false
    return steps.isEmpty && fault == nil
  }
}

/// What a server gets when nothing came for as long as it said.
package struct IdleTimeout: Sendable {}

extension ProcessCore {
  /// Asks something for the return of the handler that runs.
  package func ask(_ request: (inout ServerAgenda) -> Void) {
    let backstage = backstage
    backstage.agenda.withLock { agenda in
      request(&agenda)
      self.setDuty(Duties.asked, true)
    }
  }

  /// Has the server hibernate whenever nothing has come for so many nanoseconds.
  @usableFromInline
  package func hibernate(after nanoseconds: UInt64) {
    backstage.agenda.withLock { $0.hibernatesAfter = nanoseconds }
    setDuty(Duties.drowsy, true)
  }

  /// What a loop with duties has to do next.
  @usableFromInline
  package enum Errand: Sendable {
    case mail(Mail)
    case fault(any Error)
    /// An exit signal has taken effect.
    case end
  }

  /// The next step, or the next mail, or that nothing came in time; waits for it.
  @usableFromInline
  package func nextErrand() async -> Errand {
    // On its caller's stack the server has had its one message: the rest in a turn of its own.
    if isLastInPlace {
      _ = endInPlace()
      await yieldTurn()
    }
    let backstage = backstage
    if isFenced { return .end }
    switch backstage.agenda.withLock({ $0.nextErrand() }) {
    case .step(let mail): return .mail(mail)
    case .fault(let error): return .fault(error)
    case .none: break
    }
    var next = takeMail()
    if case .empty = next {
      switch backstage.agenda.withLock({ $0.waiting }) {
      case .withoutEnd: next = await waitForMail(atMost: nil)
      case .idle(let time): next = await waitForMail(atMost: time)
      case .asleep(let time): next = await hibernate(atMost: time)
      case .drowsy(let time):
        next = await waitForMail(atMost: time)
        if case .interrupted(.timeout) = next { next = await hibernate(atMost: nil) }
      }
    }
    let mail: Mail
    switch next {
    case .mail(let next): mail = next
    case .interrupted(.timeout): mail = Mail.make(.timeout, IdleTimeout(), context: nil)
    case .interrupted, .empty: return .end
    }
    backstage.agenda.withLock { agenda in
      if agenda.took(mail.kind) { self.setDuty(Duties.asked, false) }
    }
    return .mail(mail)
  }

  private func hibernate(atMost nanoseconds: UInt64?) async -> Machine.Next {
    machine.withLock { $0.madeBackstage().isAsleep = true }
    jobs.trim()
    defer { machine.withLock { $0.backstage?.isAsleep = false } }
    return await waitForMail(atMost: nanoseconds)
  }

  /// The next mail; `.interrupted(.timeout)` if none has come in time.
  private func waitForMail(atMost nanoseconds: UInt64?) async -> Machine.Next {
    if nanoseconds == 0 { return .interrupted(.timeout) }
    let timer = nanoseconds.map { setDeadline(node.clock.now().addingClamped($0)) }
    defer {
      if let timer {
        node.clock.cancel(timer)
        _ = machine.withLock { $0.beginWait() }  // late, it shall not end a later one
      }
    }
    while true {
      await parking.park()
      let (next, room) = machine.withLock { ($0.nextInTime(), $0.takeRoom()) }
      room?.finish()
      if case .empty = next { continue }
      noteTime()
      _ = isLastInPlace  // woken on its caller's stack, this was the one message
      return next
    }
  }

  /// The next mail, if there is one.
  private func takeMail() -> Machine.Next {
    let (next, room) = machine.withLock { ($0.next(), $0.takeRoom()) }
    room?.finish()
    if case .empty = next { intent = .mail } else { noteTime() }
    return next
  }
}

extension ProcessMachine {
  /// As `next`, for a wait that has a deadline.
  mutating func nextInTime() -> Next {
    let next = next()
    if case .empty = next, hasTimedOut { return .interrupted(.timeout) }
    return next
  }
}
