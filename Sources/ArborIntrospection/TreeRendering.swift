public import ArborBehaviours
public import ArborProcesses

extension ServerRef<Supervisor> {
  /// The tree below this supervisor, a line a process: id, type, PID, restarts.
  ///
  ///     supervisor #PID<3>
  ///       counter: Counter #PID<4>, restarts 1
  ///       workers: Supervisor #PID<5>
  ///         worker: Worker #PID<6>
  ///
  /// - Throws: ``CallError`` if the supervisor itself does not answer; one further down that does
  ///   not is shown so.
  public func rendered() async throws(CallError) -> String {
    let top = pid.map { "\($0)" } ?? "not running"
    return try await (["supervisor \(top)"] + lines(depth: 1)).joined(separator: "\n")
  }

  private func lines(depth: Int) async throws(CallError) -> [String] {
    var lines: [String] = []
    let indentation = String(repeating: "  ", count: depth)
    for child in try await children {
      var line = "\(indentation)\(child.id): \(child.type)"
      line += child.pid.map { " \($0)" } ?? " not running"
      if child.restarts > 0 { line += ", restarts \(child.restarts)" }
      lines.append(line)
      guard child.isSupervisor, let pid = child.pid else { continue }
      do {
        lines += try await ServerRef(pid).lines(depth: depth + 1)
      } catch {
        lines.append("\(indentation)  (\(error))")
      }
    }
    return lines
  }
}
