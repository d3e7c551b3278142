import ArborPrimitives
import Synchronization

/// One worker of a ``WorkStealingPool``: its slot, its queue, and its place to sleep.
final class PoolWorker: @unchecked Sendable {
  // Unchecked because of the last properties, which only the worker's own thread touches;
  // and a worker has one thread at a time: the roster says when it may start and when it has ended.

  /// Its number in the roster.
  let index: Int
  /// Not owned: the core holds its workers, and each thread the core.
  unowned(unsafe) let core: PoolCore
  let parker = Parker()

  /// The runnable that it enqueued last, as a retained reference; 0 if there is none. The monitor may
  /// take it out as well.
  let slot = Atomic<UInt>(0)
  /// Retained references.
  let queue = StealableQueue()
  /// Counts its turns, so that the monitor sees whether it gets on. Written by its thread only.
  let turn = Atomic<UInt>(0)

  /// How many turns in a row came from the slot.
  var slotStreak = 0
  /// Where it begins to look when it steals.
  var random: UInt
  /// How many turns in a row were of high priority.
  var highStreak = 0
  /// Turns until it looks at the common queue before its own.
  var turnsToCommonQueue = PoolWorker.commonQueueInterval

  /// Whether to look out for work for a moment before it sleeps.
  var lookout = Lookout()
  /// How many servers answer on its stack, one called by the other.
  var depthInPlace = 0

  @exclusivity(unchecked) var spareMail = SpareMail()
  /// The wait of the last call that was answered on its stack, for the next. It holds the server, and so
  /// the node: a worker lets go of it before it sleeps.
  @exclusivity(unchecked) var spareWait: AnyCallWait?

  static let slotStreakLimit = 24
  static let highStreakLimit = 32
  /// Beyond that a call goes the long way, so that a chain of servers does not use up a stack.
  static let deepestInPlace = 16
  static let commonQueueInterval = 61

  init(index: Int, core: PoolCore) {
    self.index = index
    self.core = core
    random = UInt(index &+ 1) &* 0x9E37_79B9_7F4A_7C15
  }

  /// From its own thread, inside a turn: the runnable goes into the slot, what stood there into the
  /// queue.
  func enqueue(_ runnable: Runnable) {
    let word = UInt(bitPattern: Unmanaged.passRetained(runnable).toOpaque())
    let priority = runnable.priority
    guard priority == .normal else { return core.inject([word], priority) }
    let previous = slot.exchange(word, ordering: .acquiringAndReleasing)
    guard previous != 0 else { return }
    append(previous)
    core.wakeIfNeeded()
  }

  /// Puts a runnable at the end of its queue; half of a full one goes to the common queue.
  func append(_ word: UInt) {
    if queue.push(word) { return }
    var surplus: [UInt] = []
    while surplus.count < StealableQueue.capacity / 2, let older = queue.pop() {
      surplus.append(older)
    }
    surplus.append(word)
    core.inject(surplus)
  }

  /// The spare wait, retained, made ready for a call of `server`; nil if it was for another type of answer,
  /// or is still known to somebody.
  func takeWait(_ type: AnyCallWait.Type, for server: ProcessCore) -> Unmanaged<AnyCallWait>? {
    guard isKnownUniquelyReferenced(&spareWait), let wait = spareWait.take(),
      Swift.type(of: wait) == type
    else { return nil }
    wait.reopen(for: server)
    return .passRetained(wait)
  }
}
