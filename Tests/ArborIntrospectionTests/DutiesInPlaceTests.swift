import ArborBehaviours
import ArborIntrospection
import ArborProcesses
import ArborTestKit
import Testing

/// A server that answers in place and has something to do after each answer.
private actor Busy: GenServer {
  enum Call: Sendable {
    /// What was counted before, and how many steps had been gone on with.
    case count(From<[Int]>)
    /// The same, from a server that hears when it is idle.
    case countIdly(From<[Int]>)
  }
  struct Idle: Sendable, Equatable { let steps: Int }

  static var answersInPlace: Bool { true }

  let process = ProcessContext()
  private let reader: PID
  private var calls = 0
  private var steps = 0

  init(reader: PID) { self.reader = reader }

  func handleCall(_ call: Call) {
    let seen = [calls, steps]
    calls += 1
    process.continueWith(calls)
    switch call {
    case .count(let from):
      if calls.isMultiple(of: 3) { process.hibernate() }
      if calls.isMultiple(of: 5) { process.idleTimeout(.seconds(1000)) }
      from.reply(seen)
    case .countIdly(let from):
      // Asked by the step's return: this one's would be over with the step.
      isIdling = true
      from.reply(seen)
    }
  }

  private var isIdling = false

  func handleContinue(_ step: Int) {
    steps += 1
    precondition(step == steps, "a step was left out or done twice")
    if isIdling { process.idleTimeout(.zero) }
    isIdling = false
  }

  func handleInfo(_ info: Info) {
    if case .timeout = info { reader.send(Idle(steps: steps)) }
  }
}

/// Servers that have more to see to than their messages, on their callers' stacks and real threads.
@Suite struct DutiesInPlaceTests {
  @Test("steps come before the next call, whoever calls and whoever looks on")
  func steps() async throws {
    let node = Node(workers: 2)
    defer { node.shutdown() }
    let (callers, rounds) = (4, effort(of: 300))
    try await withProcess(on: node) { context in
      let me = context.pid
      let server = try await Busy.start(hibernateAfter: .milliseconds(1)) { Busy(reader: me) }
      for _ in 0..<callers {
        _ = context.spawnMonitor { _ in
          var seen: [[Int]] = []
          for _ in 0..<rounds { seen.append(try await server.call { .count($0) }) }
          me.send(seen)
        }
      }
      // Somebody comes, stops it, lets it go on, leaves.
      for _ in 0..<20 {
        try await Sys.statistics(server, true)
        try await Sys.install(server, "probe") { _ in .keep }
        try await Sys.suspend(server)
        try await Sys.resume(server)
        _ = try await Sys.getStatus(server)
        try await Sys.noDebug(server)
      }
      var all: [[Int]] = []
      for _ in 0..<callers { all += try await context.receive([[Int]].self) }
      #expect(all.allSatisfy { $0[0] == $0[1] })
      #expect(all.map { $0[0] }.sorted() == Array(0..<callers * rounds))
      for _ in 0..<callers {
        let down = try await context.receive(Down.self)
        #expect(down.reason == .normal)
      }
      try await server.stop()
      #expect(context.mailbox.queued == 0)
    }
    #expect(node.processCount == 0 && node.zombies.isEmpty)
  }

  @Test("an idle timeout of zero comes by itself, once, after the step", arguments: [false, true])
  func idle(isLookedAt: Bool) async throws {
    let node = Node(workers: 2)
    defer { node.shutdown() }
    try await withProcess(on: node) { context in
      let me = context.pid
      let server = try await Busy.start { Busy(reader: me) }
      if isLookedAt { try await Sys.statistics(server, true) }
      for round in 0..<effort(of: 300) {
        let seen = try await server.call { .countIdly($0) }
        #expect(seen == [round, round])
        let idle = try await context.receive(Busy.Idle.self)
        #expect(idle.steps == round + 1)
      }
      let statistics = try await Sys.getStatistics(server)
      // Calls, steps, timeouts.
      #expect(statistics?.messagesIn == (isLookedAt ? 3 * effort(of: 300) : nil))
      #expect(context.mailbox.queued == 0)
      try await server.stop()
    }
    #expect(node.processCount == 0)
  }
}
