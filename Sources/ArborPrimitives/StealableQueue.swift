import Synchronization

/// A bounded queue of words that one thread fills and empties and any other may take half of.
///
///     queue.push(word)                  // the owner
///     let next = queue.pop()            // the owner: the oldest
///     let stolen = queue.steal(into: mine)   // another thread, the owner of `mine`
///
/// Words, not objects: what a word means, and whose the reference in it is, its user knows. Zero is
/// no word.
///
/// A ring with two counters that only grow. The owner alone moves `tail`; whoever takes moves
/// `head` by compare-and-exchange, the owner too: so nothing is taken twice. A thief reads cells
/// before it knows that they are its own, and the exchange fails if the owner has used them for
/// something else meanwhile: that needs `head` to have moved.
package struct StealableQueue: ~Copyable, @unchecked Sendable {
  // Unchecked: `cells` is written once; what it points at are atomics.
  package static let capacity = 256
  private static let mask = UInt(capacity - 1)

  private let head = Atomic<UInt>(0)
  private let tail = Atomic<UInt>(0)
  private let cells: UnsafeMutablePointer<Atomic<UInt>>

  package init() {
    cells = .allocate(capacity: StealableQueue.capacity)
    for index in 0..<StealableQueue.capacity { (cells + index).initialize(to: Atomic(0)) }
  }

  deinit {
    cells.deinitialize(count: StealableQueue.capacity)
    cells.deallocate()
  }

  /// From any thread. What it says may be over when it returns; but a thread that first says that
  /// it sleeps (sequentially consistent) and then finds this empty is seen asleep by whoever pushes later.
  package var isEmpty: Bool {
    head.load(ordering: .sequentiallyConsistent) == tail.load(ordering: .sequentiallyConsistent)
  }

  /// Adds a word at the end. The owner only.
  ///
  /// - Returns: false if it is full.
  package func push(_ word: UInt) -> Bool {
    let end = tail.load(ordering: .relaxed)
    guard end &- head.load(ordering: .acquiring) < UInt(StealableQueue.capacity) else {
      return false
    }
    cells[Int(end & StealableQueue.mask)].store(word, ordering: .relaxed)
    tail.store(end &+ 1, ordering: .sequentiallyConsistent)
    return true
  }

  /// Adds what `next` yields, at most `limit` words, until it yields nil or the queue is full. The
  /// owner only; others see all of it at once.
  ///
  /// - Returns: how many it added.
  package func append(upTo limit: Int, from next: () -> UInt?) -> Int {
    let end = tail.load(ordering: .relaxed)
    let free = StealableQueue.capacity - Int(end &- head.load(ordering: .acquiring))
    var added = 0
    while added < min(limit, free), let word = next() {
      cells[Int((end &+ UInt(added)) & StealableQueue.mask)].store(word, ordering: .relaxed)
      added += 1
    }
    if added > 0 { tail.store(end &+ UInt(added), ordering: .sequentiallyConsistent) }
    return added
  }

  /// Takes the oldest word. The owner only.
  package func pop() -> UInt? {
    var start = head.load(ordering: .acquiring)
    while true {
      guard start != tail.load(ordering: .relaxed) else { return nil }
      let word = cells[Int(start & StealableQueue.mask)].load(ordering: .relaxed)
      let (taken, now) = head.compareExchange(
        expected: start, desired: start &+ 1, ordering: .acquiringAndReleasing)
      if taken { return word }
      start = now
    }
  }

  /// Takes half of the words, the older ones, rounded up, into another queue.
  ///
  /// - Parameter other: a queue of the calling thread's own; it must be empty.
  /// - Returns: the oldest word, which is not put into `other`; nil if there was none.
  package func steal(into other: borrowing StealableQueue) -> UInt? {
    let end = other.tail.load(ordering: .relaxed)
    var start = head.load(ordering: .acquiring)
    while true {
      let available = tail.load(ordering: .acquiring) &- start
      guard available > 0 else { return nil }
      guard available <= UInt(StealableQueue.capacity) else {
        // `head` is older than `tail` by more than the ring: it has moved.
        start = head.load(ordering: .acquiring)
        continue
      }
      let share = available - available / 2
      let oldest = cells[Int(start & StealableQueue.mask)].load(ordering: .relaxed)
      for offset in 1..<max(share, 1) {
        let word = cells[Int((start &+ offset) & StealableQueue.mask)].load(ordering: .relaxed)
        other.cells[Int((end &+ offset &- 1) & StealableQueue.mask)].store(word, ordering: .relaxed)
      }
      let (taken, now) = head.compareExchange(
        expected: start, desired: start &+ share, ordering: .acquiringAndReleasing)
      guard taken else {
        start = now
        continue
      }
      if share > 1 { other.tail.store(end &+ share &- 1, ordering: .sequentiallyConsistent) }
      return oldest
    }
  }

  /// Takes the oldest word, from any thread.
  package func stealOne() -> UInt? {
    var start = head.load(ordering: .acquiring)
    while true {
      let available = tail.load(ordering: .acquiring) &- start
      guard available > 0 else { return nil }
      let word = cells[Int(start & StealableQueue.mask)].load(ordering: .relaxed)
      let (taken, now) = head.compareExchange(
        expected: start, desired: start &+ 1, ordering: .acquiringAndReleasing)
      if taken { return word }
      start = now
    }
  }
}
