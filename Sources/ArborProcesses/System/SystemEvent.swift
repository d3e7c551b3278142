import ArborPrimitives

/// Something that a process does, as those see it who look at it by way of `Sys`.
///
/// OTP: the system events of `sys`.
public struct SystemEvent: Sendable {
  public enum What: Sendable {
    /// It takes a message. OTP: `{in, Message}`.
    case received(PID.Handling.Kind, any Sendable)
    /// It answers a request. OTP: `{out, Reply, To, State}`.
    case replied(any Sendable)
    /// It is done with a message. OTP: `{noreply, State}`.
    case handled
    /// What a raw process says of itself: see ``ProcessContext/note(_:)``.
    case noted(any Sendable)
  }

  public let pid: PID
  /// Its first name.
  public let name: ProcessName?
  public let what: What
  /// When, in nanoseconds of the node's clock.
  public let time: UInt64

  package init(pid: PID, name: ProcessName?, what: What, time: UInt64) {
    self.pid = pid
    self.name = name
    self.what = what
    self.time = time
  }
}

extension SystemEvent: CustomStringConvertible {
  public var description: String {
    let who = name.map(\.text) ?? "\(pid)"
    return switch what {
    case .received(let kind, let message): "\(who) got \(kind) \(message)"
    case .replied(let reply): "\(who) replied \(reply)"
    case .handled: "\(who) is done"
    case .noted(let event): "\(who) notes \(event)"
    }
  }
}

/// What a process has taken and answered since it was told to count.
///
/// OTP: `sys:statistics(Name, get)`.
public struct SystemStatistics: Sendable, Equatable {
  /// Both in nanoseconds of the node's clock.
  public let startTime: UInt64
  public let currentTime: UInt64
  public let messagesIn: Int
  public let messagesOut: Int
}

/// Whether a probe goes on.
public enum ProbeVerdict: Sendable {
  case keep
  /// Take it away. OTP: `done`.
  case done
}

/// Somebody's code that sees every event of a process.
package final class Probe: Sendable {
  package let id: String
  package let handler: @Sendable (SystemEvent) throws -> ProbeVerdict

  package init(_ id: String, _ handler: @escaping @Sendable (SystemEvent) throws -> ProbeVerdict) {
    self.id = id
    self.handler = handler
  }
}

/// Who looks at a process, and what was seen. Pure.
package struct DebugMachine: Sendable {
  /// How many events a log keeps if nothing else is said, as in OTP.
  package static let logLength = 10

  package var isTracing = false
  package private(set) var log: [SystemEvent] = []
  package private(set) var logLimit = 0
  package private(set) var probes: [Probe] = []
  private var counted: (start: UInt64, received: Int, replied: Int)?

  package init() {}

  package var isActive: Bool {
    isTracing || logLimit > 0 || !probes.isEmpty || counted != nil
  }

  /// Keeps the last events, so many; with 0 none, and forgets those it has.
  package mutating func keepLog(_ limit: Int) {
    logLimit = max(limit, 0)
    log.removeFirst(max(log.count - logLimit, 0))
  }

  package mutating func count(_ isCounting: Bool, at now: UInt64) {
    counted = isCounting ? (now, 0, 0) : nil
  }

  package func statistics(at now: UInt64) -> SystemStatistics? {
    counted.map {
      SystemStatistics(
        startTime: $0.start, currentTime: now, messagesIn: $0.received, messagesOut: $0.replied)
    }
  }

  /// - Returns: false if there is one by that id.
  package mutating func install(_ probe: Probe) -> Bool {
    if probes.contains(where: { $0.id == probe.id }) { return false }
    probes.append(probe)
    return true
  }

  package mutating func remove(_ id: String) -> Bool {
    let count = probes.count
    probes.removeAll { $0.id == id }
    return probes.count < count
  }

  package mutating func remove(_ probe: Probe) { probes.removeAll { $0 === probe } }

  /// What is to be done about an event once the lock is let go.
  package struct Notice: Sendable {
    package var isTraced: Bool
    package var probes: [Probe]
  }

  package mutating func note(_ event: SystemEvent) -> Notice {
    if logLimit > 0 {
      if log.count == logLimit { log.removeFirst() }
      log.append(event)
    }
    switch event.what {
    case .received: counted?.received += 1
    case .replied: counted?.replied += 1
    case .handled, .noted: break
    }
    return Notice(isTraced: isTracing, probes: probes)
  }
}

extension ProcessCore {
  /// Tells those who look at the process of what it does.
  @usableFromInline
  package func note(_ what: SystemEvent.What) {
    let event = SystemEvent(
      pid: pid, name: machine.withLock { $0.names.first }, what: what, time: node.clock.now())
    let backstage = backstage
    let notice = backstage.debug.withLock { $0.note(event) }
    if notice.isTraced { node.log(.info, "*DBG* \(event)", of: self) }
    for probe in notice.probes where (try? probe.handler(event)) != .keep {
      // One that fails is gone, as in OTP.
      backstage.debug.withLock { $0.remove(probe) }
      updateObserved()
    }
  }

  /// For `From`, whose reply is of any type.
  @usableFromInline
  package func noteReply(_ reply: any Sendable) { note(.replied(reply)) }

  @usableFromInline
  package func noteReceived(_ mail: Mail) {
    note(.received(PID.Handling.Kind(mail.kind), mail.payload))
  }

  func updateObserved() {
    let backstage = backstage
    let isObserved = backstage.debug.withLock { debug in
      self.setDuty(Duties.observed, debug.isActive)
      return debug.isActive
    }
    backstage.hold.withLock { hold in
      if isObserved != (hold != nil) { hold = isObserved ? GaugeHold() : nil }
    }
  }
}
