import ArborBehaviours
import ArborPrimitives
import ArborProcesses
import ArborTestKit
import Testing

/// Why a child of a test fails.
struct Boom: Error, Equatable {}
/// Why a child of a test does not start.
struct Refusal: Error, Equatable { let id: String }

/// What a child of a test is told, by a message.
enum Order: Sendable {
  case end(ExitReason)
  case unlink
}

/// How a child takes it that its supervisor ends it.
enum Manner: Sendable, Equatable {
  /// It does not trap exits.
  case plain
  /// It traps exits, and ends with the reason that it is told.
  case polite
  /// It traps exits, and ends with a reason of its own.
  case ending(ExitReason)
  /// It traps exits, and does not end before that time.
  case slow(Duration)
  /// It traps exits, and does not end.
  case stuck
}

/// The server that the children of these tests are.
actor Charge: GenServer {
  let process = ProcessContext()
  private let id: String
  private let manner: Manner
  private let nursery: Nursery

  init(_ id: String, _ manner: Manner, _ nursery: Nursery) {
    self.id = id
    self.manner = manner
    self.nursery = nursery
    if manner != .plain { process.trapExit() }
    nursery.note("+\(id)")
  }

  func handleInfo(_ info: Info) throws {
    switch info {
    case .message(let order as Order):
      switch order {
      case .end(let reason): throw reason
      case .unlink: if let parent = process.parent { process.unlink(parent) }
      }
    default: break
    }
  }

  func terminate(_ reason: ExitReason) async throws {
    nursery.note("-\(id)")
    switch manner {
    case .plain, .polite: break
    case .ending(let other): throw other
    case .slow(let time): try await process.sleep(for: time)
    case .stuck: try await process.sleep(for: .seconds(1_000_000))
    }
  }
}

/// What the children of one test share: which starts are to fail, and a list of what happened.
final class Nursery: Sendable {
  private struct State: Sendable {
    var failures: [String: Int] = [:]
    var unwilling: Set<String> = []
    var notes: [String] = []
  }
  private let state = Lock(State())

  /// The next starts of a child fail.
  func fail(_ id: String, _ times: Int = 1) { state.withLock { $0.failures[id] = times } }
  /// All starts of a child are ignored from now on.
  func ignore(_ id: String) { _ = state.withLock { $0.unwilling.insert(id) } }

  func note(_ note: String) { state.withLock { $0.notes.append(note) } }
  /// What happened since the last look: "+id" for a start, "-id" for last words.
  func takeNotes() -> [String] {
    state.withLock { state in
      defer { state.notes = [] }
      return state.notes
    }
  }

  func child(
    _ id: String, named name: ProcessName? = nil, _ restart: Restart = .permanent,
    significant: Bool = false, shutdown: Shutdown? = nil, _ manner: Manner = .plain
  ) -> Child {
    Child(id, named: name, restart: restart, significant: significant, shutdown: shutdown) {
      try self.admit(id)
      return Charge(id, manner, self)
    }
  }

  func admit(_ id: String) throws {
    try state.withLock { state in
      if state.unwilling.contains(id) { throw StartError.ignored }
      guard let left = state.failures[id], left > 0 else { return }
      state.failures[id] = left - 1
      throw Refusal(id: id)
    }
  }
}

extension Simulation {
  /// One of several cases that are too many for all seeds each.
  func pick<Choice>(_ choices: [Choice]) -> Choice { choices[random(in: 0..<choices.count)] }
}

extension ProcessContext {
  /// Ends a child of the test's, and returns once its supervisor has heard of it.
  @discardableResult
  func end(_ pid: PID, _ reason: ExitReason) async throws -> ExitReason {
    let ref = monitor(pid)
    switch reason {
    case .kill: sendExit(.kill, to: pid)
    default: pid.send(Order.end(reason))
    }
    return try await receive(Down.self, where: { $0.ref == ref }).reason
  }

  /// Waits for the end of a process.
  func awaitEnd(of pid: PID) async throws {
    let ref = monitor(pid)
    _ = try await receive(Down.self, where: { $0.ref == ref })
  }
}

extension ServerRef where Server: Supervising {
  /// The PIDs of the children that run, by their ids.
  var pids: [String: PID] {
    get async throws(CallError) {
      Dictionary(
        try await children.compactMap { child in child.pid.map { (child.id, $0) } },
        uniquingKeysWith: { $1 })
    }
  }

  func pid(of id: String) async throws -> PID {
    try #require(try await pids[id])
  }

  /// Specs, active, supervisors, workers, as OTP lists them.
  var counts: [Int] {
    get async throws(CallError) {
      let count = try await count
      return [count.specs, count.active, count.supervisors, count.workers]
    }
  }
}
