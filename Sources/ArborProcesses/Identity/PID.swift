/// A process's identity: who to send to, monitor, link or end.
///
///     let echo = spawn { context in … }
///     echo.send("hello")
///     print(echo)                    // #PID<42>
///
/// A PID stays valid after its process has ended: sends to it vanish, monitors of it answer at
/// once, and ``fate`` says what it died of. PIDs are never reused within a node.
///
/// OTP: `pid()`.
public struct PID: Sendable {
  // The process itself: no look-up stands between a PID and its mailbox. What is heavy in a
  // process is let go at its end, so that a PID kept for long keeps a small object.
  @usableFromInline package let core: ProcessCore

  @inlinable
  package init(_ core: ProcessCore) { self.core = core }

  /// The number that names the process within its node.
  public var id: UInt64 { core.id }

  /// The node that the process belongs to.
  public var node: Node { core.node }

  /// False from the moment that an untrapped exit signal arrived at the process.
  ///
  /// OTP: `erlang:is_process_alive/1`.
  public var isAlive: Bool { core.isAlive }

  /// Why and when the process ended; nil until then.
  public var fate: Fate? { core.fate }
}

extension PID: Hashable {
  public static func == (left: PID, right: PID) -> Bool { left.core === right.core }
  public func hash(into hasher: inout Hasher) { hasher.combine(core.id) }
}

extension PID: Comparable {
  /// Older processes come first.
  public static func < (left: PID, right: PID) -> Bool { left.core.id < right.core.id }
}

extension PID: CustomStringConvertible {
  public var description: String { "#PID<\(core.id)>" }
}

/// How a process ended.
public struct Fate: Sendable, Equatable {
  /// What it told its links and monitors.
  public let reason: ExitReason
  /// When, in nanoseconds of its node's clock.
  public let time: UInt64
  package let origin: ExitOrigin

  package init(reason: ExitReason, time: UInt64, origin: ExitOrigin = .itself) {
    self.reason = reason
    self.time = time
    self.origin = origin
  }

  /// How it came about: from what ended the process back to what failed first. Empty for one that
  /// ended by itself. Of more than 16 steps the nearest and the first are kept.
  public var causes: [ExitCause] { origin.causes }
}
