import ArborPrimitives
import ArborProcesses

/// What ``Supervisor`` and ``PartitionSupervisor`` have in common: a ``SupervisorMachine``, and the
/// doing of what that decides. It belongs to its actor, and runs in its handlers.
final class Supervision {
  let process: ProcessContext
  /// The type of its actor, for what it tells.
  private let owner: String
  private(set) var machine: SupervisorMachine

  init(_ machine: SupervisorMachine, in process: ProcessContext, of owner: any Supervising.Type) {
    self.process = process
    self.owner = "\(owner)"
    self.machine = machine
    process.trapExit()
  }

  func start() async throws { try await perform(machine.begin()) }

  func handle(_ cast: SupervisorCast) async throws {
    try await perform(machine.tryAgain(cast.id, attempt: cast.attempt, at: now))
  }

  func handle(_ info: Info) async throws {
    guard case .exit(let exit) = info else { return process.logUnexpected(info, by: owner, .error) }
    guard let pid = exit.pid else { return }
    try await perform(machine.ended(pid, exit.reason, at: now))
  }

  func terminate() async { try? await perform(machine.shutDown()) }

  private var now: UInt64 { process.node.clock.now() }

  /// Does what is to be done, and what follows from it.
  ///
  /// - Throws: what ends the supervisor.
  private func perform(_ actions: [SupervisorMachine.Action]) async throws {
    var actions = actions
    while !actions.isEmpty {
      switch actions.removeFirst() {
      case .start(let id): actions += await startChild(id)
      case .stop(let id, let pid):
        await process.end([(pid, machine.entry(id)?.child.shutdown ?? .brutalKill)])
        actions += machine.stopped(id, pid.fate?.reason ?? .killed)
      case .tryAgain(let id, let attempt):
        // By a message, so that calls are answered between two tries.
        process.core.cast(SupervisorCast(id: id, attempt: attempt))
      case .report(let report): report.emit(by: process)
      case .end: throw ExitReason.shutdown
      case .fail(let error): throw error
      }
    }
  }

  private func startChild(_ id: String) async -> [SupervisorMachine.Action] {
    guard let child = machine.entry(id)?.child else { return [] }
    do {
      return machine.started(id, as: try await child.start())
    } catch {
      return machine.startFailed(id, error)
    }
  }
}

// The requests: each is answered once it is done.
extension Supervision {
  func handle(_ request: SupervisorCall.Request) async {
    switch request {
    case .children(let from): from.reply(children)
    case .count(let from): from.reply(count)
    case .childSpec(let id, let from): from.reply(childSpec(id))
    case .startChild(let child, let from): from.reply(await start(child))
    case .restartChild(let id, let from): from.reply(await restartChild(id))
    case .terminateChild(let id, let from): from.reply(await terminateChild(id))
    case .deleteChild(let id, let from):
      from.reply(
        Result { () throws(SupervisorError) in
          try machine.delete(id)
        })
    // Of other supervisors' references.
    case .summary, .terminateProcess, .resize: break
    }
  }

  var children: [ChildInfo] { machine.entries.map(ChildInfo.init) }

  var count: ChildCount {
    ChildCount(machine.entries.lazy.map { ($0.child.isSupervisor, $0.pid) })
  }

  func summary(_ strategy: String) -> SupervisorSummary {
    SupervisorSummary(strategy: strategy, restarts: machine.restarts, children: children)
  }

  func childSpec(_ id: String) -> Result<Child, SupervisorError> {
    machine.entry(id).map { .success($0.child) } ?? .failure(.notFound(id))
  }

  func start(_ child: Child) async -> Result<PID?, SupervisorError> {
    do throws(SupervisorError) {
      try machine.admit(child)
    } catch {
      return .failure(error)
    }
    return await start(child) { machine, pid in machine.admitted(child, as: pid) }
  }

  func restartChild(_ id: String) async -> Result<PID?, SupervisorError> {
    let child: Child
    do throws(SupervisorError) {
      child = try machine.childToRestart(id)
    } catch {
      return .failure(error)
    }
    return await start(child) { machine, pid in machine.started(id, as: pid) }
  }

  private func start(
    _ child: Child, note: (inout SupervisorMachine, PID?) -> [SupervisorMachine.Action]
  ) async -> Result<PID?, SupervisorError> {
    do throws(StartError) {
      let pid = try await child.start()
      // Reports are all that comes of it.
      try? await perform(note(&machine, pid))
      return .success(pid)
    } catch {
      SupervisorReport(.childStartFailed, child, nil, .error(error)).emit(by: process)
      return .failure(.childFailed(child.id, error))
    }
  }

  func terminateChild(_ id: String) async -> Result<Void, SupervisorError> {
    do throws(SupervisorError) {
      let actions = try machine.terminate(id)
      try? await perform(actions)
      return .success(())
    } catch {
      return .failure(error)
    }
  }
}

extension Child {
  /// - Parameter extra: what the supervisor passes to its children.
  func start(_ extra: (any Sendable)? = nil) async throws(StartError) -> PID? {
    // Temporary children, whose start is let go of, are not started twice.
    guard let start else { return nil }
    return try await start(extra)
  }
}

extension ChildInfo {
  init(_ entry: SupervisorMachine.Entry) {
    self.init(
      entry.child, pid: entry.pid, isRestarting: entry.isRestarting, restarts: entry.restarts)
  }
}

extension ProcessContext {
  /// Ends processes side by side, and returns when they are gone; why, their fates say.
  ///
  /// Links stay as they are: if the supervisor is killed on the way, they end the children. What the
  /// end of a child leaves in the mailbox by its link is of a process that the supervisor no longer
  /// knows. One that has unlinked itself cannot hang the supervisor, as no link is waited for.
  func end(_ children: [(pid: PID, shutdown: Shutdown)]) async {
    for child in children {
      sendExit(child.shutdown == .brutalKill ? .kill : .shutdown, to: child.pid)
    }
    let pids = children.map(\.pid)
    let begun = node.clock.now()
    let times = Set(children.compactMap(\.shutdown.time)).sorted()
    for time in times {
      let deadline = begun.addingClamped(time.wholeNanoseconds)
      if await awaitEnds(of: pids, until: deadline) { return }
      for child in children where child.shutdown == .timeout(time) && child.pid.fate == nil {
        sendExit(.kill, to: child.pid)
      }
    }
    _ = await awaitEnds(of: pids)
  }
}

extension Shutdown {
  fileprivate var time: Duration? { if case .timeout(let time) = self { time } else { nil } }
}
