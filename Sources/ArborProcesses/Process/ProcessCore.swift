import ArborPrimitives
public import Synchronization

/// A process: the storage that holds the lock around its ``ProcessMachine``, and the executor that
/// its code runs on.
///
/// One object is both the serial executor of the process's actor and the task executor that the
/// process's own task prefers. With two objects a wait inside the actor would resume on one and then
/// be scheduled a second time on the other.
///
/// Nothing here calls anybody while it holds the lock, and no two locks are held at once but in
/// `withBoth`, which takes them in the order of the ids, and for the loop's hand, whose lock comes last.
@usableFromInline
package final class ProcessCore: Runnable, @unchecked Sendable {
  // Unchecked, because `Runnable` is: what changes is in the locks and atomics below, and
  // `ownTask`, which is written before the process's first job can run.

  @usableFromInline package typealias Machine = ProcessMachine<Resumer>

  package let id: UInt64
  @usableFromInline package let node: Node
  let machine: Lock<Machine>
  let jobs = JobQueue()
  /// Whether code may still be running as this process.
  let presence = Presence()
  /// The task whose suspensions are the process's own, as the runtime's address of it. Child tasks
  /// and others that pass by are told apart by it.
  let ownTask = Atomic<UInt>(0)
  /// What the node's parts keep about this process: the tracing's row.
  @usableFromInline package let slot = ProcessSlot()
  @usableFromInline let looseSpans = Atomic(0)
  /// The address of the type of server that this process is; 0 for a raw one.
  @usableFromInline let serverType = Atomic<UInt>(0)
  /// When it was started, by the node's clock.
  let spawnTime: UInt64

  // What takes a byte stands together: apart each would take a word.
  /// Mirrors the machine's status, for those who only want to know whether the process is fenced.
  @usableFromInline let fence = Atomic(Fence.open)
  /// True if the parent started it with a link: then the parent's end is its own.
  package let isLinkedToParent: Bool
  /// True while the process handles the end of another; see `hears`.
  let hasHeardExit = Atomic(false)
  /// True while its server's loop runs, and its own task is mostly in the actor. Before and after, a
  /// job that ran as the actor's would be moved, at the price of another turn.
  @usableFromInline let isServing = Atomic(false)
  /// True until the server that the process starts has made its context.
  private let awaitsServer = Atomic(false)
  private let bodyEnded = Atomic(false)
  /// What is noted of what it does, as the bits of ``Watch``: zero costs one read.
  @usableFromInline let watch = Atomic<UInt8>(0)
  /// What its loop has to see to beside its mail, as the bits of ``Duties``.
  @usableFromInline let duties = Atomic<UInt8>(0)
  /// How far a server that runs on its caller's stack has come.
  // Unsafe, but touched only by who runs the process, or is about to and has the only right to.
  @exclusivity(unchecked) nonisolated(unsafe) var inPlace = InPlace.no
  // Unsafe, but touched only under the lock of the node's table.
  @exclusivity(unchecked) nonisolated(unsafe) var isInTable = false

  /// Where the own task waits, once it has had to.
  // Unsafe, but touched by the own task alone.
  @exclusivity(unchecked) nonisolated(unsafe) private var madeParking: Parking?
  /// What the own task is to run, until it does.
  // Unsafe, but written before the own task exists, and then taken by it.
  @exclusivity(unchecked) nonisolated(unsafe) var body: Body?
  /// Who waits for the start, until the own task has seen to that.
  // Unsafe: as `body`.
  @exclusivity(unchecked) nonisolated(unsafe) var start: StartWait?
  /// What the own task is about to park for.
  // Unsafe, but written and read by the own task alone, at the parking in the name of it.
  @exclusivity(unchecked) nonisolated(unsafe) var intent = Intent.mail
  /// What its server's loop has taken out of the mailbox; nil if there is nothing left of it. Held by the
  /// machine.
  // Unsafe, but touched by the loop alone.
  @exclusivity(unchecked) nonisolated(unsafe) var hand: Unmanaged<MailHand>?
  // Unsafe: as `isInTable`.
  @exclusivity(unchecked) nonisolated(unsafe) var nextInTable: Unmanaged<ProcessCore>?
  @exclusivity(unchecked) nonisolated(unsafe) var previousInTable: Unmanaged<ProcessCore>?

  @usableFromInline
  enum Fence: UInt8, AtomicRepresentable { case open, exiting, released }

  @usableFromInline
  package init(
    node: Node, parent: PID?, isLinkedToParent: Bool = false, hasMailbox: Bool = true,
    callers: [PID] = [], mailbox: MailboxLimit = .unbounded, as initialCall: String? = nil,
    priority: ProcessPriority = .normal
  ) {
    id = node.nextID()
    self.node = node
    self.isLinkedToParent = isLinkedToParent
    spawnTime = node.clock.now()
    // Made in the lock's own arguments: as a variable it would be copied into it.
    machine = Lock(
      Machine(
        hasMailbox: hasMailbox, mailbox: mailbox,
        origin: Origin(ancestry: parent?.core.lineageForChild(), callers: callers)))
    super.init()
    if priority != .normal { self.priority = priority }
    if let initialCall { machine.withLock { $0.madeBackstage().initialCall = initialCall } }
    node.processes.insert(self)
    if node.newWatch.load(ordering: .relaxed) != 0 { watchAsNew() }
  }

  @inlinable
  package var pid: PID { PID(self) }

  /// True while no untrapped exit signal has arrived and the body has not ended.
  package var isAlive: Bool { fence.load(ordering: .acquiring) == .open }

  /// True from the arrival of an untrapped exit signal: what the process then does has no effect.
  @inlinable
  package var isFenced: Bool { fence.load(ordering: .acquiring) != .open }

  @inlinable
  package var isReleased: Bool { fence.load(ordering: .acquiring) == .released }

  package var fate: Fate? { isReleased ? machine.withLock { $0.fate } : nil }

  /// True once the process's code has returned, which for a zombie is after its end.
  package var hasBodyEnded: Bool { bodyEnded.load(ordering: .acquiring) }
  func endBody() { bodyEnded.store(true, ordering: .releasing) }

  /// Where the own task waits.
  @usableFromInline
  package var parking: Parking {
    if let madeParking { return madeParking }
    let parking = Parking(self)
    madeParking = parking
    return parking
  }

  /// What a process runs: raw code is handed a context.
  enum Body: Sendable {
    case raw(@Sendable (ProcessContext) async throws -> Void)
    case core(@Sendable (ProcessCore) async throws -> Void)
  }

  func takeBody() -> Body? { exchange(&body, with: nil) }

  /// Who waits for the start: for the own task, once.
  @usableFromInline
  package func takeStart() -> StartWait? { exchange(&start, with: nil) }

  /// Says that the next context made in this process is its server's.
  @usableFromInline
  package func offerAdoption() { awaitsServer.store(true, ordering: .relaxed) }
  @usableFromInline
  package func withdrawAdoption() { awaitsServer.store(false, ordering: .relaxed) }
  /// True once after an offer, for the process's own task.
  func takeAdoption() -> Bool {
    isOwnTask && awaitsServer.exchange(false, ordering: .relaxed)
  }

  /// Called under the lock, in the transition itself, so that whoever holds the lock and whoever
  /// only reads the fence agree.
  func close() {
    presence.fence()
    fence.store(.exiting, ordering: .releasing)
  }
  func closeForGood() { fence.store(.released, ordering: .releasing) }

  override package func run(budget: Int) -> Bool { drain(budget: budget) }
}

extension ProcessCore: CustomReflectable {
  /// Nothing to look into: what a process holds changes under its lock, while a mirror would walk it
  /// without. A test that fails on a PID shows its values so, and must not crash on it.
  @usableFromInline
  package var customMirror: Mirror { Mirror(self, children: []) }
}
