import ArborBehaviours
import ArborPrimitives
import ArborProcesses

/// A server that does in its handlers what its messages say, and notes what it has done.
actor Scripted: StateExposing {
  typealias Act = @Sendable (isolated Scripted) async throws -> Void

  enum Call: Sendable {
    case ask(@Sendable (isolated Scripted, From<Int>) async throws -> Void, From<Int>)
    case notes(From<[String]>)
  }
  enum Cast: Sendable { case act(Act) }
  struct Continue: Sendable {
    let name: String
    let act: Act
    init(_ name: String, _ act: @escaping Act = { _ in }) {
      self.name = name
      self.act = act
    }
  }

  let process = ProcessContext()
  var state = 0
  var notes: [String] = []
  var kept: [From<Int>] = []
  var onInfo: Act?
  var shows: (@Sendable (ServerStatus) throws -> ServerStatus)?
  private let onTerminate: @Sendable (ExitReason) throws -> Void

  init(onTerminate: @escaping @Sendable (ExitReason) throws -> Void = { _ in }) {
    self.onTerminate = onTerminate
  }

  /// One that begins with something.
  init(_ act: Act) async throws {
    onTerminate = { _ in }
    try await act(self)
  }

  func handleCall(_ call: Call) async throws {
    switch call {
    case .ask(let act, let from): try await act(self, from)
    case .notes(let from): from.reply(notes)
    }
  }

  func handleCast(_ cast: Cast) async throws {
    switch cast {
    case .act(let act): try await act(self)
    }
  }

  func handleInfo(_ info: Info) async throws {
    switch info {
    case .timeout: notes.append("timeout")
    case .message(let message): notes.append("\(message)")
    case .down: notes.append("down")
    case .exit: notes.append("exit")
    }
    try await onInfo?(self)
  }

  func handleContinue(_ step: Continue) async throws {
    notes.append(step.name)
    try await step.act(self)
  }

  func terminate(_ reason: ExitReason) throws { try onTerminate(reason) }

  func formatStatus(_ status: ServerStatus) throws -> ServerStatus { try shows?(status) ?? status }

  func note(_ text: String) { notes.append(text) }
  func onInfo(_ act: @escaping Act) { onInfo = act }
  func show(_ shows: @escaping @Sendable (ServerStatus) throws -> ServerStatus) {
    self.shows = shows
  }
}

extension ServerRef<Scripted> {
  func act(_ act: @escaping Scripted.Act) { cast(.act(act)) }
  func ask(
    timeout: Duration? = nil,
    _ act: @escaping @Sendable (isolated Scripted, From<Int>) async throws -> Void
  ) async throws(CallError) -> Int {
    try await call(timeout: timeout) { .ask(act, $0) }
  }
  var notes: [String] {
    get async throws(CallError) { try await call(timeout: nil) { .notes($0) } }
  }
}

/// What is told from somewhere else.
final class Heard<Value: Sendable>: Sendable {
  private let values = Lock<[Value]>([])
  func add(_ value: Value) { values.withLock { $0.append(value) } }
  var all: [Value] { values.withLock { $0 } }
}

/// Keeps what is logged.
struct Collector: NodeLogger {
  let records = Heard<LogRecord>()
  func log(_ record: LogRecord) { records.add(record) }
  var reports: [CrashReport] { records.all.compactMap { $0.report as? CrashReport } }
}
