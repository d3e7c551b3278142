import ArborPrimitives
import ArborProcesses

extension AsyncTask {
  /// Waits for the task's value.
  ///
  ///     let answer = try AsyncTask.async { 6 * 7 }
  ///     print(try await answer.await())
  ///
  /// Can be called once. After a timeout the task goes on, still linked if it was, but its result is
  /// dropped: no message of it arrives any more.
  ///
  /// - Parameter timeout: how long to wait, five seconds if not said; nil waits without end.
  /// - Throws: ``TaskError``: `exit` with the reason if the task ended without a value, `timeout`,
  ///   `notOwner`, `alreadyAwaited`, `cancelled`, `alreadyReceiving`; `badarg` for a negative timeout.
  ///   If a linked task fails, its owner is told to exit for the same reason unless it traps exits.
  ///
  /// OTP: Elixir's `Task.await/2`.
  public func await(timeout: Duration? = .seconds(5)) async throws(TaskError) -> Value {
    var outcome = try await take(timeout: timeout)
    if outcome == nil { outcome = try await giveUp() }
    switch outcome {
    case .success(let value): return value
    case .failure(let reason): throw .exit(reason)
    case nil: throw .timeout
    }
  }

  /// Waits for the task's end for a while; may be called again if that was too short.
  ///
  /// - Parameter timeout: how long to wait, five seconds if not said; zero looks whether it has ended,
  ///   nil waits without end.
  /// - Returns: how it ended; nil if it has not, and at once if it was awaited or given up before.
  /// - Throws: ``TaskError``: `notOwner`, `cancelled`, `alreadyReceiving`, `badarg`.
  ///
  /// OTP: Elixir's `Task.yield/2`.
  public func yield(timeout: Duration? = .seconds(5)) async throws(TaskError) -> Outcome? {
    do throws(TaskError) {
      return try await take(timeout: timeout)
    } catch {
      if error == .alreadyAwaited { return nil }
      throw error
    }
  }

  /// Lets the task go on by itself: it is unlinked, and no message of it arrives any more.
  ///
  /// - Returns: how it ended, if it has; nil also if it was awaited or given up before.
  /// - Throws: ``TaskError``: `notOwner`, `cancelled`, `alreadyReceiving`.
  ///
  /// OTP: Elixir's `Task.ignore/1`.
  @discardableResult
  public func ignore() async throws(TaskError) -> Outcome? {
    if let completed { return .success(completed) }
    try context().unlink(pid)
    return try await giveUp(orDown: true)
  }

  /// Ends the task, and returns when it is gone. It is unlinked first, so that its owner lives on.
  ///
  /// - Parameter shutdown: with `shutdown`, and with `kill` if it takes longer than five seconds, if
  ///   not said.
  /// - Returns: how it ended, if that was not of this; nil if it was ended. A task that was awaited or
  ///   given up before is answered with the failure `noproc`.
  /// - Throws: ``TaskError``: `notOwner`, `cancelled`, `alreadyReceiving`; `badarg` for a negative
  ///   timeout, when the task goes on.
  ///
  /// OTP: Elixir's `Task.shutdown/2`.
  @discardableResult
  public func shutdown(
    _ shutdown: Shutdown = .timeout(.seconds(5))
  ) async throws(TaskError) -> Outcome? {
    if case .timeout(let timeout) = shutdown, timeout < .zero { throw .badarg }
    let context = try context()
    if let completed { return .success(completed) }
    guard context.core.isMonitoring(ref) else {
      do throws(TaskError) {
        return try await take(timeout: .zero).flatMap { $0.unless(endedBy: shutdown) }
      } catch {
        if error == .alreadyAwaited { return .failure(.noproc) }
        throw error
      }
    }
    context.unlink(pid)
    var reason: ExitReason?
    switch shutdown {
    case .brutalKill: break
    case .infinity: reason = try await end(with: .shutdown, within: nil)
    case .timeout(let timeout): reason = try await end(with: .shutdown, within: timeout)
    }
    if reason == nil { reason = try await end(with: .kill, within: nil) }
    if let reply = try await giveUp() { return reply }
    // What the caller asked for is no news; that it had to be killed is, unless that was asked for.
    return Outcome.failure(reason ?? .killed).unless(endedBy: shutdown)
  }

  /// Sends the task an exit signal.
  ///
  /// - Returns: what it ended of; nil if it has not in time.
  private func end(
    with signal: ExitReason, within timeout: Duration?
  ) async throws(TaskError) -> ExitReason? {
    let context = try context()
    // As a signal of the runtime's: it must not get lost if the owner has been told to exit since the
    // task was unlinked.
    pid.core.receiveExit(signal, from: context.core)
    do throws(ReceiveError) {
      return try await context.receive(Down.self, timeout: timeout) { $0.ref == ref }.reason
    } catch {
      if error == .timeout { return nil }
      pid.core.receiveExit(.kill, from: context.core)
      throw TaskError(error)
    }
  }
}

extension Result where Failure == ExitReason {
  fileprivate func unless(endedBy shutdown: Shutdown) -> Self? {
    switch self {
    case .failure(.killed) where shutdown == .brutalKill: nil
    case .failure(.shutdown) where shutdown != .brutalKill: nil
    default: self
    }
  }
}

extension AsyncTask {
  /// The owner's context, made sure that the caller is the owner.
  func context() throws(TaskError) -> ProcessContext {
    let caller = ProcessCore.current
    guard let caller, caller === owner.core else { throw .notOwner(owner, caller: caller?.pid) }
    return ProcessContext(caller)
  }

  /// What a mail of the owner's says of this task; nil if nothing.
  func outcome(in mail: Mail) -> Outcome? {
    switch mail.kind {
    case .message:
      guard let reply = mail.exactValue(of: Reply.self), reply.ref == ref else { return nil }
      return .success(reply.value)
    case .down:
      guard let down = mail.exactValue(of: Down.self), down.ref == ref else { return nil }
      return .failure(down.reason)
    default: return nil
    }
  }

  /// Receives how the task ended; nil if it has not in time.
  func take(timeout: Duration?) async throws(TaskError) -> Outcome? {
    if let timeout, timeout < .zero { throw .badarg }
    let context = try context()
    if let completed { return .success(completed) }
    // Asked before the look: of a monitor that is gone by now all messages are here.
    let isPending = context.core.isMonitoring(ref)
    do throws(ReceiveError) {
      let found = try await context.receiveFirst(timeout: isPending ? timeout : .zero) {
        outcome(in: $0)
      }
      context.demonitor(ref, flush: true)
      return found
    } catch {
      switch error {
      case .timeout where isPending: return nil
      case .timeout: throw .alreadyAwaited
      case .exiting:
        // A linked task's failure is known by what it does to its owner: say what it was.
        if let fate = pid.fate, fate.reason == context.core.exitReason { throw .exit(fate.reason) }
        throw .cancelled
      default: throw TaskError(error)
      }
    }
  }

  /// Sees to it that nothing of the task arrives any more.
  ///
  /// - Returns: its value, if that has come by now; with `orDown` also a failure.
  @discardableResult
  func giveUp(orDown: Bool = false) async throws(TaskError) -> Outcome? {
    let context = try context()
    if orDown, !context.core.isMonitoring(ref) {
      do throws(TaskError) {
        return try await take(timeout: .zero)
      } catch {
        if error == .alreadyAwaited { return nil }
        throw error
      }
    }
    context.demonitor(ref, flush: true)
    do throws(ReceiveError) {
      return try await context.receiveFirst(timeout: .zero) { outcome(in: $0) }
    } catch {
      if error == .timeout { return nil }
      throw TaskError(error)
    }
  }
}

extension TaskError {
  init(_ error: ReceiveError) {
    switch error {
    case .timeout: self = .timeout
    case .exiting, .cancelled: self = .cancelled
    case .alreadyReceiving: self = .alreadyReceiving
    case .foreignProcess: self = .notInProcess
    case .badarg: self = .badarg
    }
  }
}
