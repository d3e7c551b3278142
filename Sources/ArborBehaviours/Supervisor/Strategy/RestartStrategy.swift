/// What tells one strategy from another: whom a failing child takes along.
///
/// They are stopped, the last first, and started again, the first first; the rest is the
/// ``SupervisorMachine``'s, and the same for all.
protocol RestartStrategy {
  /// - Parameters:
  ///   - failed: the place of the child that ended, in the order of the children's start.
  ///   - count: how many children there are.
  /// - Returns: the places of those that are started again, `failed` among them.
  static func restarted(byEndOf failed: Int, among count: Int) -> Range<Int>
}

extension Supervisor.Strategy {
  var rule: any RestartStrategy.Type {
    switch self {
    case .oneForOne: OneForOne.self
    case .oneForAll: OneForAll.self
    case .restForOne: RestForOne.self
    }
  }
}
