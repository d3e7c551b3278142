import Testing

@testable import ArborProcesses

/// Every interleaving of small pools: whatever the order of their steps, no work is left lying
/// about while everybody sleeps, and a pool that is shut down ends.
///
/// A model of what the workers and the threads outside do around the real ``PoolRoster``: one step
/// for each look at a queue, each question to the roster and each unpark. All the states it can
/// reach are visited; those in which nobody can take a step are the ends.
@Suite struct PoolProtocolTests {
  /// Runnables in a queue, by how many others each enqueues when it runs.
  typealias Queue = [Int]
  /// One that never ends its turn.
  static let stuck = -1
  /// One that enqueues another and then never ends its turn.
  static let pushesAndSticks = -2

  enum Step: Hashable {
    // A worker's.
    case absent
    case next
    case beginSearch
    /// It looks at the common queue (0), then at each worker's.
    case scan(Int)
    /// It has taken these out of another's queue and not yet put them into its own.
    case moving(Queue)
    case found(Int)
    case run(Int)
    case fallAsleep
    case endIfDone
    case stayAwake
    case park
    case retire
    case parkAgain
    case leave
    // A thread's outside.
    case inject(Queue)
    /// The monitor takes all workers for stuck, this many times.
    case needSpare(Int)
    /// The monitor takes the first worker for stuck and its queue away, puts that into the common
    /// queue, and passes it on if the pool has ended meanwhile.
    case rescue
    case putBack(Queue)
    case checkEnd
    case close
    case stop(hasQueued: Bool)
    case done
    // Anybody's, with what comes after.
    /// It looks whether any queue has something, from this one on.
    indirect case recheck(Int, found: Step, nothing: Step)
    indirect case wakeCheck(Step)
    indirect case wakeAsk(Step)
    indirect case perform(PoolRoster.Actions, Step)
  }

  struct Pool: Hashable {
    var roster: PoolRoster
    var common: Queue = []
    var isClosed = false
    var queues: [Queue]
    var unparked: [Bool]
    /// The workers' first, then those of the threads outside.
    var steps: [Step]
    let workers: Int

    init(regulars: Int, spares: Int, outside: [Step]) {
      workers = regulars + spares
      roster = PoolRoster(regulars: regulars, spares: spares)
      queues = Array(repeating: [], count: workers)
      unparked = Array(repeating: false, count: workers)
      steps = Array(repeating: .absent, count: workers) + outside
    }

    /// The states that one step of one thread leads to.
    func following(_ thread: Int) -> [Pool] {
      var pool = self
      switch steps[thread] {
      case .absent, .done, .run(PoolProtocolTests.stuck):
        return []
      case .park:
        var all: [Pool] = []
        if unparked[thread] {
          pool.unparked[thread] = false
          pool.steps[thread] = pool.roster.hasEnded ? .leave : .scan(0)
          all.append(pool)
        }
        if roster.isSpare(thread) {
          var other = self
          other.steps[thread] = .retire
          all.append(other)
        }
        return all
      case .parkAgain where !unparked[thread]:
        return []
      default:
        pool.steps[thread] = pool.take(steps[thread], thread)
        return [pool]
      }
    }

    private func isEmpty(_ place: Int) -> Bool {
      place == 0 ? common.isEmpty : queues[place - 1].isEmpty
    }

    private mutating func take(_ step: Step, _ thread: Int) -> Step {
      switch step {
      case .absent, .done, .park:
        return step
      case .next:
        if !queues[thread].isEmpty { return .run(queues[thread].removeFirst()) }
        return takeInjected(thread) { .run($0) } ?? .beginSearch
      case .beginSearch:
        return roster.beginSearch(thread) ? .scan(0) : .fallAsleep
      case .scan(let place):
        if place == 0, let step = takeInjected(thread, { .found($0) }) { return step }
        if place > 0, place - 1 != thread, !queues[place - 1].isEmpty {
          let share = (queues[place - 1].count + 1) / 2
          let taken = Queue(queues[place - 1].prefix(share))
          queues[place - 1].removeFirst(share)
          return .moving(taken)
        }
        return place < workers ? .scan(place + 1) : .fallAsleep
      case .moving(let taken):
        queues[thread] += taken.dropFirst()
        return .found(taken[0])
      case .found(let work):
        guard roster.foundWork(thread) else { return .run(work) }
        return .recheck(0, found: .wakeCheck(.run(work)), nothing: .run(work))
      case .run(let children):
        if children == PoolProtocolTests.pushesAndSticks {
          queues[thread].append(0)
          return .wakeCheck(.run(PoolProtocolTests.stuck))
        }
        guard children > 0 else { return .next }
        queues[thread].append(children - 1)
        return .wakeCheck(.next)
      case .fallAsleep:
        guard roster.fallAsleep(thread) else { return .park }
        return .recheck(0, found: .stayAwake, nothing: .endIfDone)
      case .endIfDone:
        for sleeper in roster.endIfDone() ?? [] { unparked[sleeper] = true }
        return .park
      case .stayAwake:
        return roster.stayAwake(thread) ? .scan(0) : .park
      case .retire:
        return roster.retire(thread) ? .leave : .parkAgain
      case .parkAgain:
        unparked[thread] = false
        return roster.hasEnded ? .leave : .scan(0)
      case .leave:
        _ = roster.leave(thread)
        return .absent
      case .inject(var queue):
        // After the end it goes to another scheduler.
        guard !isClosed else { return .done }
        common.append(queue.removeFirst())
        return .wakeCheck(queue.isEmpty ? .done : .inject(queue))
      case .needSpare(let times):
        guard times > 0 else { return .done }
        return .perform(roster.spareNeeded(), .needSpare(times - 1))
      case .rescue:
        defer { queues[0] = [] }
        return queues[0].isEmpty ? .done : .putBack(queues[0])
      case .putBack(let queue):
        common += queue
        return .wakeCheck(.checkEnd)
      case .checkEnd:
        if roster.hasEnded { common = [] }
        return .done
      case .close:
        isClosed = true
        return .stop(hasQueued: !common.isEmpty)
      case .stop(let hasQueued):
        return .perform(roster.stop(hasQueued: hasQueued), .done)
      case .recheck(let place, let found, let nothing):
        if !isEmpty(place) { return found }
        return place < workers ? .recheck(place + 1, found: found, nothing: nothing) : nothing
      case .wakeCheck(let after):
        return roster.wantsWake ? .wakeAsk(after) : after
      case .wakeAsk(let after):
        return .perform(roster.workArrived(), after)
      case .perform(let actions, let after):
        switch actions.worker {
        case .nobody: break
        case .wake(let worker): unparked[worker] = true
        case .start(let worker): steps[worker] = .scan(0)
        }
        return after
      }
    }

    /// One to take, the rest into the worker's own queue.
    private mutating func takeInjected(_ thread: Int, _ then: (Int) -> Step) -> Step? {
      guard !common.isEmpty else { return nil }
      let first = common.removeFirst()
      let share = max(0, common.count / 2)
      guard share > 0 else { return then(first) }
      queues[thread] += common.prefix(share)
      common.removeFirst(share)
      return then(first)
    }
  }

  struct Scenario: Sendable, CustomTestStringConvertible {
    var testDescription: String
    var regulars: Int
    var spares = 0
    var alarms = 0
    var isRescued = false
    var outside: [[Int]]
    var isShutDown = false
  }

  static let scenarios = [
    Scenario(testDescription: "one worker, three senders", regulars: 1, outside: [[0], [0], [0]]),
    Scenario(testDescription: "two workers, three senders", regulars: 2, outside: [[0], [0], [0]]),
    Scenario(testDescription: "two workers, a burst", regulars: 2, outside: [[0, 0, 0, 0]]),
    Scenario(
      testDescription: "two workers, work that makes work", regulars: 2, outside: [[2], [1]]),
    Scenario(testDescription: "three workers, a burst", regulars: 3, outside: [[0, 0, 0]]),
    Scenario(
      testDescription: "a spare that retires", regulars: 1, spares: 1, alarms: 2,
      outside: [[0, 1]]),
    Scenario(testDescription: "a stuck worker", regulars: 2, outside: [[0, stuck, 0, 0]]),
    Scenario(testDescription: "a stuck worker, two senders", regulars: 2, outside: [[stuck], [1]]),
    Scenario(testDescription: "two stuck of three", regulars: 3, outside: [[stuck, 0], [stuck]]),
    Scenario(
      testDescription: "a stuck worker that has made work", regulars: 2,
      outside: [[pushesAndSticks], [0]]),
    Scenario(
      testDescription: "a worker wrongly taken for stuck", regulars: 2, isRescued: true,
      outside: [[1, 0]]),
    Scenario(
      testDescription: "a worker wrongly taken for stuck, shut down", regulars: 1,
      isRescued: true, outside: [[2, 0]], isShutDown: true),
    Scenario(
      testDescription: "one worker, shut down", regulars: 1, outside: [[1, 0]], isShutDown: true),
    Scenario(
      testDescription: "two workers, shut down", regulars: 2, outside: [[1, 0]], isShutDown: true),
    Scenario(
      testDescription: "a spare, shut down", regulars: 1, spares: 1, alarms: 1,
      outside: [[0]], isShutDown: true),
  ]

  @Test("no order of steps leaves work lying beside a worker who sleeps", arguments: scenarios)
  func everyInterleaving(scenario: Scenario) {
    var outside = scenario.outside.map { Step.inject($0) }
    if scenario.alarms > 0 { outside.append(.needSpare(scenario.alarms)) }
    if scenario.isRescued { outside.append(.rescue) }
    if scenario.isShutDown { outside.append(.close) }
    let start = Pool(regulars: scenario.regulars, spares: scenario.spares, outside: outside)

    var visited: Set<Pool> = [start]
    var open = [start]
    var ends = 0
    while let pool = open.popLast() {
      var canStep = false
      for thread in pool.steps.indices {
        for following in pool.following(thread) {
          canStep = true
          if visited.insert(following).inserted { open.append(following) }
        }
      }
      guard !canStep else { continue }
      ends += 1
      let isDone = pool.common.isEmpty && pool.queues.allSatisfy(\.isEmpty)
      let hasEnded = pool.roster.hasEnded && pool.roster.present == 0
      guard isDone, hasEnded == scenario.isShutDown else {
        Issue.record("It can end as \(pool)")
        return
      }
    }
    #expect(ends > 0)
  }
}
