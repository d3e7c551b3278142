public import ArborProcesses

/// A server whose state may be seen, and replaced, from outside: by `Sys`, and in crash reports.
///
///     actor Counter: StateExposing {
///       let process = ProcessContext()
///       var state = 0
///     }
///
///     try await Sys.getState(counter)                 // 0
///     try await Sys.replaceState(counter) { $0 += 40 }
///
/// A server that does not say so keeps its state to itself; what its reports say is
/// ``GenServer/formatStatus(_:)``'s.
///
/// OTP: what `sys:get_state/1` and `sys:replace_state/2` work on.
public protocol StateExposing: GenServer {
  associatedtype State: Sendable
  var state: State { get set }
}

/// What a report says of a server, or `Sys.getStatus`.
///
/// OTP: the map of `format_status/1`.
public struct ServerStatus: Sendable {
  /// The state of a ``StateExposing`` server; nil for another, which may put here what it wants to
  /// show.
  public var state: (any Sendable)?
  /// The message that was being handled; nil if this is no report of a failure.
  public var message: (any Sendable)?
  /// What it fails with; nil if this is no report of a failure.
  public var reason: ExitReason?
  /// The last events, if a log is kept: see `Sys.log`.
  public var log: [SystemEvent]
}

extension GenServer {
  /// What is shown of the server. If its own `formatStatus` fails nothing is shown, as there may be
  /// what nobody should see.
  func shown(_ message: (any Sendable)?, _ reason: ExitReason?, _ core: ProcessCore) async
    -> ServerStatus
  {
    let status = ServerStatus(
      state: exposedState, message: message, reason: reason, log: core.eventLog)
    do {
      return try await formatStatus(status)
    } catch {
      let excuse = "formatStatus failed: \(error)"
      return ServerStatus(
        state: excuse, message: message == nil ? nil : excuse, reason: reason, log: [])
    }
  }

  private var exposedState: (any Sendable)? {
    guard let exposing = self as? any StateExposing else { return nil }
    let state: any Sendable = exposing.assumeIsolated { $0.anyState }
    return state
  }

  private func replaceState(_ change: StateChange) -> Result<any Sendable, SysError> {
    guard let exposing = self as? any StateExposing else { return .failure(.notExposed(pid)) }
    return exposing.assumeIsolated { $0.changeState(change) }
  }

  /// Reports that the server is failing.
  @usableFromInline
  func report(_ reason: ExitReason, handling mail: Mail?, _ core: ProcessCore) async {
    // That it was asked to stop is in the reason, and no message of its own.
    let message = mail?.kind == .system ? nil : mail?.payload
    let status = await shown(message, reason, core)
    core.reportCrash(
      status.reason ?? reason,
      ShownState(state: status.state, message: status.message, log: status.log),
      in: mail?.context?.cursor)
  }

  /// Does what a system message asks for; returns once the server is not, or no longer, suspended.
  @usableFromInline
  func handleSystem(_ mail: Mail, _ core: ProcessCore) async throws {
    var next = mail.exactValue(of: SystemMessage.self)
    while let message = next {
      switch core.take(message) {
      case .done: break
      case .stop(let reason): throw reason
      case .status(let from, var status):
        let shown = await shown(nil, nil, core)
        status.show(state: shown.state, log: shown.log)
        from.answer(status)
      case .state(let from):
        from.answer(exposedState.map { .success($0) } ?? .failure(.notExposed(core.pid)))
      case .replaceState(let change, let from):
        from.answer(replaceState(change))
      }
      next = core.isSuspended ? try await core.nextSystemMessage() : nil
    }
  }
}

extension StateExposing {
  fileprivate var anyState: any Sendable { state }

  fileprivate func changeState(_ change: StateChange) -> Result<any Sendable, SysError> {
    do throws(SysError) {
      let replaced = try change(state)
      guard let new = replaced as? State else { throw .wrongType("\(State.self)") }
      state = new
      return .success(new)
    } catch {
      return .failure(error)
    }
  }
}
