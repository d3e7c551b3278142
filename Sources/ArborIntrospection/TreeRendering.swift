public import ArborBehaviours
public import ArborProcesses

extension ServerRef where Server: Supervising {
  /// The tree below this supervisor, a line a process: id, type, the name that its server is
  /// registered as if that is another, PID, a supervisor's strategy, how often it was started again,
  /// and what it does if it does not run.
  ///
  ///     supervisor #PID<3> oneForOne
  ///       counter: Counter #PID<4>, restarts 1
  ///       workers: Supervisor "pool" #PID<5> oneForAll
  ///         worker: Worker #PID<6>
  ///         ticker: process #PID<7>
  ///         broken: Worker restarting
  ///
  /// - Throws: ``CallError`` if the supervisor itself does not answer; one further down that does
  ///   not is shown so.
  public func rendered() async throws(CallError) -> String {
    let top = pid
    let summary = try await summary
    var line = "supervisor"
    if let name = top?.name { line += " \"\(name)\"" }
    if let top { line += " \(top)" }
    return ([line + " \(summary.strategy)"] + (await summary.lines(depth: 1)))
      .joined(separator: "\n")
  }
}

extension SupervisorSummary {
  fileprivate func lines(depth: Int) async -> [String] {
    var lines: [String] = []
    let indentation = String(repeating: "  ", count: depth)
    for child in children {
      var line = "\(indentation)\(child.id): \(child.type.map { "\($0)" } ?? "process")"
      if let name = child.pid?.name, name.text != child.id { line += " \"\(name)\"" }
      line += child.pid.map { " \($0)" } ?? " \(child.state)"
      let below = await child.summary
      if case .success(let summary) = below { line += " \(summary.strategy)" }
      if child.restarts > 0 { line += ", restarts \(child.restarts)" }
      lines.append(line)
      switch below {
      case .success(let summary): lines += await summary.lines(depth: depth + 1)
      case .failure(let error): lines.append("\(indentation)  (\(error))")
      case nil: break
      }
    }
    return lines
  }
}

extension ChildInfo {
  /// What a child that is a supervisor tells of itself.
  fileprivate var summary: Result<SupervisorSummary, CallError>? {
    get async {
      guard let pid, let type = type as? any Supervising.Type else { return nil }
      return await Self.summary(of: type, pid)
    }
  }

  private static func summary<Server: Supervising>(
    of type: Server.Type, _ pid: PID
  ) async -> Result<SupervisorSummary, CallError> {
    do throws(CallError) {
      return .success(try await ServerRef<Server>(pid).summary)
    } catch {
      return .failure(error)
    }
  }
}

extension PID {
  fileprivate var name: ProcessName? { info?.names.first }
}
