import Arbor

// Rows: span-child, span-child-10k-clients, span-cleanup-10k.

extension Bench {
  static let tracing = [
    Bench("span-child", 20_000) { try await children($0, besides: 0) },
    Bench("span-child-10k-clients", 20_000) { try await children($0, besides: 10_000) },
    // The whole time, in nanoseconds, from the first kill until the last stack is closed.
    Bench("span-cleanup-10k", 10_000) { count in
      try await inProcess { context in
        try await waitForNoRows(context)
        let clients = try await clients(count, context)
        guard SpanManager.rowCount() == count else { throw WrongAnswer("not all spans are open") }
        let watch = Stopwatch()
        for client in clients { context.sendExit(.kill, to: client) }
        try await waitForNoRows(context)
        return watch.perOperation(1)
      }
    },
  ]

  private static func children(_ count: Int, besides others: Int) async throws -> Double {
    try await inProcess { context in
      try await waitForNoRows(context)
      let clients = try await clients(others, context)
      let root = Trace.startSpan("root")
      let watch = Stopwatch()
      for _ in 0..<count {
        let span = Trace.startSpan("child")
        Trace.endSpan(span)
      }
      let figure = watch.perOperation(count)
      Trace.endSpan(root)
      for client in clients { context.sendExit(.kill, to: client) }
      return figure
    }
  }

  /// Processes that each have a span open.
  private static func clients(_ count: Int, _ context: ProcessContext) async throws -> [PID] {
    let me = context.pid
    let clients = (0..<count).map { _ in
      spawn { client in
        Trace.startSpan("root")
        client.send(Up(pid: client.pid), to: me)
        _ = try await client.receive(Go.self)
      }
    }
    for _ in clients { _ = try await context.receive(Up.self) }
    return clients
  }

  private static func waitForNoRows(_ context: ProcessContext) async throws {
    while SpanManager.rowCount() > 0 { try await context.sleep(for: .milliseconds(1)) }
  }
}
