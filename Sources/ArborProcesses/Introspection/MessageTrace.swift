import ArborPrimitives

/// A look at what chosen processes send, receive and hear, while it happens.
///
///     let trace = node.trace(.processes([worker]), [.send, .receive], limit: 50) { print($0) }
///     …
///     trace.stop()
///
/// It ends by itself after a number of events, and with its owner, so that one that is forgotten
/// does no harm. Processes that are not traced pay for it with one read of a flag.
///
/// OTP: `erlang:trace/3`, and the limits of `recon_trace`.
public final class MessageTrace: Sendable {
  /// Which processes.
  public enum Scope: Sendable {
    case processes([PID])
    /// Those that are started from now on. OTP: `new_processes`.
    case new
    /// All that there are and will be. OTP: `processes`.
    case all
  }

  /// What of them.
  public struct Events: OptionSet, Sendable {
    public let rawValue: UInt8
    public init(rawValue: UInt8) { self.rawValue = rawValue }

    /// They send a message, a call or a cast, whether or not it arrives.
    public static let send = Events(rawValue: 2)
    /// A message, a call, a cast or a trapped exit comes into their mailbox.
    public static let receive = Events(rawValue: 4)
    /// A link of theirs is made or taken back.
    public static let link = Events(rawValue: 8)
    /// They end.
    public static let exit = Events(rawValue: 16)
    /// They hear of the end of a process that they monitor.
    public static let down = Events(rawValue: 32)
    public static let all: Events = [.send, .receive, .link, .exit, .down]
  }

  /// Something that a traced process did, or that happened to it.
  public struct Event: Sendable {
    public enum What: Sendable {
      case send(any Sendable, to: PID)
      case receive(any Sendable)
      case link(PID)
      case unlink(PID)
      case exit(ExitReason)
      case down(Down)
    }
    /// Of which process.
    public let pid: PID
    public let what: What
    /// When, in nanoseconds of the node's clock.
    public let time: UInt64
  }

  let registry: MessageTraces
  let scope: TraceScope
  let events: Events
  let handler: @Sendable (Event) -> Void
  private let meter: Lock<TraceMeter>
  /// Whose end ends it.
  private let owner: ProcessCore?

  init(
    _ registry: MessageTraces, _ scope: TraceScope, _ events: Events, _ meter: TraceMeter,
    owner: ProcessCore?, _ handler: @escaping @Sendable (Event) -> Void
  ) {
    self.registry = registry
    self.scope = scope
    self.events = events
    self.meter = Lock(meter)
    self.owner = owner
    self.handler = handler
  }

  /// Ends it. An event that is just being told may still be.
  public func stop() {
    meter.withLock { $0.stop() }
    registry.remove(self)
    owner?.disown(self)
  }

  /// False once it has ended, in whatever way.
  public var isOn: Bool { meter.withLock { $0.left > 0 } }
  /// How many events were told.
  public var told: Int { meter.withLock { $0.told } }
  /// How many were left out because there were too many in their second.
  public var leftOut: Int { meter.withLock { $0.leftOut } }

  func tell(_ event: Event) {
    switch meter.withLock({ $0.admit(at: event.time) }) {
    case .leaveOut: break
    case .tell: handler(event)
    case .tellLast:
      handler(event)
      stop()
    }
  }
}

extension MessageTrace: OwnedResource {
  package func ownerReleased(_ owner: PID, reason: ExitReason) { stop() }
}

extension MessageTrace.Event: CustomStringConvertible {
  public var description: String {
    switch what {
    case .send(let message, let to): "\(pid) sends \(message) to \(to)"
    case .receive(let message): "\(pid) receives \(message)"
    case .link(let peer): "\(pid) is linked with \(peer)"
    case .unlink(let peer): "\(pid) is no longer linked with \(peer)"
    case .exit(let reason): "\(pid) ends: \(reason)"
    case .down(let down):
      "\(pid) hears that \(down.pid.map { "\($0)" } ?? "nobody") ended: \(down.reason)"
    }
  }
}

/// How many events a trace may tell: in all, and in each second. Pure.
struct TraceMeter: Sendable {
  enum Verdict: Sendable { case tell, tellLast, leaveOut }

  let perSecond: Int
  private(set) var left: Int
  private(set) var told = 0
  private(set) var leftOut = 0
  private var secondStart: UInt64 = 0
  private var toldInSecond = 0

  init(limit: Int, perSecond: Int) {
    left = limit
    self.perSecond = perSecond
  }

  mutating func admit(at time: UInt64) -> Verdict {
    guard left > 0 else { return .leaveOut }
    if time >= secondStart.addingClamped(1_000_000_000) || told == 0 {
      secondStart = time
      toldInSecond = 0
    }
    guard toldInSecond < perSecond else {
      leftOut += 1
      return .leaveOut
    }
    toldInSecond += 1
    told += 1
    left -= 1
    return left == 0 ? .tellLast : .tell
  }

  mutating func stop() { left = 0 }
}

/// Which processes a trace is about; new is whose number is above that of the last one before.
enum TraceScope: Sendable {
  case processes(Set<UInt64>)
  case after(UInt64)
  case all

  func covers(_ core: ProcessCore) -> Bool {
    switch self {
    case .processes(let ids): ids.contains(core.id)
    case .after(let last): core.id > last
    case .all: true
    }
  }

  var coversNew: Bool { if case .processes = self { false } else { true } }
}
