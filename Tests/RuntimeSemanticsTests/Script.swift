import ArborBehaviours
import ArborPrimitives
import ArborProcesses

struct Boom: Error, Equatable {}

/// A server that does in its handlers what it is told, and says to `reader` what it hears.
actor Script: GenServer {
  typealias Answer = @Sendable (From<Int>) async throws -> Void
  typealias Act = @Sendable (ProcessContext) async throws -> Void

  enum Call: Sendable { case run(From<Int>, Answer) }
  enum Cast: Sendable { case run(Act) }
  struct Continue: Sendable { let act: Act }
  struct Terminated: Sendable, Equatable { let reason: ExitReason }

  static var answersInPlace: Bool { BothModes.answersInPlace }

  let process = ProcessContext()
  private let reader: PID
  private let lastWords: Act
  var visits = 0

  init(reader: PID, trapsExit: Bool = false, lastWords: @escaping Act = { _ in }) {
    self.reader = reader
    self.lastWords = lastWords
    if trapsExit { process.trapExit() }
  }

  func handleCall(_ call: Call) async throws {
    switch call {
    case .run(let from, let body): try await body(from)
    }
  }

  func handleCast(_ cast: Cast) async throws {
    switch cast {
    case .run(let body): try await body(process)
    }
  }

  func handleInfo(_ info: Info) {
    switch info {
    case .exit(let exit): reader.send(exit)
    case .down(let down): reader.send(down)
    case .message(let message as String): reader.send(message)
    case .timeout: reader.send("idle")
    case .message: break
    }
  }

  func handleContinue(_ step: Continue) async throws { try await step.act(process) }

  func terminate(_ reason: ExitReason) async throws {
    try await lastWords(process)
    reader.send(Terminated(reason: reason))
  }

  /// Not a message: for direct calls.
  func visit() -> PID? {
    visits += 1
    return ProcessCore.current?.pid
  }
}

extension ServerRef<Script> {
  func act(_ body: @escaping Script.Act) { cast(.run(body)) }
  func ask(
    timeout: Duration? = nil, _ body: @escaping Script.Answer
  ) async throws(CallError) -> Int {
    try await call(timeout: timeout) { .run($0, body) }
  }
}

/// Where code that is fenced can leave a note all the same.
final class Notes<Note: Sendable>: Sendable {
  private let notes = Lock<[Note]>([])
  func add(_ note: Note) { notes.withLock { $0.append(note) } }
  var all: [Note] { notes.withLock { $0 } }
}

/// Keeps a thread of a pool waiting without an `await`, as a handler does that computes on and on.
final class Latch: Sendable {
  private let isOpen = Lock(false)
  func open() { isOpen.withLock { $0 = true } }
  /// Gives up its turn, but never returns before it is opened: cancelled or not.
  func pass() async { while !isOpen.withLock({ $0 }) { await Task.yield() } }
}

extension ProcessContext {
  /// The reason of a process's end; waits for it.
  func end(of pid: PID) async throws(ReceiveError) -> ExitReason {
    let ref = monitor(pid)
    let down = try await receive(Down.self, where: { $0.ref == ref })
    return down.reason == .noproc ? pid.fate?.reason ?? .noproc : down.reason
  }

  /// All mail there is.
  func drain() async -> [any Sendable] {
    var all: [any Sendable] = []
    while let next = try? await receive(timeout: .zero) { all.append(next) }
    return all
  }
}
