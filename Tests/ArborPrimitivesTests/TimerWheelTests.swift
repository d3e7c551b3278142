import Testing

@testable import ArborPrimitives

/// A timer wheel yields what is due, when it is due, in order.
@Suite struct TimerWheelTests {
  final class Entry: TimerEntry, @unchecked Sendable {
    // Unchecked: the name is written once.
    let name: Int
    init(_ name: Int) { self.name = name }
  }

  static let millisecond: UInt64 = 1_000_000
  static let second: UInt64 = 1_000_000_000

  private func due(_ wheel: TimerWheel, at now: UInt64) -> [Int] {
    var due: [TimerEntry] = []
    wheel.advance(to: now, into: &due)
    return due.compactMap { ($0 as? Entry)?.name }
  }

  @Test(
    "an entry is due at its deadline, not a nanosecond before",
    arguments: [
      1, millisecond, 63 * millisecond, 70 * millisecond, 5 * second, 300 * second,
      86_400 * second, 400 * 86_400 * second, .max,
    ])
  func neverEarly(delay: UInt64) {
    for start in [0, 17 * Self.second + 123_456_789] where delay <= .max - start || start == 0 {
      let wheel = TimerWheel(startingAt: start)
      wheel.add(Entry(1), at: start + delay)
      #expect(due(wheel, at: start + delay - 1) == [])
      #expect(wheel.count == 1)
      #expect(due(wheel, at: start + delay) == [1])
      #expect(wheel.count == 0)
    }
  }

  @Test("what is due comes in the order of deadlines, then of additions")
  func order() {
    let wheel = TimerWheel()
    wheel.add(Entry(4), at: 90 * Self.second)
    wheel.add(Entry(3), at: 10 * Self.millisecond + 5)
    wheel.add(Entry(1), at: 10 * Self.millisecond + 4)
    wheel.add(Entry(5), at: 90 * Self.second)
    wheel.add(Entry(2), at: 10 * Self.millisecond + 4)
    #expect(due(wheel, at: 80 * Self.second) == [1, 2, 3])
    // Added at a lower level than those of the same deadline that have waited longer.
    wheel.add(Entry(6), at: 90 * Self.second)
    #expect(due(wheel, at: 90 * Self.second) == [4, 5, 6])
  }

  @Test("an overdue entry is due at once, before the others")
  func overdue() {
    let wheel = TimerWheel(startingAt: 100 * Self.second)
    wheel.add(Entry(2), at: 100 * Self.second)
    wheel.add(Entry(1), at: 3)
    #expect(wheel.nextDeadline == 3)
    #expect(due(wheel, at: 100 * Self.second) == [1, 2])
  }

  @Test("the wheel's time does not go back")
  func timeGoesBack() {
    let wheel = TimerWheel(startingAt: 100 * Self.second)
    wheel.add(Entry(1), at: 50 * Self.second)
    wheel.add(Entry(2), at: 100 * Self.second)
    #expect(due(wheel, at: 60 * Self.second) == [1])
    #expect(due(wheel, at: 100 * Self.second) == [2])
  }

  @Test("a removed entry is not yielded, says its deadline once, and can be added again")
  func remove() {
    let wheel = TimerWheel()
    let (first, second, third) = (Entry(1), Entry(2), Entry(3))
    for entry in [first, second, third] { wheel.add(entry, at: 5 * Self.second) }
    #expect(wheel.deadline(of: second) == 5 * Self.second)
    #expect(wheel.remove(second) == 5 * Self.second)
    #expect(wheel.remove(second) == nil)
    #expect(wheel.deadline(of: second) == nil)
    #expect(wheel.count == 2)
    wheel.add(second, at: 4 * Self.second)
    #expect(due(wheel, at: 5 * Self.second) == [2, 1, 3])
    #expect(wheel.remove(first) == nil)
    wheel.add(first, at: 6 * Self.second)
    #expect(due(wheel, at: 6 * Self.second) == [1])
  }

  @Test("a waiting entry is kept alive, a removed or yielded one let go")
  func references() {
    weak var waiting: Entry?
    weak var removed: Entry?
    let wheel = TimerWheel()
    do {
      let (kept, gone) = (Entry(1), Entry(2))
      wheel.add(kept, at: 5)
      wheel.add(gone, at: 5)
      _ = wheel.remove(gone)
      (waiting, removed) = (kept, gone)
    }
    #expect(waiting != nil)
    #expect(removed == nil)
    #expect(due(wheel, at: 5) == [1])
    #expect(waiting == nil)
  }

  @Test("a wheel that ends lets its entries go, however many wait in one slot")
  func endsFull() {
    weak var waiting: Entry?
    do {
      let wheel = TimerWheel()
      for name in 0..<100_000 {
        let entry = Entry(name)
        wheel.add(entry, at: 7 * Self.second)
        waiting = entry
      }
      #expect(waiting != nil)
    }
    #expect(waiting == nil)
  }

  @Test("removing all hands every entry back")
  func removeAll() {
    let wheel = TimerWheel()
    for name in 0..<100 { wheel.add(Entry(name), at: UInt64(name) * Self.second) }
    #expect(wheel.removeAll().compactMap { ($0 as? Entry)?.name }.sorted() == Array(0..<100))
    #expect(wheel.count == 0)
    #expect(wheel.nextDeadline == nil)
    #expect(due(wheel, at: .max) == [])
  }

  @Test("behaves as a sorted array would", arguments: UInt64(1)...40)
  func model(seed: UInt64) {
    var random = SplitMix(state: seed)
    var now = random.next() >> random.next(below: 64)
    let wheel = TimerWheel(startingAt: now)
    // In the order of additions; the array is sorted (stably) whenever time goes on.
    var model: [(deadline: UInt64, addition: Int, entry: Entry)] = []

    for step in 0..<2000 {
      switch random.next(below: 10) {
      case 0..<5:
        let delay = random.next() >> (random.next(below: 50) + 10)
        let deadline = random.next(below: 20) == 0 ? now &- min(delay, now) : now &+ delay
        guard deadline >= now || deadline <= now else { continue }
        let entry = Entry(step)
        wheel.add(entry, at: deadline)
        model.append((deadline, step, entry))
      case 5..<8:
        guard !model.isEmpty else { continue }
        let chosen = model.remove(at: Int(random.next(below: UInt64(model.count))))
        #expect(wheel.remove(chosen.entry) == chosen.deadline)
      default:
        let delay = random.next() >> (random.next(below: 50) + 14)
        now = now > .max - delay ? .max : now + delay
        model.sort { ($0.deadline, $0.addition) < ($1.deadline, $1.addition) }
        let expected = model.prefix { $0.deadline <= now }.map(\.entry.name)
        model.removeFirst(expected.count)
        #expect(due(wheel, at: now) == expected)
      }
      #expect(wheel.count == model.count)
      let earliest = model.map(\.deadline).min()
      switch (wheel.nextDeadline, earliest) {
      case (nil, nil): break
      case (let bound?, let earliest?):
        #expect(bound <= earliest)
        // To advance to the bound is progress: it is due, or the bound moves.
        #expect(bound == earliest || bound > now)
      default: Issue.record("one of them is empty")
      }
    }
  }
}

/// A small generator, so that a failing case can be run again.
struct SplitMix: RandomNumberGenerator {
  var state: UInt64

  mutating func next() -> UInt64 {
    state &+= 0x9E37_79B9_7F4A_7C15
    var z = state
    z = (z ^ (z >> 30)) &* 0xBF58_476D_1CE4_E5B9
    z = (z ^ (z >> 27)) &* 0x94D0_49BB_1331_11EB
    return z ^ (z >> 31)
  }

  mutating func next(below bound: UInt64) -> UInt64 { next() % bound }
}
