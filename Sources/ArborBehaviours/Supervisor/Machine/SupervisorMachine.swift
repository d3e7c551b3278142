import ArborProcesses

/// What a supervisor knows of its children, and what it decides; pure, so that the rules can be
/// tested without a process.
///
/// A transition returns what is to be done. After a `start` or a `stop` the machine is told what
/// came of it, by ``started(_:as:)``, ``startFailed(_:_:)`` or ``stopped(_:_:)``, which return
/// what is next: one such step at a time, since a failing start changes the rest.
struct SupervisorMachine: Sendable {
  struct Entry: Sendable {
    var child: Child
    var state = ChildState.stopped
    var restarts = 0

    var pid: PID? { if case .running(let pid) = state { pid } else { nil } }
    var isRestarting: Bool { if case .restarting = state { true } else { false } }
  }

  enum ChildState: Sendable, Equatable {
    case running(PID)
    /// It was not to be started again, was stopped, or did not want to start.
    case stopped
    /// A restart failed and is to be tried again; `attempt` tells this try from earlier ones.
    case restarting(attempt: Int)
  }

  enum Action: Sendable, Equatable {
    /// Start the child; answered by `started` or `startFailed`.
    case start(id: String)
    /// End the child's process; answered by `stopped`.
    case stop(id: String, PID)
    /// Come back with `tryAgain`, behind what came meanwhile.
    case tryAgain(id: String, attempt: Int)
    case report(SupervisorReport)
    /// The supervisor is to end, with `shutdown`, its children first.
    case end
    /// The first start failed: what had started is stopped again.
    case fail(SupervisorError)
  }

  /// What is under way: first the stops, then the starts.
  struct Plan: Sendable {
    enum Purpose: Sendable, Equatable {
      case firstStart
      case failedFirstStart(id: String, StartError)
      case restart
      case termination
    }
    var purpose: Purpose
    /// By id, as a temporary child that is stopped leaves the list.
    var stops: ArraySlice<String> = []
    var starts: ArraySlice<String> = []
  }

  let strategy: Supervisor.Strategy
  let autoShutdown: AutoShutdown
  /// In the order of their start.
  private(set) var entries: [Entry] = []
  /// Where in the list a child is.
  private var places: [String: Int] = [:]
  /// How often a child was started again.
  var restarts = 0
  var intensity: RestartIntensity
  var plan: Plan?
  private var lastAttempt = 0

  init(
    _ children: [Child], strategy: Supervisor.Strategy, autoShutdown: AutoShutdown = .never,
    intensity: RestartIntensity
  ) throws(SupervisorError) {
    self.strategy = strategy
    self.autoShutdown = autoShutdown
    self.intensity = intensity
    for child in children {
      try child.check(autoShutdown: autoShutdown)
      if places[child.id] != nil { throw .duplicateID(child.id) }
      append(child)
    }
  }

  func index(of id: String) -> Int? { places[id] }
  func entry(_ id: String) -> Entry? { places[id].map { entries[$0] } }

  mutating func append(_ child: Child) {
    places[child.id] = entries.count
    entries.append(Entry(child: child))
  }

  mutating func remove(at index: Int) {
    places[entries.remove(at: index).child.id] = nil
    // Mostly it was one of the last: supervisors stop those first.
    for place in index..<entries.count { places[entries[place].child.id] = place }
  }

  mutating func setState(_ state: ChildState, of index: Int) { entries[index].state = state }

  mutating func nextAttempt() -> Int {
    lastAttempt += 1
    return lastAttempt
  }
}

extension SupervisorMachine {
  /// Starts all children, in their order.
  mutating func begin() -> [Action] {
    plan = Plan(purpose: .firstStart, starts: entries.map(\.child.id)[...])
    return advance()
  }

  /// Stops all children, in the reverse order. What was under way is over.
  mutating func shutDown() -> [Action] {
    plan = Plan(purpose: .termination, stops: entries.map(\.child.id).reversed()[...])
    return advance()
  }

  /// What is to be done next, after `report`, if there is one.
  private mutating func advance(after report: Action? = nil) -> [Action] {
    switch (report, nextStep()) {
    case (let report?, let step?): [report, step]
    case (let action?, nil), (nil, let action?): [action]
    case (nil, nil): []
    }
  }

  /// The next step of what is under way.
  private mutating func nextStep() -> Action? {
    while let id = plan?.stops.popFirst() {
      guard let index = index(of: id) else { continue }
      if let pid = entries[index].pid { return .stop(id: id, pid) }
      setStopped(index)
    }
    while let id = plan?.starts.popFirst() {
      if index(of: id) != nil { return .start(id: id) }
    }
    defer { plan = nil }
    if case .failedFirstStart(let id, let error) = plan?.purpose {
      return .fail(.childFailed(id, error))
    }
    return nil
  }

  /// A child's process that was to be ended has ended.
  mutating func stopped(_ id: String, _ reason: ExitReason) -> [Action] {
    guard let index = index(of: id), let pid = entries[index].pid else { return advance() }
    let child = entries[index].child
    setStopped(index)
    if child.expectsEnd(by: reason) { return advance() }
    return advance(after: .report(.init(.childShutdownFailed, child, pid, reason)))
  }

  /// A child has started.
  ///
  /// - Parameter pid: nil if it did not want to.
  mutating func started(_ id: String, as pid: PID?) -> [Action] {
    guard let index = index(of: id) else { return advance() }
    guard let pid else {
      setStopped(index)
      return advance()
    }
    entries[index].state = .running(pid)
    let child = entries[index].child
    entries[index].child.forgetStart()
    guard plan?.purpose == .restart else {
      return advance(after: .report(.init(.childStarted, child, pid)))
    }
    restarts += 1
    entries[index].restarts += 1
    return advance(after: .report(.init(.childRestarted, child, pid)))
  }

  /// A child did not start.
  mutating func startFailed(_ id: String, _ error: StartError) -> [Action] {
    guard let index = index(of: id) else { return advance() }
    let report = Action.report(.init(.childStartFailed, entries[index].child, nil, .error(error)))
    if plan?.purpose == .restart {
      plan = nil
      let attempt = nextAttempt()
      entries[index].state = .restarting(attempt: attempt)
      return [report, .tryAgain(id: id, attempt: attempt)]
    }
    plan = Plan(
      purpose: .failedFirstStart(id: id, error), stops: entries.map(\.child.id).reversed()[...])
    return advance(after: report)
  }

  /// A child has no process any more. A temporary one is forgotten.
  mutating func setStopped(_ index: Int) {
    if entries[index].child.restart == .temporary {
      remove(at: index)
    } else {
      entries[index].state = .stopped
    }
  }

  /// Begins what has been decided, after `report`, if there is one.
  mutating func carryOut(_ plan: Plan, after report: Action? = nil) -> [Action] {
    self.plan = plan
    return advance(after: report)
  }
}
