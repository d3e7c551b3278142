// The floors of the lifecycle rows: tasks that are started, awaited, cancelled.

/// What comes closest to a server: a task that takes messages from a stream.
struct RawServer: Sendable {
  let task: Task<Int, Never>
  let mailbox: AsyncStream<Int>.Continuation

  /// Returns when the server's task runs.
  static func start() async -> RawServer {
    let (stream, mailbox) = AsyncStream.makeStream(of: Int.self)
    let ready = Baton()
    let task = Task {
      ready.put()
      var sum = 0
      for await number in stream { sum += number }
      return sum
    }
    await ready.take()
    return RawServer(task: task, mailbox: mailbox)
  }

  static func start(_ count: Int) async -> [RawServer] {
    var servers: [RawServer] = []
    servers.reserveCapacity(count)
    for _ in 0..<count { servers.append(await start()) }
    return servers
  }

  func kill() async {
    task.cancel()
    _ = await task.value
  }
}

extension Bench {
  static let rawLifecycle = [
    Bench("raw:spawn-monitor-down", 50_000) { count in
      try await inPlainTask {
        let watch = Stopwatch()
        for _ in 0..<count { await Task {}.value }
        return watch.perOperation(count)
      }
    },
    Bench("raw:start-server", 20_000) { count in
      try await inPlainTask {
        let watch = Stopwatch()
        let servers = await RawServer.start(count)
        let figure = watch.perOperation(count)
        for server in servers { await server.kill() }
        return figure
      }
    },
    Bench("raw:server-bytes", 20_000) { count in
      try await inPlainTask {
        let before = try allocatedBytes()
        let servers = await RawServer.start(count)
        let figure = Double(try allocatedBytes() - before) / Double(count)
        for server in servers { await server.kill() }
        return figure
      }
    },
    Bench("raw:kill-down", 20_000) { count in
      try await inPlainTask {
        let servers = await RawServer.start(count)
        let watch = Stopwatch()
        for server in servers { await server.kill() }
        return watch.perOperation(count)
      }
    },
    Bench("raw:timer-add-cancel", 200_000) { count in
      try await inPlainTask {
        let watch = Stopwatch()
        for _ in 0..<count { Task { try await Task.sleep(for: .seconds(60)) }.cancel() }
        return watch.perOperation(count)
      }
    },
    Bench("raw:restart", 500) { count in
      try await inPlainTask {
        var server = await RawServer.start()
        let watch = Stopwatch()
        for _ in 0..<count {
          await server.kill()
          server = await RawServer.start()
        }
        let figure = watch.perOperation(count)
        await server.kill()
        return figure
      }
    },
  ]
}
