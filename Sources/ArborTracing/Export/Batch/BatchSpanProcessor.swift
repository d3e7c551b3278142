public import ArborBehaviours
public import ArborProcesses
import ArborTelemetry

/// Takes the spans of its node as they end and gives them to an exporter, many at a time.
///
///     try await Supervisor.start(.oneForOne) {
///       Child("spans", named: "spans") { try BatchSpanProcessor(exporter: Printer()) }
///       …
///     }
///     try await ServerRef<BatchSpanProcessor>(named: "spans").flush()
///
/// A batch goes out when enough spans are together, or when the first of them has waited for the
/// interval. A traced process never waits for it: its span is appended to a queue, and dropped and
/// counted if that is full.
///
/// The exporter runs in a process of its own. If it throws, or is killed for taking too long, its batch
/// is counted as failed and the next one is tried. If the processor itself is killed, its supervisor
/// starts the next, which finds the queue as it was. When it is stopped or shut down it exports what is
/// left, then shuts the exporter down.
///
/// What an exporter does is not traced: its spans would have to be exported, too.
///
/// OpenTelemetry: the batching span processor, with the same defaults.
public actor BatchSpanProcessor: GenServer {
  public enum Call: Sendable {
    case flush(From<Void>)
    case statistics(From<ExportStatistics>)
  }

  public enum Cast: Sendable {
    /// The first span waits: the interval begins.
    case spanIsWaiting
    /// A batch is together.
    case batchIsFull
  }

  /// The interval is over.
  struct Tick: Sendable {}
  /// An export has taken too long.
  struct Deadline: Sendable { let worker: PID }
  /// An export under way.
  struct Export { let worker: PID, ref: MonitorRef, deadline: TimerRef?, begun: UInt64, count: Int }
  /// Somebody waits until this many spans have been exported or have failed.
  struct Waiter { let target: Int, from: From<Void> }

  public nonisolated let process: ProcessContext
  let exporter: any SpanExporter
  let name: String
  let interval: Duration
  let timeout: Duration
  let queue: SpanQueue
  var export: Export?
  var tick: TimerRef?
  var waiters: [Waiter] = []
  /// How many of the dropped have been reported.
  var reportedDrops: Int

  /// For use as a child of a supervisor, or with `start`.
  ///
  /// - Parameters:
  ///   - exporter: where the spans go.
  ///   - name: tells several processors of one node apart; each gets every span.
  ///   - capacity: how many spans may wait; more are dropped and counted.
  ///   - batchSize: how many go out at once.
  ///   - interval: how long the first span of a batch waits at most.
  ///   - timeout: how long an export may take; then it is killed and its batch has failed.
  /// - Throws: ``SpanExportError``: `invalid` for numbers that make no sense, `nameTaken` if there is a
  ///   processor of that name on the node.
  public init(
    exporter: any SpanExporter, name: String = "spans", capacity: Int = 2048, batchSize: Int = 512,
    interval: Duration = .seconds(5), timeout: Duration = .seconds(30)
  ) throws {
    if capacity < 1 { throw SpanExportError.invalid("capacity", "\(capacity)") }
    if batchSize < 1 { throw SpanExportError.invalid("batchSize", "\(batchSize)") }
    if interval < .zero { throw SpanExportError.invalid("interval", "\(interval)") }
    if timeout <= .zero { throw SpanExportError.invalid("timeout", "\(timeout)") }
    process = ProcessContext()
    self.exporter = exporter
    self.name = name
    self.interval = interval
    self.timeout = timeout
    let queue = SpanQueues.of(process.node).queue(name) {
      // A batch that the queue cannot hold would never be together.
      SpanQueue(capacity: capacity, batchSize: min(batchSize, capacity))
    }
    if let other = queue.processor, other.isAlive { throw SpanExportError.nameTaken(name, other) }
    self.queue = queue
    process.trapExit()
    let (isLeft, drops) = queue.withMachine { machine in
      // Of a processor that was killed while it exported.
      machine.finish(hasFailed: true)
      return (!machine.isEmpty, machine.statistics.dropped)
    }
    reportedDrops = drops
    queue.serve(process.pid)
    // It is attached already if a processor before this one was killed: then it goes on.
    try? process.node.telemetry.attach(handlerID, to: .spanStop) { _, _, metadata in
      if let span = metadata["span", as: TraceSpan.self] { queue.append(span) }
    }
    // Nobody tells of spans that came while there was no processor.
    if isLeft { process.core.deliver(Mail.make(.cast, Cast.spanIsWaiting, context: nil)) }
  }

  nonisolated var handlerID: String { "arbor.tracing.export.\(name)" }

  public func handleCall(_ call: Call) {
    switch call {
    case .statistics(let from): from.reply(queue.statistics)
    case .flush(let from):
      waiters.append(Waiter(target: queue.withMachine { $0.taken }, from: from))
      answerWaiters()
      exportNext()
    }
  }

  public func handleCast(_ cast: Cast) {
    switch cast {
    case .spanIsWaiting: goOn()
    case .batchIsFull: exportNext()
    }
  }

  public func handleInfo(_ info: Info) {
    switch info {
    case .message(let message) where message is Tick:
      tick = nil
      exportNext()
    case .message(let message):
      if let deadline = message as? Deadline, deadline.worker == export?.worker {
        process.sendExit(.kill, to: deadline.worker)
      }
    case .down(let down) where down.ref == export?.ref:
      finishExport(down.reason)
      goOn()
    case .down, .exit, .timeout: break
    }
  }

  public func terminate(_ reason: ExitReason) async {
    // After a crash the next one goes on with what is there.
    if reason.isQuiet { await exportWhatIsLeft() }
  }
}

/// Why spans cannot be exported.
public enum SpanExportError: Error, Sendable, Equatable, CustomStringConvertible {
  /// A parameter that makes no sense: its name and its value.
  case invalid(String, String)
  /// There is a processor of that name.
  case nameTaken(String, PID)
  /// A call of the system failed: which, on what, and what the system says.
  case system(String, path: String, message: String)

  public var description: String {
    switch self {
    case .invalid(let name, let value): "\(name) cannot be \(value)"
    case .nameTaken(let name, let pid):
      "\(pid) exports spans as \(name); give each processor of a node a `name:` of its own"
    case .system(let call, let path, let message): "\(call) of \(path): \(message)"
    }
  }
}
