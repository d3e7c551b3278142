import ArborPrimitives

/// The runnables that stand in the queue of a whole pool, by priority.
struct CommonQueue {
  private var normal = WordDeque()
  private var high = WordDeque()
  private var low = WordDeque()
  /// How many came before one of low priority that waits.
  private var lowPassedOver = 0
  /// How many of high priority went one after the other.
  private var highRun = 0
  var isClosed = false

  /// How many of high priority may go before one of normal priority that waits.
  static let highLimit = 32
  /// How many others may go before one of low priority. OTP has the same number.
  static let lowInterval = 8

  var count: Int { normal.count + high.count + low.count }
  var normalCount: Int { normal.count }
  var highCount: Int { high.count }
  var isEmpty: Bool { count == 0 }

  mutating func append(_ word: UInt, _ priority: ProcessPriority = .normal) {
    switch priority {
    case .normal: normal.append(word)
    case .high: high.append(word)
    case .low: low.append(word)
    }
  }

  mutating func popFirst() -> UInt? {
    if !low.isEmpty {
      lowPassedOver += 1
      if lowPassedOver >= CommonQueue.lowInterval || (high.isEmpty && normal.isEmpty) {
        lowPassedOver = 0
        return low.popFirst()
      }
    }
    if highRun >= CommonQueue.highLimit, let word = normal.popFirst() {
      highRun = 0
      return word
    }
    return popHigh() ?? normal.popFirst()
  }

  mutating func popHigh() -> UInt? {
    guard let word = high.popFirst() else { return nil }
    highRun += 1
    return word
  }

  mutating func popNormal() -> UInt? { normal.popFirst() }
}
