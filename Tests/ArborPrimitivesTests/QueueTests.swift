import Synchronization
import Testing

@testable import ArborPrimitives

@Suite struct WordDequeTests {
  @Test("behaves as an array would", arguments: UInt64(1)...10)
  func model(seed: UInt64) {
    var random = SplitMix(state: seed)
    var deque = WordDeque()
    var model: [UInt] = []
    for step in 0..<20_000 {
      // Leans to growing, then to shrinking, so that it wraps, grows and empties.
      let isGrowing = (step / 5_000).isMultiple(of: 2)
      if random.next(below: 100) < (isGrowing ? 60 : 35) {
        deque.append(UInt(step))
        model.append(UInt(step))
      } else {
        #expect(deque.popFirst() == (model.isEmpty ? nil : model.removeFirst()))
      }
      #expect(deque.count == model.count)
      #expect(deque.isEmpty == model.isEmpty)
    }
  }
}

@Suite struct StealableQueueTests {
  @Test("gives its words back oldest first, and takes no more than it has room for")
  func order() {
    let queue = StealableQueue()
    let capacity = UInt(StealableQueue.capacity)
    for lap in UInt(0)..<3 {
      #expect(queue.isEmpty == true)
      #expect(queue.pop() == nil)
      for word in 1...capacity { #expect(queue.push(lap * 1000 + word) == true) }
      #expect(queue.push(9999) == false)
      #expect(queue.isEmpty == false)
      for word in 1...capacity { #expect(queue.pop() == lap * 1000 + word) }
    }
  }

  @Test("a thief takes the older half, rounded up", arguments: UInt(0)...9)
  func stealsHalf(count: UInt) {
    let victim = StealableQueue()
    let thief = StealableQueue()
    for word in 0..<count { _ = victim.push(word + 1) }
    let first = victim.steal(into: thief)
    #expect(first == (count == 0 ? nil : 1))
    let share = count - count / 2
    #expect(all(thief) == Array((1...max(1, share)).dropFirst()))
    #expect(all(victim) == (count == 0 ? [] : Array((1...count).dropFirst(Int(share)))))
  }

  @Test("one word can be stolen at a time")
  func stealsOne() {
    let queue = StealableQueue()
    #expect(queue.stealOne() == nil)
    for word in UInt(1)...3 { _ = queue.push(word) }
    #expect(queue.stealOne() == 1)
    #expect(all(queue) == [2, 3])
  }

  @Test("many are added at once, up to a limit, to its room, or to their end")
  func appendsMany() {
    let queue = StealableQueue()
    var next: UInt = 0
    func count() -> UInt? {
      next += 1
      return next
    }
    #expect(queue.append(upTo: -1, from: count) == 0)
    #expect(queue.append(upTo: 3, from: count) == 3)
    #expect(queue.append(upTo: 3, from: { nil }) == 0)
    #expect(queue.append(upTo: 1000, from: count) == StealableQueue.capacity - 3)
    #expect(all(queue) == Array(1...UInt(StealableQueue.capacity)))
  }

  private func all(_ queue: borrowing StealableQueue) -> [UInt] {
    var words: [UInt] = []
    while let word = queue.pop() { words.append(word) }
    return words
  }

  final class Shared: Sendable {
    let queue = StealableQueue()
    let isDone = Atomic(false)
    let seen: [Counter]
    let left: Atomic<Int>
    init(words: Int) {
      seen = (0..<words).map { _ in Counter() }
      left = Atomic(words)
    }
    func see(_ word: UInt) {
      seen[Int(word) - 1].increment()
      left.subtract(1, ordering: .relaxed)
    }
  }

  @Test("an owner and three thieves between them see each word exactly once")
  func race() async {
    let words = 200_000
    let shared = Shared(words: words)
    await withTaskGroup(of: Void.self) { group in
      group.addTask {
        var random = SplitMix(state: 1)
        var word: UInt = 1
        while word <= UInt(words) {
          if random.next(below: 3) > 0 {
            if shared.queue.push(word) { word += 1 }
          } else if let own = shared.queue.pop() {
            shared.see(own)
          }
        }
        while let own = shared.queue.pop() { shared.see(own) }
        shared.isDone.store(true, ordering: .releasing)
      }
      for thief in 0..<3 {
        group.addTask {
          let mine = StealableQueue()
          while !shared.isDone.load(ordering: .acquiring) {
            if thief == 0 {
              if let word = shared.queue.stealOne() { shared.see(word) }
            } else {
              if let word = shared.queue.steal(into: mine) { shared.see(word) }
              while let word = mine.pop() { shared.see(word) }
            }
            await Task.yield()
          }
        }
      }
    }
    #expect(shared.left.load(ordering: .acquiring) == 0)
    #expect(shared.seen.allSatisfy { $0.value == 1 })
  }
}

/// A count that several threads keep.
final class Counter: Sendable {
  private let count = Atomic(0)
  @discardableResult
  func increment() -> Int { count.add(1, ordering: .acquiringAndReleasing).newValue }
  var value: Int { count.load(ordering: .acquiring) }
}
