/// One line of the comparison: a piece of work that Arbor and its peer both do.
struct Row {
  let name: String
  /// Operations in one round, the same on both sides: enough for a tenth of a second or so.
  let operations: Int
  /// The ratio Arbor / peer that is aimed at: first, and then. Nil where none is set.
  var goal: Double?
  var laterGoal: Double?
  var unit = "ns"
  /// True where one round of the peer takes seconds: fewer rounds are made.
  var isSlow = false
  /// True where there is a floor to measure: the same with Swift's own actors and continuations.
  var hasFloor = true

  /// How many operations a round of a quick run makes.
  func operations(quick: Bool) -> Int {
    quick && !isSlow ? max(operations / 5, 1) : operations
  }
}

extension Row {
  static let all = [
    Row(name: "call", operations: 100_000, goal: 0.5, laterGoal: 0.25),
    Row(name: "call-100-callers", operations: 100_000, goal: 0.4, laterGoal: 0.2),
    Row(name: "call-from-plain-task", operations: 50_000, goal: 1.0, laterGoal: 0.5),
    Row(name: "call-in-place", operations: 100_000, goal: 0.5, laterGoal: 0.25),
    Row(
      name: "call-in-place-100-callers", operations: 100_000, goal: 0.4, laterGoal: 0.2,
      hasFloor: false),
    Row(name: "call-in-place-plain-task", operations: 50_000, goal: 1.0, laterGoal: 0.5),
    Row(name: "cast", operations: 400_000, goal: 0.6, laterGoal: 0.3),
    Row(name: "ping-pong", operations: 200_000, goal: 1.2, laterGoal: 0.6),
    Row(name: "spawn-monitor-down", operations: 50_000, goal: 0.6, laterGoal: 0.3),
    Row(name: "start-server", operations: 20_000, goal: 0.2, laterGoal: 0.1),
    Row(name: "server-bytes", operations: 20_000, goal: 0.75, laterGoal: 0.4, unit: "bytes"),
    Row(name: "kill-down", operations: 20_000, goal: 0.3, laterGoal: 0.15),
    Row(name: "lookup", operations: 1_000_000, goal: 0.3, laterGoal: 0.15),
    Row(name: "lookup-2", operations: 1_000_000, goal: 0.3, laterGoal: 0.15),
    Row(name: "insert", operations: 1_000_000, goal: 0.7, laterGoal: 0.4),
    Row(name: "insert-2", operations: 1_000_000, goal: 0.4, laterGoal: 0.2),
    Row(name: "update-counter", operations: 2_000_000, goal: 0.8, laterGoal: 0.4),
    Row(name: "mix-50-50-0", operations: 1_000_000),
    Row(name: "mix-50-50-0-2", operations: 1_000_000),
    Row(name: "mix-10-10-80", operations: 1_000_000),
    Row(name: "mix-10-10-80-2", operations: 1_000_000),
    Row(name: "mix-1-1-98", operations: 1_000_000),
    Row(name: "mix-1-1-98-2", operations: 1_000_000),
    Row(name: "mix-0-0-100", operations: 1_000_000),
    Row(name: "mix-0-0-100-2", operations: 1_000_000),
    Row(name: "span-child", operations: 20_000, goal: 0.05, laterGoal: 0.03),
    Row(
      name: "span-child-10k-clients", operations: 500, goal: 0.05, laterGoal: 0.03, isSlow: true),
    Row(name: "span-current", operations: 50_000, goal: 0.5, laterGoal: 0.25),
    Row(
      name: "span-cleanup-10k", operations: 10_000, goal: 0.02, laterGoal: 0.005, isSlow: true,
      hasFloor: false),
    Row(name: "timer-add-cancel", operations: 200_000),
    Row(name: "restart", operations: 500),
    Row(name: "stop-children", operations: 50_000, isSlow: true, hasFloor: false),
  ]
}
