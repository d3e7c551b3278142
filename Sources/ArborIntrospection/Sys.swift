public import ArborBehaviours
public import ArborProcesses

/// Looks into processes that run, and stops them for a while: servers and supervisors without their
/// doing, and raw processes that answer by ``ArborProcesses/ProcessContext/handle(_:)``.
///
///     try await Sys.log(counter, true, keeping: 20)
///     …
///     for event in try await Sys.getLog(counter) { print(event) }
///
/// What is asked is mail like any other: it comes after what was sent before. Every function waits for
/// the answer, five seconds if not said, and throws ``ArborProcesses/SysError``: `call(.noproc)` if there is no such process,
/// `call(.timeout)` if it does not answer, as one that is busy, or a raw one that never receives.
///
/// OTP: `sys`.
public enum Sys {
  /// Has a process handle nothing but system messages, until ``resume(_:timeout:)``; what is sent to it
  /// waits. Suspending twice is suspending once.
  ///
  /// OTP: `sys:suspend/1,2`.
  public static func suspend(
    _ target: some SysTarget, timeout: Duration? = .seconds(5)
  ) async throws(SysError) {
    try await ask(target, timeout) { .suspend($0) }
  }

  /// Has a suspended process go on; one that is not suspended stays as it is.
  ///
  /// OTP: `sys:resume/1,2`.
  public static func resume(
    _ target: some SysTarget, timeout: Duration? = .seconds(5)
  ) async throws(SysError) {
    try await ask(target, timeout) { .resume($0) }
  }

  /// Has a process end by itself, so that a server says its last words. It returns when the process
  /// has taken the request, which is before its end; ``ArborBehaviours/ServerRef/stop(_:timeout:)``
  /// waits for that.
  ///
  /// OTP: `sys:terminate/2,3`.
  public static func terminate(
    _ target: some SysTarget, _ reason: ExitReason, timeout: Duration? = .seconds(5)
  ) async throws(SysError) {
    try await ask(target, timeout) { .terminate(reason, $0) }
  }

  /// What a process says of itself: who it is, whether it is suspended, how long its queue is, and its
  /// state, as it chooses to show it.
  ///
  /// OTP: `sys:get_status/1,2`.
  public static func getStatus(
    _ target: some SysTarget, timeout: Duration? = .seconds(5)
  ) async throws(SysError) -> SystemStatus {
    try await ask(target, timeout) { .status($0) }
  }

}

/// Whom ``Sys`` can ask: a PID, a reference to a server, a name on the caller's node.
public protocol SysTarget: Sendable {
  /// Who that is now; nil if nobody.
  var processToAsk: PID? { get }
}

extension PID: SysTarget {
  public var processToAsk: PID? { self }
}

extension ServerRef: SysTarget {
  public var processToAsk: PID? { pid }
}

extension ProcessName: SysTarget {
  public var processToAsk: PID? { Node.current.pid(named: self) }
}

extension Sys {
  static func ask<Reply: Sendable>(
    _ target: some SysTarget, _ timeout: Duration?, _ request: (From<Reply>) -> SystemRequest
  ) async throws(SysError) -> Reply {
    do throws(CallError) {
      guard let pid = target.processToAsk else { throw .noproc }
      return try await pid.ask(timeout: timeout, request)
    } catch {
      throw .call(error)
    }
  }

  /// Changes or reads what is kept about those who look at the process.
  static func debug<Value: Sendable>(
    _ target: some SysTarget, _ timeout: Duration?, _ type: Value.Type,
    _ change: @escaping @Sendable (inout DebugMachine, _ now: UInt64) -> Value
  ) async throws(SysError) -> Value {
    let answer: any Sendable = try await ask(target, timeout) {
      .debug({ change(&$0, $1) }, $0)
    }
    return try unwrap(answer, as: Value.self)
  }

  static func unwrap<Value>(_ value: any Sendable, as type: Value.Type) throws(SysError) -> Value {
    guard let typed = value as? Value else { throw .wrongType("\(Swift.type(of: value))") }
    return typed
  }
}
