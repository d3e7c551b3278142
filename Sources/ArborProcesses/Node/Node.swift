import ArborPrimitives
public import ArborTelemetry
import Synchronization

/// Everything that one runtime owns: its processes and their names, its scheduler and clock, its
/// telemetry handlers.
///
///     let pid = spawn { context in … }          // on the caller's node, else on `Node.shared`
///     print(Node.shared.processCount)
///
/// Programs use ``shared``; a test makes a node of its own, so that suites run side by side and
/// each can look at its counters.
///
/// OTP: the runtime system that `node()` names.
public final class Node: Sendable {
  /// The node of code that says nothing else.
  public static let shared = Node()

  /// The node of the calling process; ``shared`` outside any.
  public static var current: Node { ProcessCore.current?.node ?? shared }

  /// Handlers of the events of this node's processes.
  public let telemetry: Telemetry

  package let scheduler: any Scheduler
  /// The scheduler's, if it is the usual one, to be had without asking who it is.
  // Not retained at each use: the scheduler holds it.
  private let pool: Unmanaged<PoolCore>?
  /// Whether an idle server may answer on its caller's stack: not in a simulation, where who runs
  /// when is the seed's to say.
  let mayAnswerInPlace: Bool
  package let clock: any NodeClock
  /// True if the clock tells the machine's time, which can be had without asking it.
  private let hasMachineTime: Bool
  // Statics that each message asks: here, where the process is at hand, they need not be looked up.
  @usableFromInline let fences = FenceGauge.shared
  @usableFromInline let ambients = Ambient.uncounted
  package let processes = ProcessTable()
  package let names = NameTable()
  /// Nanoseconds that a handler has to return once its process was told to exit.
  package let exitGrace: UInt64
  /// What is noted of processes from their start, as the bits of ``Watch``.
  let newWatch = Atomic<UInt8>(0)
  let loggerInUse = Lock<(any NodeLogger)?>(StandardErrorLogger.shared)
  private let lastID = Atomic<UInt64>(0)
  private let lastRef = Atomic<UInt64>(0)
  private let random: Lock<SeededGenerator>
  private let parts = Lock<[ObjectIdentifier: any AnyObject & Sendable]>([:])

  /// Makes a node of its own.
  ///
  /// - Parameters:
  ///   - workers: the threads that its processes run on; nil is one for each processor.
  ///   - exitGrace: how long a handler may go on after its process was told to exit. Then its links
  ///     and monitors are told all the same, and the process is a zombie until it returns.
  public convenience init(workers: Int? = nil, exitGrace: Duration = .seconds(1)) {
    var system = SystemRandomNumberGenerator()
    self.init(
      scheduler: workers.map { WorkStealingPool(workers: $0) } ?? WorkStealingPool(),
      clock: SystemClock(), seed: system.next(),
      exitGrace: exitGrace)
  }

  /// Makes a node of its own, on threads that it may share.
  ///
  ///     let node = Node(on: .swiftGlobalPool)
  public convenience init(on threads: Threads, exitGrace: Duration = .seconds(1)) {
    switch threads {
    case .own(let workers): self.init(workers: workers, exitGrace: exitGrace)
    case .swiftGlobalPool:
      var system = SystemRandomNumberGenerator()
      self.init(
        scheduler: GlobalPool(), clock: SystemClock(), seed: system.next(), exitGrace: exitGrace)
    }
  }

  /// The threads that a node's processes run on.
  public enum Threads: Sendable, Equatable {
    /// The node's own, so many; nil is one for each processor. What a ``Node`` has that was told
    /// nothing else.
    case own(workers: Int? = nil)
    /// Those that every Swift task runs on: for programs that want one pool for everything. A message
    /// takes longer, but a plain task that calls a server need not change threads. Priorities
    /// (``ProcessPriority``) say nothing there.
    case swiftGlobalPool
  }

  package init(
    scheduler: any Scheduler, clock: any NodeClock, seed: UInt64,
    exitGrace: Duration = .seconds(1)
  ) {
    self.scheduler = scheduler
    pool = (scheduler as? WorkStealingPool).map { .passUnretained($0.core) }
    mayAnswerInPlace = scheduler.mayAnswerInPlace
    self.clock = clock
    hasMachineTime = clock is SystemClock
    self.exitGrace = exitGrace.wholeNanoseconds
    telemetry = Telemetry(
      monotonicTime: { [clock] in clock.now() }, wallTime: { [clock] in clock.wallTime() })
    random = Lock(SeededGenerator(seed: seed))
  }

  deinit {
    scheduler.shutdown()
    clock.shutdown()
  }

  /// Ends everything that lives on the node, by `kill`, and lets go of its threads: for tests, which
  /// make a node each.
  ///
  /// It does not wait. What is spawned on the node afterwards still runs, but its timers no longer
  /// fire.
  ///
  /// OTP: `erlang:halt/0`, without the end of the operating system's process.
  public func shutdown() {
    // Oldest first: supervisors before their children, so that nobody is left to start them again.
    // What a supervisor was just starting is met by another round.
    for _ in 0..<3 {
      for core in processes.all { core.receiveExit(.kill, from: nil) }
    }
    scheduler.shutdown()
    clock.shutdown()
  }

  /// The time of the node's clock, in nanoseconds.
  // A clock that is asked is retained for it, and all threads would wait for one another on its count.
  package func now() -> UInt64 { hasMachineTime ? SystemTime.monotonic() : clock.now() }

  /// How many processes live on the node.
  ///
  /// OTP: `erlang:system_info(process_count)`.
  public var processCount: Int { processes.count }

  /// The processes that live on the node, oldest first.
  ///
  /// OTP: `erlang:processes/0`.
  public var allProcesses: [PID] { processes.all.map(\.pid) }

  /// Processes that have ended while their handler still runs; oldest first.
  public var zombies: [PID] { processes.zombies.map(\.pid) }
}

extension Node {
  /// Gives a runnable to the scheduler.
  @inline(__always) func enqueue(_ runnable: Runnable) {
    if let pool {
      pool._withUnsafeGuaranteedRef { $0.enqueue(runnable) }
    } else {
      scheduler.enqueue(runnable)
    }
  }

  /// The worker of the node's own that the calling thread is, if it is one.
  var currentWorker: Unmanaged<PoolWorker>? {
    pool?._withUnsafeGuaranteedRef { $0.currentWorker() }
  }

  /// True on a thread that runs the node's processes and nothing else.
  package var isOnOwnThread: Bool { currentWorker != nil }

  var latestID: UInt64 { lastID.load(ordering: .relaxed) }
  package func nextID() -> UInt64 { lastID.wrappingAdd(1, ordering: .relaxed).newValue }

  package func nextMonitorRef() -> MonitorRef {
    MonitorRef(id: lastRef.wrappingAdd(1, ordering: .relaxed).newValue)
  }

  /// A random word from the node's seed.
  package func nextRandom() -> UInt64 { random.withLock { $0.next() } }

  /// The node's instance of a part that lives in a target above this one: its named tables, its
  /// tracing. Made at the first use.
  package func part<Part: AnyObject & Sendable>(
    _ type: Part.Type, make: (Node) -> Part
  ) -> Part {
    let key = ObjectIdentifier(type)
    // Only one type has that key.
    if let part = parts.withLock({ $0[key] }) { return unsafeDowncast(part, to: Part.self) }
    let made = make(self)
    let kept = parts.withLock { parts in
      if let other = parts[key] { return other }
      parts[key] = made
      return made
    }
    return kept as? Part ?? made
  }
}

extension Node {
  /// The living process that holds a name.
  ///
  /// OTP: `erlang:whereis/1`.
  public func pid(named name: ProcessName) -> PID? { names.find(name)?.pid }

  /// Gives a process a name on this node.
  ///
  /// - Throws: ``NameError`` if the name is taken, or the process has ended.
  ///
  /// OTP: `erlang:register/2`.
  public func register(_ name: ProcessName, for pid: PID) throws(NameError) {
    try names.register(name, for: pid.core)
  }

  /// Takes a name back.
  ///
  /// - Throws: ``NameError/unregistered(_:)`` if nobody holds it.
  ///
  /// OTP: `erlang:unregister/1`.
  public func unregister(_ name: ProcessName) throws(NameError) {
    if !names.unregister(name) { throw .unregistered(name) }
  }

  /// All names that are held, and by whom.
  ///
  /// OTP: `erlang:registered/0`.
  public var registered: [ProcessName: PID] { names.all.mapValues(\.pid) }

  /// Sends a message to whoever holds a name.
  ///
  /// - Throws: ``NameError/unregistered(_:)`` if nobody does.
  ///
  /// OTP: `Name ! Message`.
  public func send<Message: Sendable>(
    _ message: Message, to name: ProcessName
  ) throws(NameError) {
    guard let pid = pid(named: name) else { throw .unregistered(name) }
    pid.send(message)
  }
}
