public import ArborProcesses

/// How a server's loop ended.
@usableFromInline
enum LoopEnd {
  /// An exit signal took effect: nothing more is asked of the server.
  case signalled
  /// By itself. The mail that was being handled is kept until the process is fenced, so that its
  /// caller hears the reason, and not that its request was let go of.
  case stopped(ExitReason, handling: Mail?)
}

/// The parent of a server that traps exits has ended.
@usableFromInline
struct ParentEnded: Error { @usableFromInline let reason: ExitReason }

extension GenServer {
  /// Takes one message after the other until the server ends; returns once it has said its last.
  @inlinable
  func serve(as core: ProcessCore) async {
    switch await loop(core) {
    case .signalled: break
    case .stopped(let reason, let mail):
      let last = await sayLastWords(reason, core)
      core.finish(last)
      withExtendedLifetime(mail) {}
    }
  }

  @inlinable
  func loop(_ core: ProcessCore) async -> LoopEnd {
    // Sooner or later a server that never finds its mailbox empty has to let others run.
    let turn = 128
    var handled = 0
    let tracing = Self.messageTracing
    while true {
      let mail: Mail
      switch core.nextMail() {
      case .interrupted: return .signalled
      case .empty:
        await core.parking.park()
        continue
      case .mail(let next): mail = next
      }
      do {
        // Each `await` is a step that the Swift runtime checks for a change of executors: what is
        // frequent is handled here, and not a call further down.
        if let observer = tracing.post?.observer {
          try await observer.handling(mail, by: Self.self, as: core) {
            try await handle(mail, core)
          }
        } else if let context = mail.context, !tracing.isIgnored {
          let ambient = Ambient(process: core, cursor: context.cursor)
          try await Ambient.local.withValue(ambient) { try await handle(mail, core) }
        } else if mail.kind == .call, let mail = mail.exactly(ValueMail<Call>.self) {
          try await handleCall(mail.value)
        } else if mail.kind == .cast, let mail = mail.exactly(ValueMail<Cast>.self) {
          try await handleCast(mail.value)
        } else {
          try await handle(mail, core)
        }
      } catch {
        let reason = (error as? ParentEnded)?.reason ?? ExitReason(error)
        return .stopped(reason, handling: mail)
      }
      handled += 1
      if handled == turn {
        handled = 0
        await core.yieldTurn()
      }
    }
  }

  @inlinable
  func handle(_ mail: Mail, _ core: ProcessCore) async throws {
    switch mail.kind {
    case .call:
      if let mail = mail.exactly(ValueMail<Call>.self) { try await handleCall(mail.value) }
    case .cast:
      if let mail = mail.exactly(ValueMail<Cast>.self) { try await handleCast(mail.value) }
    case .down, .exit, .timeout, .message, .system:
      if let info = try Info(mail, to: core) { try await handleInfo(info) }
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
  ///
  /// - Throws: what ends the server: its parent's end, a request to stop.
  @usableFromInline
  init?(_ mail: Mail, to core: ProcessCore) throws {
    switch mail.kind {
    case .call, .cast: return nil
    case .down:
      guard let mail = mail.exactly(ValueMail<Down>.self) else { return nil }
      self = .down(mail.value)
    case .exit:
      guard let mail = mail.exactly(ValueMail<Exit>.self) else { return nil }
      core.hears(mail.value)
      if let pid = mail.value.pid, pid == core.parent, core.isLinkedToParent {
        throw ParentEnded(reason: mail.value.reason)
      }
      self = .exit(mail.value)
    case .timeout: self = .timeout
    case .message: self = .message(mail.payload)
    case .system:
      guard let mail = mail.exactly(ValueMail<SystemRequest>.self) else { return nil }
      switch mail.value {
      case .stop(let reason): throw reason
      }
    }
  }
}
