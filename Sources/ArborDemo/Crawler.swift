import Arbor

/// What became of all files.
struct Outcome: Sendable {
  var indexed = 0
  var failed: [(document: Document, why: String)] = []
  var retried = 0
}

/// Hands the files to the workers, one at a time to each, and knows what became of them.
actor Crawler: GenServer {
  static let name: ProcessName = "crawler"

  enum Call: Sendable {
    /// Answered when every file is done.
    case outcome(From<Outcome>)
  }

  enum Cast: Sendable {
    /// A worker has started, and wants work.
    case ready(PID)
    case indexed(Document, by: PID)
    case unreadable(Document, why: String, by: PID)
  }

  let process = ProcessContext()
  private var waiting: [Document]
  private var idle: [PID] = []
  private var working: [PID: Document] = [:]
  private var outcome = Outcome()
  private var asking: [From<Outcome>] = []

  init(_ documents: [Document]) { waiting = documents.reversed() }

  func handleCall(_ call: Call) {
    switch call {
    case .outcome(let from): asking.append(from)
    }
    answerIfDone()
  }

  func handleCast(_ cast: Cast) {
    switch cast {
    case .ready(let worker):
      _ = process.monitor(worker)
      idle.append(worker)
    case .indexed(_, by: let worker):
      outcome.indexed += 1
      rest(worker)
    case .unreadable(let document, let why, by: let worker):
      outcome.failed.append((document, why))
      rest(worker)
    }
    handOut()
    answerIfDone()
  }

  /// A worker has died. If its file made it, the file has failed; if somebody killed it, another
  /// worker gets the file.
  func handleInfo(_ info: Info) {
    guard case .down(let down) = info, let worker = down.pid else { return }
    idle.removeAll { $0 == worker }
    if let document = working.removeValue(forKey: worker) {
      if case .error(let error) = down.reason {
        outcome.failed.append((document, "\(error)"))
      } else {
        outcome.retried += 1
        waiting.append(document)
      }
    }
    handOut()
    answerIfDone()
  }

  private func rest(_ worker: PID) {
    working[worker] = nil
    if worker.isAlive { idle.append(worker) }
  }

  private func handOut() {
    while let worker = idle.popLast() {
      guard let document = waiting.popLast() else { return idle.append(worker) }
      working[worker] = document
      // The root of a file's trace, not a part of that of the file before, whose report led here: what
      // the worker does about the message is under it.
      Trace.withNewTrace {
        Trace.withSpan("hand out", ["file": document.name]) {
          ServerRef<Worker>(worker).cast(.index(document))
        }
      }
    }
  }

  private func answerIfDone() {
    guard waiting.isEmpty, working.isEmpty else { return }
    for from in asking { from.reply(outcome) }
    asking = []
  }
}

extension ServerRef<Crawler> {
  func ready(_ worker: PID) { cast(.ready(worker)) }
  func indexed(_ document: Document, by worker: PID) { cast(.indexed(document, by: worker)) }
  func unreadable(_ document: Document, why: String, by worker: PID) {
    cast(.unreadable(document, why: why, by: worker))
  }
  var outcome: Outcome {
    get async throws(CallError) { try await call(timeout: nil) { .outcome($0) } }
  }
}
