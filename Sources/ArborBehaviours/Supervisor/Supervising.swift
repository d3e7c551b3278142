public import ArborProcesses

/// What all supervisors have in common: ``Supervisor``, ``DynamicSupervisor``,
/// ``PartitionSupervisor``. They can be asked for their children, and be drawn as a tree.
///
/// Not for conformances of others.
public protocol Supervising: GenServer where Call == SupervisorCall, Cast == SupervisorCast {
  /// How it is called in a drawing of its tree.
  nonisolated var strategyName: String { get }
}

/// What a supervisor is asked for, by the functions of its ``ServerRef``.
public struct SupervisorCall: Sendable {
  enum Request: Sendable {
    case children(From<[ChildInfo]>)
    case count(From<ChildCount>)
    case summary(From<SupervisorSummary>)
    case childSpec(id: String, From<Result<Child, SupervisorError>>)
    case startChild(Child, From<Result<PID?, SupervisorError>>)
    case restartChild(id: String, From<Result<PID?, SupervisorError>>)
    case deleteChild(id: String, From<Result<Void, SupervisorError>>)
    case terminateChild(id: String, From<Result<Void, SupervisorError>>)
    case terminateProcess(PID, From<Result<Void, SupervisorError>>)
    case resize(Int, From<Result<Int, SupervisorError>>)
  }
  let request: Request
}

/// What a supervisor tells itself.
public struct SupervisorCast: Sendable {
  /// The attempt whose turn it is: see `SupervisorMachine.Action.tryAgain`.
  let id: String
  let attempt: Int
}

/// What a supervisor tells of a child.
///
/// OTP: `supervisor:which_children/1`.
public struct ChildInfo: Sendable {
  public enum State: Sendable, Equatable {
    case running
    /// A restart failed, and is tried again.
    case restarting
    /// It has no process: it was stopped, ended for good, or did not want to start.
    case stopped
  }

  public let id: String
  /// Nil while it is not running.
  public let pid: PID?
  public let state: State
  /// The type of the server; nil for a plain body.
  public let type: (any GenServer.Type)?
  public let restart: Restart
  public let shutdown: Shutdown
  public let isSignificant: Bool
  /// How often its supervisor has started it again.
  public let restarts: Int

  init(_ child: Child, pid: PID?, isRestarting: Bool, restarts: Int) {
    id = child.id
    self.pid = pid
    state = isRestarting ? .restarting : pid == nil ? .stopped : .running
    type = child.type
    restart = child.restart
    shutdown = child.shutdown
    isSignificant = child.isSignificant
    self.restarts = restarts
  }

  /// True if the child is a supervisor itself.
  public var isSupervisor: Bool { type is any Supervising.Type }
}

/// How many children a supervisor has.
///
/// OTP: `supervisor:count_children/1`.
public struct ChildCount: Sendable, Equatable {
  /// All of them, whether or not they run.
  public let specs: Int
  /// Those whose process runs.
  public let active: Int
  /// Those that are supervisors, whether or not they run.
  public let supervisors: Int
  /// The others, whether or not they run.
  public let workers: Int

  init(_ children: some Sequence<(isSupervisor: Bool, pid: PID?)>) {
    var (specs, active, supervisors) = (0, 0, 0)
    for child in children {
      specs += 1
      if child.pid?.isAlive == true { active += 1 }
      if child.isSupervisor { supervisors += 1 }
    }
    self.specs = specs
    self.active = active
    self.supervisors = supervisors
    workers = specs - supervisors
  }
}

/// A supervisor in a drawing of its tree.
package struct SupervisorSummary: Sendable {
  package let strategy: String
  package let restarts: Int
  package let children: [ChildInfo]
}

extension ServerRef where Server: Supervising {
  /// The children in the order of their start.
  ///
  /// OTP: `supervisor:which_children/1`.
  public var children: [ChildInfo] {
    get async throws(CallError) {
      try await call(timeout: nil) { SupervisorCall(request: .children($0)) }
    }
  }

  /// How many children there are, and of which kind.
  ///
  /// OTP: `supervisor:count_children/1`.
  public var count: ChildCount {
    get async throws(CallError) {
      try await call(timeout: nil) { SupervisorCall(request: .count($0)) }
    }
  }

  /// What a drawing shows.
  package var summary: SupervisorSummary {
    get async throws(CallError) {
      try await call(timeout: nil) { SupervisorCall(request: .summary($0)) }
    }
  }

  /// Asks for what may be refused, for as long as it takes: a child's start or its end.
  func ask<Answer: Sendable>(
    _ request: (From<Result<Answer, SupervisorError>>) -> SupervisorCall.Request
  ) async throws(SupervisorError) -> Answer {
    let answer: Result<Answer, SupervisorError>
    do {
      answer = try await call(timeout: nil) { SupervisorCall(request: request($0)) }
    } catch {
      throw .noAnswer(error)
    }
    return try answer.get()
  }
}
