import ArborPrimitives

/// What is asked of a process by way of `Sys`, as mail: a server's loop answers it, and a raw process
/// does by ``ProcessContext/handle(_:)``.
///
///     spawn { context in
///       var state = 0
///       while true {
///         switch try await context.receive() {
///         case let message as SystemMessage: try await context.handle(message, state: &state)
///         case let number as Int: state += number
///         default: break
///         }
///       }
///     }
///
/// Who asked a process that lets one go unanswered is told so: ``CallError/noReply``.
///
/// OTP: `{system, From, Request}`.
public struct SystemMessage: Sendable {
  package let request: SystemRequest
  package init(_ request: SystemRequest) { self.request = request }
}

/// OTP: the requests of `sys`.
package enum SystemRequest: Sendable {
  /// End as by one's own hand, for that reason.
  case stop(ExitReason)
  case terminate(ExitReason, From<Void>)
  case suspend(From<Void>)
  case resume(From<Void>)
  case state(From<Result<any Sendable, SysError>>)
  case replaceState(StateChange, From<Result<any Sendable, SysError>>)
  case status(From<SystemStatus>)
  case debug(@Sendable (inout DebugMachine, _ now: UInt64) -> any Sendable, From<any Sendable>)
}

/// Makes a new state of a state of whatever type.
@usableFromInline
package typealias StateChange = @Sendable (any Sendable) throws(SysError) -> any Sendable

/// Why something asked of a process by way of `Sys` was not done.
public enum SysError: Error, Sendable {
  /// There was no answer.
  case call(CallError)
  /// The process does not show its state.
  case notExposed(PID)
  /// Its state is of another type than was asked for.
  case wrongType(String)
  /// What was to make the new state threw; the old one is kept.
  case replacementFailed(any Error)
  /// There is a probe by that id.
  case alreadyInstalled(String)
}

extension SysError: CustomStringConvertible {
  public var description: String {
    switch self {
    case .call(let error): "\(error)"
    case .notExposed(let pid):
      "\(pid) does not show its state: a server does by `StateExposing`, a raw process by "
        + "`context.handle(_:state:)`"
    case .wrongType(let type): "the state is of type \(type)"
    case .replacementFailed(let error): "the new state could not be made, the old is kept: \(error)"
    case .alreadyInstalled(let id): "there is a probe \"\(id)\"; choose another id, or remove it"
    }
  }
}

/// What a process says of itself.
///
/// OTP: `sys:get_status/1`.
public struct SystemStatus: Sendable {
  public let pid: PID
  public let name: ProcessName?
  /// The type of the server, or what a raw process was started as.
  public let initialCall: String?
  public let parent: PID?
  public let isSuspended: Bool
  public let queueLength: Int
  public let isTracing: Bool
  public let statistics: SystemStatistics?
  /// The ids of the probes.
  public let probes: [String]
  /// The last events, if a log is kept.
  public internal(set) var log: [SystemEvent]
  /// The state, as the process chooses to show it; nil if it does not.
  public internal(set) var state: (any Sendable)?

  package mutating func show(state: (any Sendable)?, log: [SystemEvent]) {
    self.state = state
    self.log = log
  }
}

/// What is left of a system message to a process, for those who know its state.
@usableFromInline
package enum SystemStep: Sendable {
  case done
  case stop(ExitReason)
  case state(From<Result<any Sendable, SysError>>)
  case replaceState(StateChange, From<Result<any Sendable, SysError>>)
  case status(From<SystemStatus>, SystemStatus)
}

extension ProcessCore {
  /// Does what a system message asks for, as far as that needs no state.
  @usableFromInline
  package func take(_ message: SystemMessage) -> SystemStep {
    switch message.request {
    case .stop(let reason): return .stop(reason)
    case .terminate(let reason, let from):
      from.answer(())
      return .stop(reason)
    case .suspend(let from): setSuspended(true, from)
    case .resume(let from): setSuspended(false, from)
    case .state(let from): return .state(from)
    case .replaceState(let change, let from): return .replaceState(change, from)
    case .status(let from): return .status(from, status)
    case .debug(let change, let from):
      let now = node.clock.now()
      let answer = backstage.debug.withLock { change(&$0, now) }
      updateObserved()
      from.answer(answer)
    }
    return .done
  }

  private func setSuspended(_ isSuspended: Bool, _ from: From<Void>) {
    machine.withLock { $0.madeBackstage().isSuspended = isSuspended }
    from.answer(())
  }

  @usableFromInline
  package var isSuspended: Bool { machine.withLock { $0.backstage?.isSuspended ?? false } }

  private var status: SystemStatus {
    let debug = machine.withLock { $0.backstage }?.debug.withLock { $0 } ?? DebugMachine()
    let info = info
    return SystemStatus(
      pid: pid, name: info?.names.first, initialCall: info?.initialCall, parent: info?.parent,
      isSuspended: isSuspended, queueLength: info?.queueLength ?? 0, isTracing: debug.isTracing,
      statistics: debug.statistics(at: node.clock.now()), probes: debug.probes.map { $0.id },
      log: debug.log, state: nil)
  }

  /// The next system message for a process that is suspended, and takes no other.
  ///
  /// - Throws: ``LoopBreak``: an exit signal, or the end of the parent of a process that traps exits.
  @usableFromInline
  package func nextSystemMessage() async throws(LoopBreak) -> SystemMessage {
    // By another receive, which a handler of the process left running.
    guard machine.withLock({ $0.beginReceive() }) else { throw .isReceiving }
    var isOpen = true
    defer { endReceive(nil, isOpen: isOpen) }
    var next = lookForMail()
    while true {
      switch next {
      case .empty:
        await parking.park()
        next = lookForMail()
      case .interrupted: throw .signalled
      case .mail(let mail):
        let message = mail.exactValue(of: SystemMessage.self)
        let parentsEnd = self.parentsEnd(mail)
        guard message != nil || parentsEnd != nil else {
          next = skip(mail)
          continue
        }
        isOpen = false
        do { _ = try acceptLast(mail) } catch { throw .signalled }
        if let parentsEnd {
          if let exit = mail.exactValue(of: Exit.self) { hears(exit) }
          throw .parentEnded(parentsEnd)
        }
        if let message { return message }
      }
    }
  }

  /// The reason that the parent ended for, if that is what a mail says.
  @usableFromInline
  package func parentsEnd(_ mail: Mail) -> ExitReason? {
    guard isLinkedToParent, let exit = mail.exactValue(of: Exit.self), let pid = exit.pid,
      pid == parent
    else { return nil }
    return exit.reason
  }
}

/// What ends a server's loop beside its handlers.
@usableFromInline
package enum LoopBreak: Error {
  case signalled
  /// The parent of a process that traps exits has ended.
  case parentEnded(ExitReason)
  /// A task of the process's is receiving, so that its mail cannot be looked through.
  case isReceiving
}

extension ProcessContext {
  /// Does what a system message asks for. While the process is suspended this does not return.
  ///
  /// - Parameter state: what the process shows, and lets be replaced.
  /// - Throws: an ``ExitReason``, to be thrown on, if the process is to end: it was asked to, or its
  ///   parent has ended meanwhile; ``ReceiveError/exiting`` if an exit signal came.
  ///
  /// OTP: `sys:handle_system_msg/6`.
  public func handle<State: Sendable>(
    _ message: SystemMessage, state: inout State
  ) async throws {
    var next: SystemMessage? = message
    while let message = next {
      switch core.take(message) {
      case .done: break
      case .stop(let reason): throw reason
      case .state(let from): from.answer(.success(state))
      case .status(let from, var status):
        status.state = state
        from.answer(status)
      case .replaceState(let change, let from):
        do throws(SysError) {
          let replaced = try change(state)
          guard let new = replaced as? State else { throw .wrongType("\(State.self)") }
          state = new
          from.answer(.success(new))
        } catch {
          from.answer(.failure(error))
        }
      }
      next = try await nextIfSuspended()
    }
  }

  /// As ``handle(_:state:)``, of a process that does not show its state.
  public func handle(_ message: SystemMessage) async throws {
    var next: SystemMessage? = message
    while let message = next {
      switch core.take(message) {
      case .done: break
      case .stop(let reason): throw reason
      case .state(let from), .replaceState(_, let from): from.answer(.failure(.notExposed(pid)))
      case .status(let from, let status): from.answer(status)
      }
      next = try await nextIfSuspended()
    }
  }

  private func nextIfSuspended() async throws -> SystemMessage? {
    guard core.isSuspended else { return nil }
    do throws(LoopBreak) {
      return try await core.nextSystemMessage()
    } catch {
      switch error {
      case .signalled: throw ReceiveError.exiting
      case .isReceiving: throw ReceiveError.alreadyReceiving
      case .parentEnded(let reason): throw reason
      }
    }
  }

  /// Tells those who look at this process, by way of `Sys`, of something that it does.
  ///
  ///     context.note(.received(.message, request))
  ///
  /// OTP: `sys:handle_debug/4`.
  public func note(_ event: @autoclosure () -> SystemEvent.What) {
    if core.isObserved { core.note(event()) }
  }
}

extension PID {
  /// Asks a process by a system message, and waits for its answer.
  package func ask<Reply: Sendable>(
    timeout: Duration?, _ request: (From<Reply>) -> SystemRequest
  ) async throws(CallError) -> Reply {
    if let timeout, timeout < .zero { throw .badarg }
    let wait = CallWait<Reply>(server: core)
    let parking = try core.begin(wait, Ambient.current, timeout: timeout?.wholeNanoseconds)
    core.submit(request, as: wait)
    if let parking { await parking.park() } else { await wait.suspend() }
    core.conclude(wait)
    return try wait.take()
  }
}

extension ProcessCore {
  /// Apart, so that the request is not kept by its sender, as in `submit(_:as:_:)`.
  fileprivate func submit<Reply: Sendable>(
    _ request: (From<Reply>) -> SystemRequest, as wait: CallWait<Reply>
  ) {
    var mail: Mail? = Mail.make(.system, SystemMessage(request(From(wait))), context: nil)
    deliver(&mail, asking: wait)
  }
}
