import ArborPrimitives
import Synchronization
import Testing

@testable import ArborProcesses

/// A job that is never run: a number in the place of an address.
private func entry(_ number: Int, isIsolated: Bool = false) -> JobQueue.Entry {
  let job = unsafeBitCast(UInt(16 * (number + 1)), to: UnownedJob.self)
  return JobQueue.Entry(job: job, isIsolated: isIsolated)
}

extension JobQueue.Entry {
  fileprivate var number: Int { Int(unsafeBitCast(job, to: UInt.self) / 16) - 1 }
}

/// What a test sees of a step: a job's number and whether it is isolated, or why there is none.
private enum Seen: Equatable {
  case run(Int, Bool)
  case giveUp, idle

  init(_ step: JobQueue.Step) {
    switch step {
    case .run(let entry): self = .run(entry.number, entry.isIsolated)
    case .giveUp: self = .giveUp
    case .idle: self = .idle
    }
  }
}

/// The same rules, with an array and without an atomic.
private struct Model {
  var waiting: [(number: Int, isIsolated: Bool)] = []
  var isScheduled = false
  var isRunning = false
  var hasYielded = false

  mutating func append(_ number: Int, _ isIsolated: Bool) -> Bool {
    waiting.append((number, isIsolated))
    defer { isScheduled = true }
    return !isScheduled
  }

  mutating func step(left: Int) -> Seen {
    isRunning = false
    if waiting.isEmpty {
      isScheduled = false
      return .idle
    }
    if left <= 0 || hasYielded {
      hasYielded = false
      return .giveUp
    }
    isRunning = true
    let first = waiting.removeFirst()
    return .run(first.number, first.isIsolated)
  }
}

/// A queue, and what only who has the turn may touch.
private final class Jobs: @unchecked Sendable {
  // Unchecked: `seen` is touched only by who has the turn. That no two ever have it is what is tested.
  private let queue = JobQueue()
  var seen: [Int] = []
  private let running = Atomic(0)
  private let overlaps = Atomic(0)

  var isIdle: Bool { queue.isIdle }
  var isRunning: Bool { queue.isRunning }
  /// How often two jobs ran at once.
  var clashes: Int { overlaps.load(ordering: .relaxed) }

  func append(_ number: Int, isIsolated: Bool = false) -> Bool {
    queue.append(entry(number, isIsolated: isIsolated))
  }

  func step(left: Int) -> Seen { Seen(queue.step(left: left)) }
  func yield() { queue.yield() }
  func trim() { queue.trim() }

  /// A turn, and those after it: who gives up is enqueued again, here by the same thread.
  func drain(budget: Int) {
    var left = budget
    while true {
      switch queue.step(left: left) {
      case .run(let entry):
        if running.wrappingAdd(1, ordering: .relaxed).oldValue != 0 {
          overlaps.wrappingAdd(1, ordering: .relaxed)
        }
        seen.append(entry.number)
        left -= 1
        running.wrappingSubtract(1, ordering: .relaxed)
      case .giveUp: left = budget
      case .idle: return
      }
    }
  }
}

/// The jobs of a process: one in a word, the others in a crowd behind it.
@Suite struct JobQueueTests {
  @Test("does what an array would, in any sequence of events", arguments: 0..<500)
  func model(seed: Int) throws {
    var random = SeededGenerator(seed: UInt64(seed))
    let queue = Jobs()
    var model = Model()
    var next = 0
    // Some sequences keep the queue short, where it goes between one word and the crowd and back.
    let appends = Int.random(in: 2...6, using: &random)
    for _ in 0..<200 {
      switch Int.random(in: 0..<10, using: &random) {
      case 0..<appends:
        let isIsolated = Bool.random(using: &random)
        let isToEnqueue = queue.append(next, isIsolated: isIsolated)
        let isExpected = model.append(next, isIsolated)
        try #require(isToEnqueue == isExpected)
        next += 1
      case 9:
        queue.trim()
      case 8 where model.isRunning:
        // As a task that gives up its turn does: its job is there again, behind the others.
        queue.yield()
        model.hasYielded = true
        let isToEnqueue = queue.append(next)
        let isExpected = model.append(next, false)
        try #require(isToEnqueue == isExpected)
        next += 1
      default:
        guard model.isScheduled else { continue }
        let left = Int.random(in: 0..<4, using: &random)
        let expected = model.step(left: left)
        try #require(queue.step(left: left) == expected)
      }
      try #require(queue.isIdle == !model.isScheduled)
      try #require(queue.isRunning == model.isRunning)
    }
    while model.isScheduled {
      let left = Int.random(in: 0..<4, using: &random)
      let expected = model.step(left: left)
      try #require(queue.step(left: left) == expected)
    }
    try #require(queue.isIdle && !queue.isRunning)
  }

  @Test("whoever brings jobs at once, each is run once, in its bringer's order, one at a time")
  func threads() async {
    for round in 0..<20 {
      let threads = 3
      let each = 1000
      let queue = Jobs()
      await withTaskGroup { group in
        for thread in 0..<threads {
          group.addTask {
            await withCheckedContinuation { continuation in
              let started = SystemThread.start(named: "bringer") {
                for number in 0..<each {
                  guard queue.append(thread * each + number) else { continue }
                  queue.drain(budget: round % 3 + 1)
                }
                continuation.resume()
              }
              if !started { continuation.resume() }
              #expect(started)
            }
          }
        }
      }
      #expect(queue.isIdle && !queue.isRunning)
      #expect(queue.clashes == 0)
      for thread in 0..<threads {
        let its = queue.seen.filter { $0 / each == thread }
        #expect(its == Array(thread * each..<(thread + 1) * each))
      }
      #expect(queue.seen.count == threads * each)
    }
  }

  @Test("a turn whose budget is used up is given up, and what waits is there for the next")
  func budget() {
    let queue = Jobs()
    #expect(queue.append(0))
    for number in 1..<4 { #expect(!queue.append(number)) }
    #expect(queue.step(left: 2) == .run(0, false))
    #expect(queue.step(left: 1) == .run(1, false))
    #expect(queue.isRunning)
    #expect(queue.step(left: 0) == .giveUp)
    // It is to be enqueued by who gave it up, and by nobody else.
    #expect(!queue.isRunning && !queue.isIdle)
    #expect(!queue.append(4))
    for number in 2..<5 { #expect(queue.step(left: 1) == .run(number, false)) }
    #expect(queue.step(left: 0) == .idle)
    #expect(queue.isIdle)
  }

  @Test("a task that yields has others asked first, once", arguments: [1, 5])
  func yielding(jobs: Int) {
    let queue = Jobs()
    for number in 0..<jobs { _ = queue.append(number) }
    #expect(queue.step(left: 100) == .run(0, false))
    queue.yield()
    #expect(!queue.append(jobs))
    #expect(queue.step(left: 99) == .giveUp)
    for number in 1...jobs { #expect(queue.step(left: 100) == .run(number, false)) }
    #expect(queue.step(left: 100) == .idle)
  }

  @Test("a task that yields where nobody else waits costs the next message no turn")
  func yieldingAlone() {
    let queue = Jobs()
    #expect(queue.append(0))
    #expect(queue.step(left: 100) == .run(0, false))
    // As it is when the task goes on at once, and parks later.
    queue.yield()
    #expect(queue.step(left: 99) == .idle)
    #expect(queue.append(1))
    #expect(queue.step(left: 100) == .run(1, false))
  }

  @Test("gives back the room of a crowd that is gone, and no job of one that is not")
  func trimming() {
    let queue = Jobs()
    queue.trim()
    for number in 0..<100 { _ = queue.append(number, isIsolated: number % 3 == 0) }
    for number in 0..<100 {
      queue.trim()
      #expect(queue.step(left: 1) == .run(number, number % 3 == 0))
    }
    queue.trim()
    #expect(queue.step(left: 1) == .idle)
    queue.trim()
    #expect(queue.append(0))
    #expect(!queue.append(1))
    #expect(queue.step(left: 1) == .run(0, false))
    #expect(queue.step(left: 1) == .run(1, false))
    #expect(queue.step(left: 1) == .idle)
  }
}
