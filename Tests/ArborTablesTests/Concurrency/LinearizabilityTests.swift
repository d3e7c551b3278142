import ArborPrimitives
import ArborProcesses
import ArborTables
import ArborTestKit
import Foundation
import Synchronization
import Testing

/// Histories of concurrent operations on few keys, each checked against a sequential table.
///
/// The operations of a history come from its seed; several threads run them at once on a real table
/// and note when each began and ended. The history passes if there is an order of the operations, in
/// keeping with those times, in which a table without any concurrency gives the same answers.
///
/// On a few cores the threads would seldom meet inside an operation. So every other history has keys, and
/// bags have values, whose own operators now and then let another thread run: between the steps of an
/// operation that ought to be one, if it has any.
@Suite struct LinearizabilityTests {
  @Test("10 000 seeded histories are linearizable", arguments: Kind.allCases)
  func histories(kind: Kind) async throws {
    let node = Node(workers: 1)
    try await withProcess(on: node) { _ in
      let crew = Crew(threads: 3)
      defer { crew.dismiss() }
      for seed in UInt64(0)..<UInt64(effort(of: 2500)) {
        let plan = Plan(seed: seed, kind: kind, threads: 3, length: 5)
        let subject =
          switch (seed % 2, kind.isBag) {
          case (0, _): try Subject(Table<Int, Int>(kind.of(), access: .public))
          case (_, false): try Subject(Table<Hesitant, Int>(kind.of(), access: .public))
          case (_, true): try Subject(Table<Hesitant, Hesitant>(kind.of(), access: .public))
          }
        for row in plan.initial { _ = try subject.perform(.insert(row.0, row.1)) }
        let history = crew.run(plan, on: subject)
        let isFine = Checker(kind: kind, initial: plan.initial, history: history).passes()
        #expect(isFine, "seed \(seed): \(history)")
        try subject.deleteTable()
        if !isFine { return }
      }
    }
  }

  @Test("the checker itself refuses what no order explains")
  func checker() {
    func call(_ operation: Operation, _ result: [Int], _ began: Int, _ ended: Int) -> Call {
      Call(operation: operation, result: result, began: began, ended: ended)
    }
    // A read that ended before the write began saw its value.
    let early = [call(.lookup(1), [5], 0, 1), call(.insert(1, 5), [], 2, 3)]
    #expect(!Checker(kind: .set, initial: [], history: early).passes())
    // Overlapping, it may have.
    let overlapping = [call(.lookup(1), [5], 0, 3), call(.insert(1, 5), [], 2, 4)]
    #expect(Checker(kind: .set, initial: [], history: overlapping).passes())
    // Half of a list insertion was seen, and then the half before it.
    let torn = [
      call(.insertBoth(1, 2, 5), [], 0, 9), call(.lookup(1), [5], 1, 2),
      call(.lookup(2), [], 3, 4),
    ]
    #expect(!Checker(kind: .set, initial: [], history: torn).passes())
    // Two increments with the same result.
    let lost = [call(.add(1, 1), [8], 0, 3), call(.add(1, 1), [8], 1, 2)]
    #expect(!Checker(kind: .set, initial: [(1, 7)], history: lost).passes())
  }
}

private enum Operation: Sendable {
  case insert(Int, Int)
  case insertNew(Int, Int)
  case insertBoth(Int, Int, Int)
  case insertNewBoth(Int, Int, Int)
  case lookup(Int)
  case take(Int)
  case deleteObject(Int, Int)
  case add(Int, Int)
  case update(Int, Int)
  case count
  case deleteAll
}

/// An operation as it went: times are ticks of one counter.
private struct Call: Sendable {
  let operation: Operation
  let result: [Int]
  let began: Int
  let ended: Int
}

/// What the threads of one history do.
private struct Plan: Sendable {
  let initial: [(Int, Int)]
  let parts: [[Operation]]

  init(seed: UInt64, kind: Kind, threads: Int, length: Int) {
    var random = SeededGenerator(seed: seed)
    func below(_ bound: Int) -> Int { Int(random.next() % UInt64(bound)) }
    initial = below(2) == 0 ? [] : [(below(3), 100), (below(3), 101)]
    var value = 0
    parts = (0..<threads).map { _ in
      (0..<length).map { _ in
        value += 1
        let key = below(3)
        switch below(kind.isBag ? 12 : 15) {
        case 0, 1: return .insert(key, value % 4)
        case 2: return .insertNew(key, value)
        case 3: return .insertBoth(key, (key + 1) % 3, value)
        case 4: return .insertNewBoth(key, (key + 1) % 3, value)
        case 5, 6, 7: return .lookup(key)
        case 8: return .take(key)
        case 9: return .deleteObject(key, below(4))
        case 10: return .count
        case 11: return below(3) == 0 ? .deleteAll : .lookup(key)
        case 12: return .update(key, 10)
        default: return .add(key, 1)
        }
      }
    }
  }
}

/// Threads that run histories, one after the other, all starting at once.
private final class Crew: Sendable {
  private struct Job: Sendable {
    let plan: Plan
    let subject: Subject
  }

  private let threads: Int
  private let job = Lock<Job?>(nil)
  private let round = Atomic(0)
  private let arrived = Atomic(0)
  private let clock = Atomic(0)
  private let history = Lock<[Call]>([])

  init(threads: Int) {
    self.threads = threads
    for number in 0..<threads {
      Thread.detachNewThread { [self] in work(as: number) }
    }
  }

  func run(_ plan: Plan, on subject: Subject) -> [Call] {
    job.withLock { $0 = Job(plan: plan, subject: subject) }
    history.withLock { $0 = [] }
    arrived.store(0, ordering: .sequentiallyConsistent)
    round.wrappingAdd(1, ordering: .sequentiallyConsistent)
    while arrived.load(ordering: .sequentiallyConsistent) < threads { sched_yield() }
    return history.withLock { $0 }
  }

  func dismiss() {
    job.withLock { $0 = nil }
    round.wrappingAdd(1, ordering: .sequentiallyConsistent)
  }

  private func work(as number: Int) {
    var last = 0
    while true {
      while round.load(ordering: .sequentiallyConsistent) == last { sched_yield() }
      last += 1
      guard let job = job.withLock({ $0 }) else { return }
      let calls = job.plan.parts[number].map { call($0, on: job.subject) }
      history.withLock { $0 += calls }
      arrived.wrappingAdd(1, ordering: .sequentiallyConsistent)
    }
  }

  private func tick() -> Int { clock.wrappingAdd(1, ordering: .sequentiallyConsistent).newValue }

  private func call(_ operation: Operation, on subject: Subject) -> Call {
    let began = tick()
    let result = (try? subject.perform(operation)) ?? [-999]
    return Call(operation: operation, result: result, began: began, ended: tick())
  }
}

/// What keys and values of a history are made of.
private protocol Numbered: Hashable, Comparable, Sendable {
  init(_ number: Int)
  var number: Int { get }
}

extension Int: Numbered {
  fileprivate var number: Int { self }
}

/// A number whose operators let another thread run, every few times.
private struct Hesitant: Numbered {
  private static let turns = Atomic(0)
  let number: Int

  init(_ number: Int) { self.number = number }

  private static func hesitate() {
    if turns.wrappingAdd(1, ordering: .relaxed).newValue % 3 == 0 { sched_yield() }
  }

  static func == (left: Hesitant, right: Hesitant) -> Bool {
    hesitate()
    return left.number == right.number
  }
  static func < (left: Hesitant, right: Hesitant) -> Bool {
    hesitate()
    return left.number < right.number
  }
  func hash(into hasher: inout Hasher) {
    Hesitant.hesitate()
    hasher.combine(number)
  }
}

/// A table, whatever its types are, as the histories use it.
private struct Subject: Sendable {
  let perform: @Sendable (Operation) throws -> [Int]
  let deleteTable: @Sendable () throws -> Void

  init<Key: Numbered, Value: Numbered>(_ table: Table<Key, Value>) {
    perform = { try Self.perform($0, on: table) }
    deleteTable = { try table.deleteTable() }
  }

  private static func perform<Key: Numbered, Value: Numbered>(
    _ operation: Operation, on table: Table<Key, Value>
  ) throws -> [Int] {
    switch operation {
    case .insert(let key, let value):
      try table.insert(Key(key), Value(value))
      return []
    case .insertNew(let key, let value):
      return try table.insertNew(Key(key), Value(value)) ? [1] : [0]
    case .insertBoth(let one, let other, let value):
      try table.insert(contentsOf: [(Key(one), Value(value)), (Key(other), Value(value))])
      return []
    case .insertNewBoth(let one, let other, let value):
      let rows = [(key: Key(one), value: Value(value)), (key: Key(other), value: Value(value))]
      return try table.insertNew(contentsOf: rows) ? [1] : [0]
    case .lookup(let key): return try table.lookupAll(Key(key)).map(\.number)
    case .take(let key): return try table.takeAll(Key(key)).map(\.number)
    case .deleteObject(let key, let value):
      try table.delete(Key(key), Value(value))
      return []
    case .add(let key, let step):
      let counters = try #require(table as? Table<Key, Int>)
      return [try counters.updateCounter(Key(key), by: step, default: 0)]
    case .update(let key, let step):
      let new = try table.update(Key(key)) { value in
        sched_yield()
        value = Value(value.number + step)
        return value.number
      }
      return new.map { [$0] } ?? []
    case .count: return [try table.count]
    case .deleteAll:
      try table.deleteAll()
      return []
    }
  }
}

/// Looks for an order of a history's calls that a sequential table would have answered the same in.
private struct Checker {
  typealias Model = [[Int]]

  let kind: Kind
  let initial: Model
  let history: [Call]

  init(kind: Kind, initial: [(Int, Int)], history: [Call]) {
    self.kind = kind
    var model: Model = [[], [], []]
    for (key, value) in initial { Self.insert(key, value, into: &model, kind) }
    self.initial = model
    self.history = history
  }

  func passes() -> Bool {
    var seen: Set<Node> = []
    return search(Node(done: 0, model: initial), &seen)
  }

  private struct Node: Hashable {
    var done: UInt32
    var model: Model
  }

  private func search(_ node: Node, _ seen: inout Set<Node>) -> Bool {
    if node.done.nonzeroBitCount == history.count { return true }
    guard seen.insert(node).inserted else { return false }
    let open = history.indices.filter { node.done & 1 << $0 == 0 }
    // Nothing may come before what had ended when it began.
    let firstEnd = open.map { history[$0].ended }.min() ?? 0
    for index in open where history[index].began < firstEnd {
      var next = node
      next.done |= 1 << index
      if apply(history[index].operation, to: &next.model) == history[index].result,
        search(next, &seen)
      {
        return true
      }
    }
    return false
  }

  private static func insert(_ key: Int, _ value: Int, into model: inout Model, _ kind: Kind) {
    switch kind {
    case .set, .orderedSet: model[key] = [value]
    case .bag: if !model[key].contains(value) { model[key].append(value) }
    case .duplicateBag: model[key].append(value)
    }
  }

  private func apply(_ operation: Operation, to model: inout Model) -> [Int] {
    switch operation {
    case .insert(let key, let value): Self.insert(key, value, into: &model, kind)
    case .insertNew(let key, let value):
      guard model[key].isEmpty else { return [0] }
      model[key] = [value]
      return [1]
    case .insertBoth(let one, let other, let value):
      Self.insert(one, value, into: &model, kind)
      Self.insert(other, value, into: &model, kind)
    case .insertNewBoth(let one, let other, let value):
      guard model[one].isEmpty, model[other].isEmpty else { return [0] }
      model[one] = [value]
      model[other] = [value]
      return [1]
    case .lookup(let key): return model[key]
    case .take(let key):
      defer { model[key] = [] }
      return model[key]
    case .deleteObject(let key, let value): model[key].removeAll { $0 == value }
    case .add(let key, let step):
      model[key] = [(model[key].first ?? 0) + step]
      return model[key]
    case .update(let key, let step):
      guard let value = model[key].first else { return [] }
      model[key] = [value + step]
      return model[key]
    case .count: return [model.map(\.count).reduce(0, +)]
    case .deleteAll: model = [[], [], []]
    }
    return []
  }
}
