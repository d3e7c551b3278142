public import ArborProcesses

// What looks on costs the process for as long as it does, each message a little. Processes that
// nobody looks at pay one read of a flag.

extension Sys {
  /// Writes every event of a process to its node's logger.
  ///
  /// OTP: `sys:trace/2,3`.
  public static func trace(
    _ target: some SysTarget, _ isOn: Bool, timeout: Duration? = .seconds(5)
  ) async throws(SysError) {
    try await debug(target, timeout, Void.self) { debug, _ in debug.isTracing = isOn }
  }

  /// Keeps the last events of a process, or stops that and forgets them.
  ///
  /// - Parameter count: how many; ten if not said.
  ///
  /// OTP: `sys:log/2,3`.
  public static func log(
    _ target: some SysTarget, _ isOn: Bool, keeping count: Int = 10,
    timeout: Duration? = .seconds(5)
  ) async throws(SysError) {
    if isOn, count <= 0 { throw .call(.badarg) }
    try await debug(target, timeout, Void.self) { debug, _ in debug.keepLog(isOn ? count : 0) }
  }

  /// The events that were kept, oldest first; none if no log is.
  ///
  /// OTP: `sys:log(Name, get)`.
  public static func getLog(
    _ target: some SysTarget, timeout: Duration? = .seconds(5)
  ) async throws(SysError) -> [SystemEvent] {
    try await debug(target, timeout, [SystemEvent].self) { debug, _ in debug.log }
  }

  /// Counts what a process takes and answers from now on, or stops that.
  ///
  /// OTP: `sys:statistics/2,3`.
  public static func statistics(
    _ target: some SysTarget, _ isOn: Bool, timeout: Duration? = .seconds(5)
  ) async throws(SysError) {
    try await debug(target, timeout, Void.self) { debug, now in debug.count(isOn, at: now) }
  }

  /// What was counted; nil if nothing is.
  ///
  /// OTP: `sys:statistics(Name, get)`.
  public static func getStatistics(
    _ target: some SysTarget, timeout: Duration? = .seconds(5)
  ) async throws(SysError) -> SystemStatistics? {
    try await debug(target, timeout, SystemStatistics?.self) { debug, now in
      debug.statistics(at: now)
    }
  }

  /// Has a closure see every event of a process, until it says ``ArborProcesses/ProbeVerdict/done``, throws,
  /// or is removed.
  ///
  ///     try await Sys.install(counter, "big numbers") { event in
  ///       if case .received(.cast, Counter.Cast.add(let n)) = event.what, n > 100 { alarm(n) }
  ///       return .keep
  ///     }
  ///
  /// - Parameters:
  ///   - id: names it, for ``remove(_:_:timeout:)``.
  ///   - probe: runs inside the process, for every event: short, and never calling it.
  /// - Throws: ``ArborProcesses/SysError``: `alreadyInstalled` if there is one by that id.
  ///
  /// OTP: `sys:install/2,3`.
  public static func install(
    _ target: some SysTarget, _ id: String, timeout: Duration? = .seconds(5),
    _ probe: @escaping @Sendable (SystemEvent) throws -> ProbeVerdict
  ) async throws(SysError) {
    let isInstalled = try await debug(target, timeout, Bool.self) { debug, _ in
      debug.install(Probe(id, probe))
    }
    if !isInstalled { throw .alreadyInstalled(id) }
  }

  /// Takes a probe away.
  ///
  /// - Returns: false if there is none by that id.
  ///
  /// OTP: `sys:remove/2,3`.
  @discardableResult
  public static func remove(
    _ target: some SysTarget, _ id: String, timeout: Duration? = .seconds(5)
  ) async throws(SysError) -> Bool {
    try await debug(target, timeout, Bool.self) { debug, _ in debug.remove(id) }
  }

  /// Ends all that looks at a process: trace, log, statistics, probes.
  ///
  /// OTP: `sys:no_debug/1,2`.
  public static func noDebug(
    _ target: some SysTarget, timeout: Duration? = .seconds(5)
  ) async throws(SysError) {
    try await debug(target, timeout, Void.self) { debug, _ in debug = DebugMachine() }
  }
}
