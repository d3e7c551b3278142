/// Deadlines in order: adding and taking back cost the same however many wait.
///
///     let wheel = TimerWheel(startingAt: now)
///     wheel.add(entry, at: now + 5_000_000_000)
///     var due: [TimerEntry] = []
///     wheel.advance(to: later, into: &due)
///
/// It has no lock and no time of its own: whoever holds it (a clock, under its lock) tells it what
/// time it is, and runs what is due afterwards.
///
/// Time is cut into ticks of about a millisecond, ticks into a hierarchy of slots, 64 to a level:
/// an entry waits at the level of the highest digit (to the base 64) in which its tick differs from
/// the wheel's own. When the wheel's time enters a slot of a higher level, the entries in it move
/// down. So every entry of a lower level is due before those of a higher one, and a single bit
/// search finds the next slot. The exact deadline stays in the entry: within the slot of the
/// present tick only what is due is taken.
package final class TimerWheel {
  /// A doubly linked list of the entries of one slot, oldest addition first.
  struct Slot {
    var first: Unmanaged<TimerEntry>?
    var last: Unmanaged<TimerEntry>?
  }

  static let digitBits: UInt64 = 6
  static let slotsPerLevel = 1 << 6
  /// A tick is 2^20 ns.
  static let tickBits: UInt64 = 20
  /// Eight digits of six bits hold the 44 bits of ticks that a 64-bit nanosecond count has.
  static let levels = 8

  let slots: UnsafeMutablePointer<Slot>
  /// One bit a slot, one word a level.
  let occupied: UnsafeMutablePointer<UInt64>
  /// The tick that the wheel has come to.
  var elapsed: UInt64
  private var additions: UInt64 = 0

  /// How many entries wait.
  package internal(set) var count = 0

  package init(startingAt now: UInt64 = 0) {
    let slotCount = TimerWheel.levels * TimerWheel.slotsPerLevel
    slots = .allocate(capacity: slotCount)
    slots.initialize(repeating: Slot(), count: slotCount)
    occupied = .allocate(capacity: TimerWheel.levels)
    occupied.initialize(repeating: 0, count: TimerWheel.levels)
    elapsed = now >> TimerWheel.tickBits
  }

  deinit {
    _ = removeAll()
    slots.deallocate()
    occupied.deallocate()
  }

  /// Puts an entry in, to be yielded once the wheel has advanced to `deadline`.
  package func add(_ entry: TimerEntry, at deadline: UInt64) {
    precondition(
      entry.slot == TimerEntry.nowhere,
      "This timer entry already waits; cancel it before you schedule it again.")
    entry.deadline = deadline
    entry.sequence = additions
    additions &+= 1
    count += 1
    place(Unmanaged.passRetained(entry))
  }

  /// Takes an entry out.
  ///
  /// - Returns: its deadline, or nil if it does not wait.
  package func remove(_ entry: TimerEntry) -> UInt64? {
    guard entry.slot != TimerEntry.nowhere else { return nil }
    unlink(entry)
    count -= 1
    // Never the last reference: the caller holds one.
    Unmanaged.passUnretained(entry).release()
    return entry.deadline
  }

  /// The deadline of an entry that waits; nil if it does not.
  package func deadline(of entry: TimerEntry) -> UInt64? {
    entry.slot == TimerEntry.nowhere ? nil : entry.deadline
  }

  /// Takes every entry out, in no particular order.
  package func removeAll() -> [TimerEntry] {
    var removed: [TimerEntry] = []
    removed.reserveCapacity(count)
    for slot in 0..<TimerWheel.levels * TimerWheel.slotsPerLevel {
      forgetAll(in: slot) { removed.append($0.takeRetainedValue()) }
    }
    count = 0
    return removed
  }
}
