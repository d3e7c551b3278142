import ArborProcesses

/// How a server's loop ended.
private enum LoopEnd {
  /// An exit signal took effect: nothing more is asked of the server.
  case signalled
  /// By itself. The mail that was being handled is kept until the process is fenced, so that its
  /// caller hears the reason, and not that its request was let go of.
  case stopped(ExitReason, handling: Mail?)
}

/// The parent of a server that traps exits has ended.
private struct ParentEnded: Error { let reason: ExitReason }

extension GenServer {
  /// Takes one message after the other until the server ends; returns once it has said its last.
  func serve(as core: ProcessCore) async {
    switch await loop(core) {
    case .signalled: break
    case .stopped(let reason, let mail):
      let last = await sayLastWords(reason, core)
      core.finish(last)
      withExtendedLifetime(mail) {}
    }
  }

  private func loop(_ core: ProcessCore) async -> LoopEnd {
    // Sooner or later a server that never finds its mailbox empty has to let others run.
    let turn = 128
    var handled = 0
    while true {
      guard case .success(let mail) = await core.nextMail() else { return .signalled }
      do {
        if let context = mail.context {
          let ambient = Ambient(process: core, cursor: context.cursor)
          try await Ambient.$current.withValue(ambient) { try await handle(mail, core) }
        } else {
          try await handle(mail, core)
        }
      } catch let end as ParentEnded {
        return .stopped(end.reason, handling: mail)
      } catch {
        return .stopped(ExitReason(error), handling: mail)
      }
      handled += 1
      if handled == turn {
        handled = 0
        await core.yieldTurn()
      }
    }
  }

  private func handle(_ mail: Mail, _ core: ProcessCore) async throws {
    switch mail.kind {
    case .call:
      if let mail = mail as? ValueMail<Call> { try await handleCall(mail.value) }
    case .cast:
      if let mail = mail as? ValueMail<Cast> { try await handleCast(mail.value) }
    case .down:
      if let mail = mail as? ValueMail<Down> { try await handleInfo(.down(mail.value)) }
    case .exit:
      guard let mail = mail as? ValueMail<Exit> else { return }
      if let pid = mail.value.pid, pid == core.parent, core.isLinkedToParent {
        throw ParentEnded(reason: mail.value.reason)
      }
      try await handleInfo(.exit(mail.value))
    case .timeout: try await handleInfo(.timeout)
    case .message: try await handleInfo(.message(mail.payload))
    case .system:
      guard let mail = mail as? ValueMail<SystemRequest> else { return }
      switch mail.value {
      case .stop(let reason): throw reason
      }
    }
  }

  /// Runs `terminate`, in a task of its own that an exit signal to the server does not cancel.
  private func sayLastWords(_ reason: ExitReason, _ core: ProcessCore) async -> ExitReason {
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
