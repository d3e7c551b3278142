public import ArborBehaviours
public import ArborProcesses

extension Sys {
  /// The state of a server that shows it, also while it is suspended.
  ///
  ///     let value = try await Sys.getState(counter)
  ///
  /// OTP: `sys:get_state/1,2`.
  public static func getState<Server: StateExposing>(
    _ server: ServerRef<Server>, timeout: Duration? = .seconds(5)
  ) async throws(SysError) -> Server.State {
    try await getState(server, as: Server.State.self, timeout: timeout)
  }

  /// The state of a process whose type of state is known.
  ///
  /// - Throws: ``ArborProcesses/SysError``: `notExposed` if the process does not show its state, `wrongType` if that is of
  ///   another type.
  public static func getState<State: Sendable>(
    _ target: some SysTarget, as type: State.Type, timeout: Duration? = .seconds(5)
  ) async throws(SysError) -> State {
    let answer: Result<any Sendable, SysError> = try await ask(target, timeout) { .state($0) }
    return try unwrap(try answer.get(), as: State.self)
  }

  /// Changes the state of a server that shows it, also while it is suspended.
  ///
  ///     try await Sys.replaceState(counter) { $0 += 40 }
  ///
  /// - Parameter change: changes a copy of the state, which is put in its place if nothing is thrown. It
  ///   runs inside the server: short, and never calling it.
  /// - Returns: the new state.
  /// - Throws: ``ArborProcesses/SysError``: `replacementFailed` if the change threw; the server goes on with its old state.
  ///
  /// OTP: `sys:replace_state/2,3`.
  @discardableResult
  public static func replaceState<Server: StateExposing>(
    _ server: ServerRef<Server>, timeout: Duration? = .seconds(5),
    _ change: @escaping @Sendable (inout Server.State) throws -> Void
  ) async throws(SysError) -> Server.State {
    try await replaceState(server, as: Server.State.self, timeout: timeout, change)
  }

  /// Changes the state of a process whose type of state is known.
  @discardableResult
  public static func replaceState<State: Sendable>(
    _ target: some SysTarget, as type: State.Type, timeout: Duration? = .seconds(5),
    _ change: @escaping @Sendable (inout State) throws -> Void
  ) async throws(SysError) -> State {
    let changeAny: StateChange = { old throws(SysError) in
      var state = try unwrap(old, as: State.self)
      do {
        try change(&state)
      } catch {
        throw .replacementFailed(error)
      }
      return state
    }
    let answer: Result<any Sendable, SysError> = try await ask(target, timeout) {
      .replaceState(changeAny, $0)
    }
    return try unwrap(try answer.get(), as: State.self)
  }
}
