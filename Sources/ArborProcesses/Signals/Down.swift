/// One monitor of one process; every call of `monitor` makes its own.
///
/// OTP: the reference that `erlang:monitor/2` returns.
public struct MonitorRef: Hashable, Sendable {
  package let id: UInt64
  package init(id: UInt64) { self.id = id }
}

extension MonitorRef: CustomStringConvertible {
  public var description: String { "#Ref<\(id)>" }
}

/// The message that a monitor leaves when the process it watches has ended.
///
///     let ref = context.monitor(worker)
///     let down = try await context.receive(Down.self, where: { $0.ref == ref })
///     print(down.reason)
///
/// OTP: `{'DOWN', Ref, process, Object, Reason}`.
public struct Down: Sendable {
  /// The monitor that this answers.
  public let ref: MonitorRef
  /// Who ended; nil if the monitor named a process that did not exist.
  public let pid: PID?
  /// What the monitor was set with; mostly nothing.
  let label: MonitorLabel?
  /// Why; ``ExitReason/noproc`` if there was no such process when the monitor was set.
  public let reason: ExitReason

  /// The name that the monitor was set by, if by name.
  public var name: ProcessName? { label?.name }
  /// What the monitor was given to be told by.
  ///
  ///     context.monitor(worker, tag: Job(7))
  ///     let down = try await context.receive(Down.self, where: { $0.tag is Job })
  ///
  /// OTP: the tag that stands in `'DOWN'`'s place.
  public var tag: (any Sendable)? { label?.tag }
}

/// What few monitors have, in an object of its own, so that the others stay small.
package final class MonitorLabel: Sendable {
  let name: ProcessName?
  let tag: (any Sendable)?

  private init(_ name: ProcessName?, _ tag: (any Sendable)?) {
    self.name = name
    self.tag = tag
  }

  /// Nil if there is neither.
  // Not an initializer that fails, which would have made the object by then.
  static func of(name: ProcessName? = nil, tag: (any Sendable)?) -> MonitorLabel? {
    name == nil && tag == nil ? nil : MonitorLabel(name, tag)
  }
}

/// The message that an exit signal becomes in a process that traps exits.
///
/// OTP: `{'EXIT', From, Reason}`.
public struct Exit: Sendable {
  /// Who ended, or who sent the signal; nil if that was code outside any process.
  public let pid: PID?
  public let reason: ExitReason
}
