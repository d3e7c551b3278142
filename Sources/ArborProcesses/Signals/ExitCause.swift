import ArborPrimitives
import Synchronization

/// One step on the way to a process's end: who passed it on, and how.
///
///     for cause in worker.fate?.causes ?? [] { print(cause) }
///     // by a link to #PID<12>, which ended with: timeout
///
/// OTP has no such record: there it is read out of the order of the crash reports.
public struct ExitCause: Sendable, Equatable {
  /// How an exit came from one process to the next.
  public enum Route: String, Sendable, Hashable {
    /// By a link: that process ended.
    case link
    /// By an exit signal that it sent.
    case signal
  }

  /// The number of the process that it came from.
  public let processID: UInt64
  public let route: Route
  /// What that process ended with; of a signal, what it said.
  public let reason: ExitReason

  package init(processID: UInt64, route: Route, reason: ExitReason) {
    self.processID = processID
    self.route = route
    self.reason = reason
  }
}

extension ExitCause: CustomStringConvertible {
  public var description: String {
    switch route {
    case .link: "by a link to #PID<\(processID)>, which ended with: \(reason)"
    case .signal: "by an exit signal of #PID<\(processID)>: \(reason)"
    }
  }
}

/// How an end came about, from the nearest cause to the first.
///
/// The common ones, an end by itself and a signal, need no memory of their own.
package enum ExitOrigin: Sendable, Equatable {
  /// By itself, or by code outside any process.
  case itself
  case signal(from: UInt64, ExitReason)
  case chain([ExitCause])

  /// More than this is cut, in the middle: what was first is worth more than what was near.
  static var longest: Int { 16 }

  package var causes: [ExitCause] {
    switch self {
    case .itself: []
    case .signal(let sender, let reason):
      [ExitCause(processID: sender, route: .signal, reason: reason)]
    case .chain(let causes): causes
    }
  }

  /// The origin of an end that a process passes on whose own had this one.
  func passedOn(by process: UInt64, _ route: ExitCause.Route, _ reason: ExitReason) -> ExitOrigin {
    var causes = causes
    if causes.count == Self.longest { causes.remove(at: causes.count - 2) }
    causes.insert(ExitCause(processID: process, route: route, reason: reason), at: 0)
    return .chain(causes)
  }
}

/// The exit signal that the running handler was told of.
package struct HeardExit: Sendable {
  let pid: PID
  let reason: ExitReason
  /// Whether the process has ended; else it only sent the signal.
  let isEnd: Bool

  /// The origin of what comes of it. Most of the time nothing does, and nobody asks.
  var origin: ExitOrigin {
    guard isEnd, let fate = pid.fate else { return .signal(from: pid.id, reason) }
    return fate.origin.passedOn(by: pid.id, .link, fate.reason)
  }
}

extension ProcessCore {
  /// Notes that the process, which traps exits, now handles the end of another: what it ends of, or ends
  /// others for, before it takes its next message, comes from there.
  @usableFromInline
  package func hears(_ exit: Exit) {
    guard let pid = exit.pid else { return }
    let heard = HeardExit(pid: pid, reason: exit.reason, isEnd: pid.core.isReleased)
    hasHeardExit.store(true, ordering: .relaxed)
    machine.withLock { $0.madeBackstage().heardExit = heard }
  }

  /// The next message has nothing to do with what the last one told of.
  @inline(__always) func forgetHeardExit() {
    if hasHeardExit.load(ordering: .relaxed) { forgetHeardExitNow() }
  }

  private func forgetHeardExitNow() {
    hasHeardExit.store(false, ordering: .relaxed)
    machine.withLock { $0.backstage?.heardExit = nil }
  }

  /// What it is that the running handler handles the end of; `itself` for nothing.
  var heardOrigin: ExitOrigin {
    guard hasHeardExit.load(ordering: .relaxed) else { return .itself }
    return machine.withLock { $0.backstage?.heardExit }?.origin ?? .itself
  }

  /// What an exit signal that this process sends comes from.
  func origin(ofSignal reason: ExitReason) -> ExitOrigin {
    let heard = heardOrigin
    if case .itself = heard { return .signal(from: id, reason) }
    return heard.passedOn(by: id, .signal, reason)
  }
}
