import Arbor

// Rows: span-child, span-child-10k-clients, span-current, span-cleanup-10k; by hand also
// span-child-100k-clients, for which the original would take minutes, and span-unsampled.

extension Bench {
  static let tracing = [
    Bench("span-child", 20_000) { try await children($0, besides: 0) },
    Bench("span-child-10k-clients", 20_000) { try await children($0, besides: 10_000) },
    Bench("span-child-100k-clients", 20_000) { try await children($0, besides: 100_000) },
    // As `span-child`, in a trace that nobody records.
    Bench("span-unsampled", 20_000) { count in
      Stage.node.traceSettings.sampler = .parentBased(root: .never)
      defer { Stage.node.traceSettings.sampler = .parentBased() }
      return try await children(count, besides: 0)
    },
    Bench("span-current", 50_000) { count in
      try await inProcess { context in
        try await waitForNoRows(context)
        return Trace.withSpan("root") {
          let watch = Stopwatch()
          var found = 0
          for _ in 0..<count where Trace.currentSpan != nil { found += 1 }
          precondition(found == count)
          return watch.perOperation(count)
        }
      }
    },
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
      // Else the manager would still be working through what it was told, on the other core.
      if others > 0 { _ = try await SpanManager.watchedCount() }
      let figure = Trace.withSpan("root") {
        let watch = Stopwatch()
        for number in 0..<count { Trace.withSpan("child", ["cart": number]) {} }
        return watch.perOperation(count)
      }
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
