import ArborBehaviours
import ArborIntrospection
import ArborProcesses
import ArborTestKit
import Synchronization
import Testing

/// How many objects have been let go of.
private final class Count: Sendable {
  private let count = Atomic(0)
  func add() { count.wrappingAdd(1, ordering: .relaxed) }
  var value: Int { count.load(ordering: .relaxed) }
}

private final class Thing: Sendable {
  private let ended: Count
  init(_ ended: Count) { self.ended = ended }
  deinit { ended.add() }
}

/// 200 bytes, each of which says which one it is.
private struct Bulk: Sendable, Equatable {
  typealias Part = (UInt64, UInt64, UInt64, UInt64, UInt64)
  var one: Part, two: Part, three: Part, four: Part, five: Part

  init(_ seed: Int) {
    func part(_ index: Int) -> Part {
      let first = UInt64(truncatingIfNeeded: seed &* 31 &+ index * 5)
      return (first, first &+ 1, first &+ 2, first &+ 3, first &+ 4)
    }
    (one, two, three, four, five) = (part(0), part(1), part(2), part(3), part(4))
  }

  static func == (left: Bulk, right: Bulk) -> Bool {
    left.one == right.one && left.two == right.two && left.three == right.three
      && left.four == right.four && left.five == right.five
  }
}

/// A server with several types of answers, some of which it gives late.
private actor Desk: GenServer {
  enum Call: Sendable {
    case number(Int, From<Int>)
    case text(Int, From<String>)
    case perhaps(Int, From<Int?>)
    case acknowledge(From<Void>)
    case thing(Count, From<Thing>)
    /// Answered after so many milliseconds.
    case slow(Int, milliseconds: Int, From<Int>)
    /// Answered with the next `number`, `text` or `keep` that comes, before that.
    case keep(Int, From<Int>)
    /// Answered at once, and with the next of those again, by another number.
    case twice(Int, From<Int>)
    /// Passed on to the next desk, and that one's answer doubled.
    case passOn(Int, From<Int>)
    case hold(Thing, From<Int>)
    case bulk(Bulk, sender: Int, From<Bulk>)
    case unharmed(From<[Int: Int]>)
  }
  enum Cast: Sendable {
    case hold(Thing)
    case fail(Thing)
    case wait(AsyncStream<Void>)
    case small(Int, sender: Int)
    case bulk(Bulk, Int, sender: Int)
    case nothing
  }

  static var answersInPlace: Bool { BothModes.answersInPlace }

  let process = ProcessContext()
  private let next: ServerRef<Desk>?
  private var kept: [(number: Int, from: From<Int>)] = []
  /// The number that each sender has come to, as long as all came in order and unharmed.
  private var progress: [Int: Int] = [:]

  init(next: ServerRef<Desk>? = nil) { self.next = next }

  private func answerKept() {
    for (number, from) in kept { from.reply(number) }
    kept = []
  }

  func handleCall(_ call: Call) async throws {
    switch call {
    case .number(let number, let from):
      answerKept()
      from.reply(number)
    case .text(let number, let from):
      answerKept()
      from.reply("\(number)")
    case .perhaps(let number, let from): from.reply(number.isMultiple(of: 2) ? number : nil)
    case .acknowledge(let from): from.reply()
    case .thing(let count, let from): from.reply(Thing(count))
    case .slow(let number, let milliseconds, let from):
      try await process.sleep(for: .milliseconds(milliseconds))
      answerKept()
      from.reply(number)
    case .keep(let number, let from):
      answerKept()
      kept.append((number, from))
    case .twice(let number, let from):
      answerKept()
      from.reply(number)
      kept.append((-1, from))
    case .passOn(let number, let from):
      guard let next else { return from.reply(number) }
      from.reply(try await next.call { .passOn(number, $0) } * 2)
    case .hold(_, let from): from.reply(1)
    case .bulk(let bulk, let sender, let from):
      progress[sender, default: 0] += 1
      from.reply(bulk)
    case .unharmed(let from): from.reply(progress)
    }
  }

  func handleCast(_ cast: Cast) async throws {
    switch cast {
    case .hold, .nothing: break
    case .fail: throw Boom()
    case .wait(let gate): for await _ in gate { break }
    case .small(let number, let sender): note(number, sender, true)
    case .bulk(let bulk, let number, let sender): note(number, sender, bulk == Bulk(number))
    }
  }

  private func note(_ number: Int, _ sender: Int, _ isUnharmed: Bool) {
    guard isUnharmed, progress[sender, default: 0] == number else { return }
    progress[sender] = number + 1
  }
}

extension ServerRef<Desk> {
  /// The answer; nil if it did not come in time.
  fileprivate func ask(
    within milliseconds: Int, _ request: (From<Int>) -> Desk.Call
  ) async throws -> Int? {
    do throws(CallError) {
      return try await call(timeout: .milliseconds(milliseconds), request)
    } catch .timeout {
      return nil
    }
  }
}

/// The runtime uses the memory of messages and waits again. What follows is that nobody notices.
@Suite struct ReuseGuarantees {
  // One worker: whoever runs, what ran before has come to its end.
  let node = Node(workers: 1)
  let wide = Node(workers: 2)

  @Test("an answer that comes late is no later call's, whenever it comes")
  func lateAnswers() throws {
    try simulate(seeds: 0..<500) { sim in
      try await withProcess { _ in
        let desk = try await Desk.start { Desk() }
        for number in 0..<8 {
          let patience = sim.random(in: 1..<30)
          let delay = sim.random(in: 1..<30)
          let answer =
            switch sim.random(in: 0..<4) {
            case 0: try await desk.ask(within: patience) { .keep(number, $0) }
            case 1: try await desk.ask(within: patience) { .number(number, $0) }
            case 2: try await desk.ask(within: patience) { .twice(number, $0) }
            default:
              try await desk.ask(within: patience) { .slow(number, milliseconds: delay, $0) }
            }
          try #require(answer == nil || answer == number)
        }
        let last: Int = try await desk.call { .number(100, $0) }
        try #require(last == 100)
      }
    }
  }

  @Test("nor is one that is given while the next call waits", .bothModes)
  func keptAnswers() async throws {
    try await withProcess(on: node) { _ in
      let desk = try await Desk.start { Desk() }
      for round in 0..<effort(of: 500) {
        // Nobody answers this one in time.
        let none = try await desk.ask(within: 0) { .keep(-round - 1, $0) }
        let answer: Int = try await desk.call { .number(round, $0) }
        let text: String = try await desk.call { .text(round, $0) }
        try #require(none == nil && answer == round && text == "\(round)")
        let first: Int = try await desk.call { .twice(round, $0) }
        let second: Int = try await desk.call { .number(round + 1, $0) }
        try #require(first == round && second == round + 1)
      }
    }
  }

  @Test("the answer to a system request is not that of a call after it", .bothModes)
  func systemRequests() async throws {
    try await withProcess(on: node) { _ in
      let desk = try await Desk.start { Desk() }
      try await desk.call { .acknowledge($0) }
      try await Sys.suspend(desk)
      await #expect(throws: CallError.timeout) {
        try await desk.call(timeout: .milliseconds(1)) { .acknowledge($0) }
      }
      try await Sys.resume(desk)
      try await desk.call { .acknowledge($0) }
      try await Sys.resume(desk)
      desk.pid?.sendExit(.kill)
      await #expect(throws: CallError.self) { try await desk.call { .acknowledge($0) } }
    }
  }

  @Test("an answer is its caller's alone: dropped by it, it is gone", .bothModes)
  func droppedAnswer() async throws {
    try await withProcess(on: node) { _ in
      let desk = try await Desk.start { Desk() }
      let count = Count()
      for round in 0..<20 {
        do {
          let thing: Thing = try await desk.call { .thing(count, $0) }
          #expect(count.value == round)
          withExtendedLifetime(thing) {}
        }
        #expect(count.value == round + 1)
      }
    }
  }

  @Test("two servers and several types of answers by turns", .bothModes)
  func byTurns() async throws {
    try await withProcess(on: wide) { _ in
      let one = try await Desk.start { Desk() }
      let two = try await Desk.start { Desk() }
      for number in 0..<1000 {
        let first: Int = try await one.call { .number(number, $0) }
        let second: String = try await two.call { .text(number, $0) }
        try #require(first == number && second == "\(number)")
        if number.isMultiple(of: 3) {
          let third: Int = try await two.call { .number(-number, $0) }
          let fourth: Int? = try await (number.isMultiple(of: 2) ? one : two).call {
            .perhaps(number, $0)
          }
          try #require(third == -number)
          try #require(fourth == (number.isMultiple(of: 2) ? number : nil))
        }
      }
    }
  }

  @Test("servers that call one another in their handlers, for several callers", .bothModes)
  func nested() async throws {
    try await withProcess(on: wide) { context in
      let last = try await Desk.start { Desk() }
      let middle = try await Desk.start { Desk(next: last) }
      let first = try await Desk.start { Desk(next: middle) }
      for caller in 1...3 {
        _ = context.spawnMonitor { _ in
          for number in 0..<200 {
            let answer: Int = try await first.call { .passOn(caller * 1000 + number, $0) }
            try #require(answer == (caller * 1000 + number) * 4)
            let other: Int = try await middle.call { .passOn(number, $0) }
            try #require(other == number * 2)
          }
        }
      }
      for _ in 1...3 {
        let down = try await context.receive(Down.self)
        #expect(down.reason == .normal)
      }
    }
  }

  @Test("a request that is displaced fails its own caller, and nobody else who waits")
  func displaced() async throws {
    for workers in 1...2 {
      try await withProcess(on: Node(workers: workers)) { context in
        for round in 0..<50 {
          let desk = try await Desk.start(mailbox: .bounded(2, .dropOldest)) { Desk() }
          func call(_ request: @escaping @Sendable (From<Int>) -> Desk.Call) -> MonitorRef {
            context.spawnMonitor { _ in
              let answer: Int = try await desk.call(timeout: nil, request)
              try #require(answer == round)
            }.ref
          }
          // Its request has been handled and its mail is gone, but there is no answer yet.
          let unanswered = call { .keep(round, $0) }
          await desk.settle(handled: 1)
          let opening = await desk.block(handled: 2)
          // Who gives up leaves its request behind. That is what has to go first.
          let none = try await desk.ask(within: 0) { .keep(-1, $0) }
          for _ in 0..<2 { desk.cast(.nothing) }
          #expect(none == nil && desk.mailbox?.droppedOldest == 1)
          opening.yield()
          await desk.settle(handled: 4)

          let again = await desk.block(handled: 5)
          let older = call { .number(-2, $0) }
          await desk.settle(queued: 1)
          let newer = call { .number(round, $0) }
          await desk.settle(queued: 2)
          desk.cast(.nothing)
          let down = try await context.receive(
            Down.self, timeout: .seconds(30), where: { $0.ref == older })
          #expect(down.reason == .error(CallError.overloaded))
          // Refused at once, and again nobody else's business.
          await #expect(throws: CallError.overloaded) {
            let _: Int = try await desk.call { .number(-3, $0) }
          }
          again.yield()
          for _ in 0..<2 {
            let end = try await context.receive(Down.self, timeout: .seconds(30))
            #expect(end.ref == unanswered || end.ref == newer)
            #expect(end.reason == .normal)
          }
          try await desk.stop()
        }
      }
    }
  }

  @Test("large and small requests of many senders arrive unharmed and in order", .bothModes)
  func mixed() async throws {
    let each = 300
    try await withProcess(on: wide) { context in
      let desk = try await Desk.start { Desk() }
      for sender in 0..<4 {
        _ = context.spawnMonitor { _ in
          for number in 0..<each {
            switch (number + sender) % 5 {
            case 0: desk.cast(.bulk(Bulk(number), number, sender: sender))
            case 1 where number % 2 == 0:
              let back: Bulk = try await desk.call { .bulk(Bulk(number), sender: sender, $0) }
              try #require(back == Bulk(number))
            default: desk.cast(.small(number, sender: sender))
            }
          }
        }
      }
      for _ in 0..<4 {
        let down = try await context.receive(Down.self)
        #expect(down.reason == .normal)
      }
      let progress: [Int: Int] = try await desk.call { .unharmed($0) }
      #expect(progress == [0: each, 1: each, 2: each, 3: each])
    }
  }

  @Test("large and small messages between raw processes do too")
  func mixedMessages() async throws {
    let each = 300
    try await withProcess(on: wide) { context in
      let me = context.pid
      for sender in 0..<3 {
        spawn { _ in
          for number in 0..<each {
            if number % 3 == sender {
              me.send((sender, number, Bulk(number)))
            } else {
              me.send((sender, number))
            }
          }
        }
      }
      var progress = [0, 0, 0]
      for _ in 0..<3 * each {
        let next = try await context.receive()
        if let (sender, number, bulk) = next as? (Int, Int, Bulk) {
          try #require(bulk == Bulk(number) && progress[sender] == number)
          progress[sender] += 1
        } else if let (sender, number) = next as? (Int, Int) {
          try #require(progress[sender] == number)
          progress[sender] += 1
        }
      }
      #expect(progress == [each, each, each])
    }
  }

  @Test("what is in a request is let go of once it has been handled", .bothModes)
  func handled() async throws {
    try await withProcess(on: node) { _ in
      let desk = try await Desk.start { Desk() }
      let count = Count()
      for round in 0..<20 {
        desk.cast(.hold(Thing(count)))
        let _: Int = try await desk.call { .hold(Thing(count), $0) }
        let _: Int = try await desk.call { .number(0, $0) }
        #expect(count.value == 2 * (round + 1))
      }
    }
  }

  @Test("so is what a server has not read, once it is killed")
  func unread() async throws {
    try await withProcess(on: node) { context in
      let desk = try await Desk.start { Desk() }
      let ref = context.monitor(try #require(desk.pid))
      _ = await desk.block(handled: 1)
      let count = Count()
      for _ in 0..<10 { desk.cast(.hold(Thing(count))) }
      desk.pid?.sendExit(.kill)
      let down = try await context.receive(Down.self, where: { $0.ref == ref })
      #expect(down.reason == .killed && count.value == 10)
      desk.cast(.hold(Thing(count)))
      #expect(count.value == 11)
    }
  }

  @Test("and what was in the request whose handler threw, and in those behind it")
  func thrown() async throws {
    try await withProcess(on: node) { context in
      let desk = try await Desk.start { Desk() }
      let ref = context.monitor(try #require(desk.pid))
      let count = Count()
      desk.cast(.fail(Thing(count)))
      for _ in 0..<3 { desk.cast(.hold(Thing(count))) }
      let down = try await context.receive(Down.self, where: { $0.ref == ref })
      #expect(down.reason == .error(Boom()) && count.value == 4)
    }
  }
}

extension ServerRef<Desk> {
  /// Returns once so many requests have been taken, or as many are left.
  fileprivate func settle(handled: Int? = nil, queued: Int? = nil) async {
    while let mailbox,
      mailbox.handled != handled ?? mailbox.handled
        || mailbox.queued != queued ?? mailbox.queued
    {
      await Task.yield()
    }
  }

  /// Has it handle one cast until what is returned yields.
  fileprivate func block(handled: Int) async -> AsyncStream<Void>.Continuation {
    let (gate, opening) = AsyncStream<Void>.makeStream()
    cast(.wait(gate))
    await settle(handled: handled)
    return opening
  }
}
