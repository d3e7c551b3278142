public import ArborProcesses

/// How a server's loop ended.
@usableFromInline
enum LoopEnd {
  /// An exit signal took effect: nothing more is asked of the server.
  case signalled
  /// By itself. The mail that was being handled is kept until the process is fenced, so that its
  /// caller hears the reason, and not that its request was let go of.
  case stopped(ExitReason, handling: Mail?)

  /// What an error means that left the server while it handled `mail`.
  @usableFromInline
  init(_ error: any Error, handling mail: Mail?, _ core: ProcessCore) {
    // An exit signal was first: what is thrown for it, or after it, changes nothing.
    if core.isFenced {
      self = .signalled
    } else if case .parentEnded(let reason)? = error as? LoopBreak {
      self = .stopped(reason, handling: mail)
    } else {
      self = .stopped(ExitReason(error), handling: mail)
    }
  }
}

extension GenServer {
  /// Takes one message after the other until the server ends; returns once it has said its last.
  @inlinable
  func serve(as core: ProcessCore) async {
    core.serves(true)
    switch await loop(core) {
    case .signalled: break
    case .stopped(let reason, let mail): await stop(reason, handling: mail, core)
    }
    core.serves(false)
  }

  @inlinable
  @inline(never)
  func stop(_ reason: ExitReason, handling mail: Mail?, _ core: ProcessCore) async {
    let last = await sayLastWords(reason, core)
    if core.isToReport(last) { await report(last, handling: mail, core) }
    core.finish(last, isReported: false)
    withExtendedLifetime(mail) {}
  }

  @inlinable
  func loop(_ core: ProcessCore) async -> LoopEnd {
    // Sooner or later a server that never finds its mailbox empty has to let others run.
    let turn = 128
    var handled = 0
    let tracing = Self.messageTracing
    let parking = core.parking
    while true {
      if handled == turn {
        handled = 0
        await yieldTurn(core)
      }
      // All that a server may have beside its messages costs the others this look.
      guard core.hasNoDuties else {
        handled += 1
        if let end = await attend(core, tracing) { return end }
        continue
      }
      let mail: Mail
      switch core.nextMail() {
      case .interrupted: return .signalled
      case .empty:
        await parking.park()
        continue
      case .mail(let next): mail = next
      }
      handled += 1
      do {
        // What is frequent is handled here, and not a call further down: each `await` is a step at
        // which the Swift runtime looks for a change of executors, unless the optimiser sees that the
        // handler does not wait, and that whatever does wait in this loop comes back to the actor.
        if mail.context == nil || tracing.isIgnored, !tracing.isObserved {
          if mail.kind == .call, let call = mail.exactValue(of: Call.self) {
            try await handleCall(call)
            core.recycle(consume mail, as: Call.self)
            continue
          }
          if mail.kind == .cast, let cast = mail.exactValue(of: Cast.self) {
            try await handleCast(cast)
            core.recycle(consume mail, as: Cast.self)
            continue
          }
        }
        try await handle(mail, core, tracing)
        core.recycle(consume mail, as: Cast.self)
      } catch {
        return LoopEnd(error, handling: mail, core)
      }
    }
  }

  /// Of the actor, though it touches nothing of it: see the loop.
  @inlinable
  @inline(never)
  func yieldTurn(_ core: ProcessCore) async { await core.yieldTurn() }

  /// One round of the loop for a server that has more to see to than its next message: a step to go
  /// on with, a time that it waits at most, somebody who looks on.
  @inlinable
  @inline(never)
  func attend(_ core: ProcessCore, _ tracing: MessageTracing) async -> LoopEnd? {
    let mail: Mail
    switch await core.nextErrand() {
    case .end: return .signalled
    case .fault(let error): return LoopEnd(error, handling: nil, core)
    case .mail(let next): mail = next
    }
    let isObserved = core.isObserved && mail.kind != .system
    if isObserved { core.noteReceived(mail) }
    do {
      try await handle(mail, core, tracing)
    } catch {
      return LoopEnd(error, handling: mail, core)
    }
    core.recycle(consume mail, as: Cast.self)
    if isObserved { core.note(.handled) }
    return nil
  }

  /// Handles a mail in the trace of its sender, if the server wants that.
  @inlinable
  @inline(never)
  func handle(_ mail: Mail, _ core: ProcessCore, _ tracing: MessageTracing) async throws {
    if let observer = tracing.post?.observer {
      try await observer.handling(mail, by: Self.self, as: core) {
        try await handle(mail, core)
      }
    } else if let context = mail.context, !tracing.isIgnored {
      let ambient = Ambient(process: core, cursor: context.cursor)
      try await Ambient.local.withValue(ambient) { try await handle(mail, core) }
    } else {
      try await handle(mail, core)
    }
  }

  @inlinable
  @inline(never)
  func handle(_ mail: Mail, _ core: ProcessCore) async throws {
    switch mail.kind {
    case .call:
      if let call = mail.exactValue(of: Call.self) { try await handleCall(call) }
    case .cast:
      if let cast = mail.exactValue(of: Cast.self) { try await handleCast(cast) }
    case .step: try await handleContinue(step(mail))
    case .system: try await handleSystem(mail, core)
    case .down, .exit, .timeout, .message:
      if let exit = mail.exactValue(of: Exit.self) { core.hears(exit) }
      if let reason = core.parentsEnd(mail) { throw LoopBreak.parentEnded(reason) }
      if let info = Info(mail) { try await handleInfo(info) }
    }
  }

  /// Runs `terminate`, in a task of its own that an exit signal to the server does not cancel.
  @usableFromInline
  func sayLastWords(_ reason: ExitReason, _ core: ProcessCore) async -> ExitReason {
    await core.runInFreshTask {
      do {
        try await self.terminate(reason)
        return reason
      } catch {
        return ExitReason(error)
      }
    }
  }
}

extension Info {
  /// What a mail means to its server; nil if it is none of the server's business.
  @usableFromInline
  init?(_ mail: Mail) {
    switch mail.kind {
    case .call, .cast, .system, .step: return nil
    case .down:
      guard let down = mail.exactValue(of: Down.self) else { return nil }
      self = .down(down)
    case .exit:
      guard let exit = mail.exactValue(of: Exit.self) else { return nil }
      self = .exit(exit)
    case .timeout: self = .timeout
    case .message: self = .message(mail.payload)
    }
  }
}
