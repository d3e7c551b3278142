public import ArborProcesses

/// A supervisor of children that come and go: it starts with none, has any number of them, knows
/// them by their PID, and stops them side by side.
///
///     let sessions = try await DynamicSupervisor.start(named: "sessions", maxChildren: 10_000)
///     let pid = try await sessions.startChild(
///       Child("session", restart: .temporary) { Session(user) })
///     try await sessions.stop(.shutdown)
///
/// Each child is for itself, as with ``Supervisor/Strategy/oneForOne``; ids only say what a child
/// is, and any number may have the same.
///
/// OTP: Elixir's `DynamicSupervisor`; `supervisor` with `simple_one_for_one`.
public actor DynamicSupervisor: Supervising {
  public nonisolated let process: ProcessContext
  public nonisolated var strategyName: String { "dynamic" }
  private var machine: DynamicSupervisorMachine
  private let extra: (any Sendable)?

  /// For use as a child of another supervisor. Elsewhere see ``start``.
  ///
  ///     Child("sessions", named: "sessions") { try DynamicSupervisor() }
  ///
  /// - Parameters:
  ///   - maxChildren: how many children there may be at once; nil, the default, is any number.
  ///   - maxRestarts: how many restarts it takes within the period.
  ///   - period: the length of the sliding window.
  ///   - extraArguments: what to pass to each child that takes something: see
  ///     ``Child/init(_:named:restart:shutdown:mailbox:startTimeout:taking:_:)``.
  /// - Throws: ``SupervisorError`` for numbers that make no sense.
  public init(
    maxChildren: Int? = nil, maxRestarts: Int = 3, within period: Duration = .seconds(5),
    extraArguments: (any Sendable)? = nil
  ) throws {
    process = ProcessContext()
    extra = extraArguments
    machine = try DynamicSupervisorMachine(
      maxChildren: maxChildren,
      intensity: RestartIntensity(maxRestarts: maxRestarts, within: period))
    process.trapExit()
  }

  public func handleCall(_ call: SupervisorCall) async throws {
    switch call.request {
    case .children(let from): from.reply(children)
    case .count(let from):
      from.reply(
        ChildCount(
          machine.entries.values.lazy.map {
            ($0.child.isSupervisor, $0.attempt == nil ? $0.pid : nil)
          }))
    case .summary(let from):
      from.reply(
        SupervisorSummary(
          strategy: strategyName, restarts: machine.restarts, children: children))
    case .startChild(let child, let from): from.reply(await start(child))
    case .terminateProcess(let pid, let from): from.reply(await terminate(pid))
    // Of other supervisors' references.
    case .childSpec, .restartChild, .deleteChild, .terminateChild, .resize: break
    }
  }

  public func handleCast(_ cast: SupervisorCast) async throws {
    try await perform(machine.tryAgain(cast.attempt, at: now))
  }

  public func handleInfo(_ info: Info) async throws {
    guard case .exit(let exit) = info else {
      return process.logUnexpected(info, by: "\(Self.self)", .error)
    }
    guard let pid = exit.pid else { return }
    try await perform(machine.ended(pid, exit.reason, at: now))
  }

  public func terminate(_ reason: ExitReason) async {
    let children = machine.ordered.filter { $0.attempt == nil }
    await process.end(children.map { ($0.pid, $0.child.shutdown) })
    for child in children {
      try? await perform(machine.stopped(child.pid, child.pid.fate?.reason))
    }
  }

  private var now: UInt64 { process.node.clock.now() }

  private var children: [ChildInfo] {
    machine.ordered.map { entry in
      ChildInfo(
        entry.child, pid: entry.attempt == nil ? entry.pid : nil,
        isRestarting: entry.attempt != nil, restarts: entry.restarts)
    }
  }

  /// Does what is to be done, and what follows from it.
  ///
  /// - Throws: what ends the supervisor.
  private func perform(_ actions: [DynamicSupervisorMachine.Action]) async throws {
    var actions = actions
    while !actions.isEmpty {
      switch actions.removeFirst() {
      case .restart(let number): actions += await restart(number)
      case .tryAgain(let id, let attempt):
        // By a message, so that calls are answered between two tries.
        process.core.cast(SupervisorCast(id: id, attempt: attempt))
      case .report(let report): report.emit(by: process)
      case .end: throw ExitReason.shutdown
      }
    }
  }

  private func restart(
    _ number: DynamicSupervisorMachine.Number
  ) async -> [DynamicSupervisorMachine.Action] {
    guard let child = machine[number]?.child else { return [] }
    do {
      return machine.restarted(number, as: try await child.start(extra))
    } catch {
      return machine.restartFailed(number, error)
    }
  }

  private func start(_ child: Child) async -> Result<PID?, SupervisorError> {
    do throws(SupervisorError) {
      try child.check(extra: extra)
      try machine.admit()
    } catch {
      return .failure(error)
    }
    do throws(StartError) {
      guard let pid = try await child.start(extra) else { return .success(nil) }
      try? await perform(machine.admitted(child, as: pid))
      return .success(pid)
    } catch {
      SupervisorReport(.childStartFailed, child, nil, .error(error)).emit(by: process)
      return .failure(.childFailed(child.id, error))
    }
  }

  private func terminate(_ pid: PID) async -> Result<Void, SupervisorError> {
    guard let entry = machine.entry(of: pid) else { return .failure(.notAChild(pid)) }
    if entry.attempt == nil { await process.end([(pid, entry.child.shutdown)]) }
    let reason = entry.attempt == nil ? pid.fate?.reason : nil
    try? await perform(machine.stopped(pid, reason))
    return .success(())
  }
}
