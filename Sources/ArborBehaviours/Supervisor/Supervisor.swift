import ArborPrimitives
public import ArborProcesses

/// A process that starts others, and starts them again when they fail.
///
///     let tree = try await Supervisor.start(.oneForOne, maxRestarts: 3, within: .seconds(5)) {
///       Child("counter", named: "counter") { Counter() }
///       Child("worker", restart: .transient) { Worker() }
///     }
///     try await tree.stop(.shutdown)
///
/// Children start in the order in which they are written and stop in the reverse order. More than
/// `maxRestarts` restarts within the period end the supervisor, with `shutdown`, after its
/// children; who supervises it then decides.
///
/// A supervisor is a server like any other: it can be a child, and ends as servers end.
///
/// OTP: `supervisor`.
public actor Supervisor: GenServer {
  /// Which children a failing one takes along.
  ///
  /// OTP: the restart strategy.
  public enum Strategy: Sendable, Equatable {
    /// None.
    case oneForOne
  }

  public enum Call: Sendable {
    case children(From<[ChildInfo]>)
  }

  public enum Cast: Sendable {
    /// A restart has failed: the next try, behind what came meanwhile.
    case restart(id: String)
  }

  public nonisolated let process: ProcessContext
  private let strategy: Strategy
  private var machine: SupervisorMachine

  /// Starts the children; for use as a child of another supervisor. Elsewhere see ``start``.
  ///
  ///     Child("workers") {
  ///       try await Supervisor(.oneForOne) { Child("worker") { Worker() } }
  ///     }
  ///
  /// - Throws: ``SupervisorError``: for specifications that make no sense, before anything starts;
  ///   `childFailed` for a child that did not start.
  public init(
    _ strategy: Strategy, maxRestarts: Int = 3, within period: Duration = .seconds(5),
    @ChildBuilder children: () -> [Child]
  ) async throws {
    process = ProcessContext()
    self.strategy = strategy
    machine = try SupervisorMachine(
      children: children(), maxRestarts: maxRestarts, period: period,
      periodNanoseconds: period.wholeNanoseconds)
    process.trapExit()
    for entry in machine.entries {
      do {
        machine.started(entry.child.id, as: try await entry.child.start())
      } catch {
        await stopChildren()
        throw SupervisorError.childFailed(entry.child.id, error)
      }
    }
  }

  /// Starts a supervisor and its children.
  ///
  /// - Parameters:
  ///   - strategy: which children a failing one takes along.
  ///   - name: what to register the supervisor as.
  ///   - node: where; the caller's node if not said.
  ///   - maxRestarts: how many restarts it takes within the period.
  ///   - period: the length of the sliding window.
  ///   - children: what to start, in this order.
  /// - Throws: ``StartError``, as any server; the reason of a tree that cannot start is a
  ///   ``SupervisorError`` that names the child.
  ///
  /// OTP: `supervisor:start_link/2,3`, without the link.
  public static func start(
    _ strategy: Strategy, named name: ProcessName? = nil, on node: Node? = nil,
    maxRestarts: Int = 3, within period: Duration = .seconds(5),
    @ChildBuilder children: @escaping @Sendable () -> [Child]
  ) async throws(StartError) -> ServerRef<Supervisor> {
    try await start(named: name, on: node) {
      try await Supervisor(
        strategy, maxRestarts: maxRestarts, within: period, children: children)
    }
  }

  /// As ``start(_:named:on:maxRestarts:within:children:)``, linked to the calling process.
  ///
  /// OTP: `supervisor:start_link/2,3`.
  public static func startLink(
    _ strategy: Strategy, named name: ProcessName? = nil,
    maxRestarts: Int = 3, within period: Duration = .seconds(5),
    @ChildBuilder children: @escaping @Sendable () -> [Child]
  ) async throws(StartError) -> ServerRef<Supervisor> {
    try await startLink(named: name) {
      try await Supervisor(
        strategy, maxRestarts: maxRestarts, within: period, children: children)
    }
  }

  public func handleCall(_ call: Call) {
    switch call {
    case .children(let from): from.reply(machine.entries.map(ChildInfo.init))
    }
  }

  public func handleCast(_ cast: Cast) async throws {
    switch cast {
    case .restart(let id):
      if machine.isRestarting(id) { try await restart(id) }
    }
  }

  public func handleInfo(_ info: Info) async throws {
    guard case .exit(let exit) = info, let pid = exit.pid else { return }
    try await follow(machine.ended(pid, exit.reason, at: now))
  }

  public func terminate(_ reason: ExitReason) async { await stopChildren() }

  private var now: UInt64 { process.node.clock.now() }

  private func follow(_ decision: SupervisorMachine.Decision) async throws {
    switch decision {
    case .nothing: break
    case .restart(let id): try await restart(id)
    case .giveUp: throw ExitReason.shutdown
    }
  }

  private func restart(_ id: String) async throws {
    guard let child = machine.child(id) else { return }
    do {
      machine.started(id, as: try await child.start())
    } catch {
      // By a message, so that calls are answered between two tries.
      switch machine.restartFailed(id, at: now) {
      case .restart(let id): ServerRef<Supervisor>(pid).cast(.restart(id: id))
      case .nothing: break
      case .giveUp: throw ExitReason.shutdown
      }
    }
  }

  private func stopChildren() async {
    for entry in machine.entries.reversed() {
      guard let pid = entry.pid else { continue }
      await stop(pid, entry.child.shutdown)
      machine.stopped(entry.child.id)
    }
  }

  /// Ends a child and returns when it is gone.
  private func stop(_ pid: PID, _ shutdown: Shutdown) async {
    let ref = process.monitor(pid)
    // From here on the DOWN tells of the end: a child that unlinked itself cannot hang the
    // supervisor, and one that is linked sends no EXIT that would be taken for a crash.
    process.unlink(pid)
    switch shutdown {
    case .brutalKill: break
    case .infinity:
      process.sendExit(.shutdown, to: pid)
      if await hears(ref, within: nil) { return }
    case .timeout(let timeout):
      process.sendExit(.shutdown, to: pid)
      if await hears(ref, within: timeout) { return }
    }
    process.sendExit(.kill, to: pid)
    _ = await hears(ref, within: nil)
  }

  private func hears(_ ref: MonitorRef, within timeout: Duration?) async -> Bool {
    do {
      _ = try await process.receive(Down.self, timeout: timeout) { $0.ref == ref }
      return true
    } catch {
      // In time or not at all: when the supervisor itself is killed its links end the children.
      return false
    }
  }
}

/// What a supervisor tells of a child.
///
/// OTP: `supervisor:which_children/1`.
public struct ChildInfo: Sendable {
  public let id: String
  /// Nil while it is not running.
  public let pid: PID?
  public let type: any GenServer.Type
  public let restart: Restart
  /// How often it was started again.
  public let restarts: Int

  init(_ entry: SupervisorMachine.Entry) {
    id = entry.child.id
    pid = entry.pid
    type = entry.child.type
    restart = entry.child.restart
    restarts = entry.restarts
  }

  /// True if the child is a supervisor itself.
  public var isSupervisor: Bool { type == Supervisor.self }
}

extension ServerRef<Supervisor> {
  /// The children in the order of their start.
  public var children: [ChildInfo] {
    get async throws(CallError) { try await call(timeout: nil) { .children($0) } }
  }
}
