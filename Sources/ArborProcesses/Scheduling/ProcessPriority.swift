/// Who of those that can run goes first.
///
///     let probe = spawn(priority: .high) { context in … }
///     context.priority = .low
///
/// On a node's own threads a process of high priority runs before those of normal priority, and one
/// of low priority when there is no other, but none is left behind for good: now and then it is the
/// turn of the others. It orders turns only; nobody who runs is interrupted, and what is sent to a
/// process of high priority waits as long as the process itself. In a simulation it says nothing:
/// there the seed decides.
///
/// High and low cost more at each turn than normal does: their queues are the whole pool's.
///
/// OTP: `process_flag(priority, Level)`.
public enum ProcessPriority: UInt8, Sendable, Comparable, CaseIterable {
  case low
  case normal
  case high

  public static func < (left: ProcessPriority, right: ProcessPriority) -> Bool {
    left.rawValue < right.rawValue
  }
}

extension ProcessContext {
  /// How soon the process gets its turns; `normal` unless it was spawned with another.
  ///
  /// OTP: `process_flag(priority, Level)`.
  public var priority: ProcessPriority {
    get { core.priority }
    set { core.priority = newValue }
  }
}
