import ArborPrimitives
import Synchronization

extension PID {
  /// What a process is doing, at one moment.
  ///
  ///     if let info = pid.info { print(info.status, info.queueLength, info.handling as Any) }
  ///
  /// Everything but the status is of one and the same moment.
  ///
  /// OTP: the items of `erlang:process_info/2`.
  public struct Info: Sendable {
    /// What the process's own code is doing.
    public let status: Status
    /// The message that it is handling; nil if it waits for one.
    public let handling: Handling?
    /// How many messages wait. OTP: `message_queue_len`.
    public let queueLength: Int
    /// How many messages it has received so far.
    public let messagesHandled: Int
    /// Those who wait for its answer to a call.
    public let unansweredCalls: Int
    /// The processes that it is linked with, oldest first.
    public let links: [PID]
    /// The processes that it watches, once for each monitor, oldest first.
    public let monitors: [PID]
    /// The processes that watch it, once for each monitor, oldest first.
    public let monitoredBy: [PID]
    /// OTP: `registered_name`.
    public let names: [ProcessName]
    /// What ``ProcessContext/setLabel(_:)`` last said. OTP: `label`.
    public let label: String?
    /// What it was started to do: the description given to `spawn`, or the type of the server.
    ///
    /// OTP: `initial_call`.
    public let initialCall: String?
    /// Who started it; nil if that was code outside any process. OTP: `parent`.
    public let parent: PID?
    /// Its parent, that one's parent, and so on; the nearest 32 at least. OTP: `'$ancestors'`.
    public let ancestors: [Ancestor]
    /// On whose behalf it runs; see ``ProcessContext/callers``. OTP: `'$callers'` of Elixir.
    public let callers: [PID]
    /// When it was started, in nanoseconds of its node's clock.
    public let spawnTime: UInt64
    /// True if exit signals arrive as mail. OTP: `trap_exit`.
    public let trapsExit: Bool
  }

  /// What a process's own code is doing.
  ///
  /// OTP: `status`.
  public enum Status: Sendable, Equatable {
    /// It runs.
    case running
    /// It can run, and waits for its turn.
    case runnable
    /// It waits: for a message, an answer, a time, or something that is not Arbor's.
    case waiting
    /// It was told to handle no message for the time being.
    case suspended
    /// It waits for a message, and has let go of what memory it can until then.
    case hibernating
    /// It has been told to exit, or has returned, and is not yet released.
    case exiting
  }

  /// A message that is being handled.
  public struct Handling: Sendable, Equatable, CustomStringConvertible {
    public enum Kind: Sendable, Equatable {
      case message, call, cast, down, exit, timeout, system
      /// What a server went on with: `handleContinue`.
      case `continue`
    }
    /// How it came.
    public let kind: Kind
    /// The type of what is in it.
    public let type: String
    /// Since when, in nanoseconds of the node's clock: exact where ``Node/timesMessages`` is on;
    /// else when ``PID/info`` first found it, as no clock is read for each message.
    public let since: UInt64

    public var description: String { "\(kind) of \(type)" }
  }

  /// What the process is doing; nil once it has ended.
  ///
  /// OTP: `erlang:process_info/1`.
  public var info: Info? { core.info }
}

extension PID.Handling.Kind {
  init(_ kind: Mail.Kind) {
    switch kind {
    case .message: self = .message
    case .call: self = .call
    case .cast: self = .cast
    case .down: self = .down
    case .exit: self = .exit
    case .timeout: self = .timeout
    case .system: self = .system
    case .step: self = .continue
    }
  }
}

extension ProcessContext {
  /// Says in words what the process is for, for those who look at it.
  ///
  ///     context.setLabel("session of \(user)")
  ///
  /// OTP: `proc_lib:set_label/1`.
  public func setLabel(_ label: String?) { core.machine.withLock { $0.setLabel(label) } }
}

/// The message that a process took last and has not yet gone on from.
struct CurrentMail: Sendable {
  var kind: Mail.Kind
  var type: any Sendable.Type

  @inline(__always) init(_ mail: Mail) {
    kind = mail.kind
    type = mail.valueType
  }
}

extension ProcessCore {
  var info: PID.Info? {
    let (isRunning, isIdle) = (jobs.isRunning, jobs.isIdle)
    let now = node.clock.now()
    let spawnTime = spawnTime
    let serverName = serverName
    return machine.withLock { machine -> PID.Info? in
      if machine.status == .released { return nil }
      machine.takeBack()
      return PID.Info(
        status: machine.reportedStatus(isRunning: isRunning, isIdle: isIdle),
        handling: machine.handling(at: now),
        queueLength: machine.queueLength, messagesHandled: machine.ledger.handled,
        unansweredCalls: machine.calls.count,
        links: machine.links.values.map(\.pid).sorted(),
        monitors: machine.monitors.values.map(\.target.pid).sorted(),
        monitoredBy: machine.watchers.values.map(\.watcher.pid).sorted(),
        names: machine.names, label: machine.backstage?.label,
        initialCall: machine.backstage?.initialCall ?? serverName,
        parent: machine.origin.ancestry?.first.pid,
        ancestors: machine.origin.ancestry?.all ?? [], callers: machine.origin.callers,
        spawnTime: spawnTime, trapsExit: machine.trapsExit)
    }
  }

  private var serverName: String? {
    let address = serverType.load(ordering: .acquiring)
    // What is stored there is the address of a type, or nothing; types are never let go of.
    return address == 0 ? nil : "\(unsafeBitCast(address, to: Any.Type.self))"
  }
}

extension ProcessMachine {
  // Not for one that has ended, which would never let go of it.
  mutating func setLabel(_ label: String?) {
    if status != .released { madeBackstage().label = label }
  }

  func reportedStatus(isRunning: Bool, isIdle: Bool) -> PID.Status {
    guard status == .running else { return .exiting }
    if let backstage {
      if backstage.isSuspended { return .suspended }
      if backstage.isAsleep { return .hibernating }
    }
    if receiver != nil || isIdle { return .waiting }
    return isRunning ? .running : .runnable
  }

  mutating func handling(at now: UInt64) -> PID.Handling? {
    guard status == .running, let current else { return nil }
    let backstage = madeBackstage()
    if backstage.currentSeen.number != ledger.handled {
      backstage.currentSeen = (ledger.handled, now)
    }
    return PID.Handling(
      kind: PID.Handling.Kind(current.kind), type: "\(current.type)",
      since: backstage.currentSeen.time)
  }
}

extension Node {
  /// Whether each process notes the time at which it takes a message, for ``PID/Handling/since``.
  /// Off at first, as reading the clock costs as much as a small message.
  ///
  /// Takes effect for the processes that are started afterwards.
  public var timesMessages: Bool {
    get { newWatch.load(ordering: .relaxed) & Watch.timing != 0 }
    set {
      if newValue {
        newWatch.bitwiseOr(Watch.timing, ordering: .relaxed)
      } else {
        newWatch.bitwiseAnd(~Watch.timing, ordering: .relaxed)
      }
    }
  }
}

/// What is watched of a process: the bits of its `watch`.
@usableFromInline
enum Watch {
  static var timing: UInt8 { 1 }
  // As in ``MessageTrace/Events``.
  @inlinable static var send: UInt8 { 2 }
  static var arrival: UInt8 { 4 | 32 }
}
