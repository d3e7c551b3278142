import Arbor

// Rows: spawn-monitor-down, start-server, server-bytes, kill-down, timer-add-cancel, restart,
// stop-children.

struct Up: Sendable { let pid: PID }
struct Expired: Sendable {}

extension Bench {
  static let lifecycle = [
    Bench("spawn-monitor-down", 50_000) { count in
      try await inProcess { context in
        let watch = Stopwatch()
        for _ in 0..<count {
          let child = context.spawnMonitor { _ in }
          _ = try await context.receive(Down.self) { $0.ref == child.ref }
        }
        return watch.perOperation(count)
      }
    },
    Bench("start-server", 20_000) { count in
      try await inProcess { context in
        let watch = Stopwatch()
        let servers = try await start(count)
        let figure = watch.perOperation(count)
        try await kill(servers, context)
        return figure
      }
    },
    // Bytes that the allocator has handed out for each of `count` idle servers.
    Bench("server-bytes", 20_000) { count in
      try await inProcess { context in
        let before = try allocatedBytes()
        let servers = try await start(count)
        let figure = Double(try allocatedBytes() - before) / Double(count)
        try await kill(servers, context)
        return figure
      }
    },
    Bench("kill-down", 20_000) { count in
      try await inProcess { context in
        let servers = try await start(count)
        let watch = Stopwatch()
        try await kill(servers, context)
        return watch.perOperation(count)
      }
    },
    Bench("timer-add-cancel", 200_000) { count in
      try await inProcess { context in
        let me = context.pid
        let watch = Stopwatch()
        for _ in 0..<count {
          let timer = try context.send(Expired(), to: me, after: .seconds(60))
          guard timer.cancel() != nil else { throw WrongAnswer("a timer of a minute has fired") }
        }
        return watch.perOperation(count)
      }
    },
    // From the kill of a supervised server to the next incarnation's start.
    Bench("restart", 500) { count in
      try await inProcess { context in
        let me = context.pid
        let tree = try await Supervisor.start(
          .oneForOne, maxRestarts: 1_000_000_000, within: .seconds(1)
        ) {
          Child("server") {
            let server = BenchServer()
            server.process.send(Up(pid: server.pid), to: me)
            return server
          }
        }
        var server = try await context.receive(Up.self).pid
        let watch = Stopwatch()
        for _ in 0..<count {
          context.sendExit(.kill, to: server)
          server = try await context.receive(Up.self).pid
        }
        let figure = watch.perOperation(count)
        try await tree.stop(.shutdown)
        return figure
      }
    },
    // The end of a supervisor with that many children, for each of them.
    Bench("stop-children", 100_000) { count in
      try await inProcess { _ in
        let pool = try await DynamicSupervisor.start()
        for _ in 0..<count {
          try await pool.startChild(Child("server", restart: .temporary) { BenchServer() })
        }
        let watch = Stopwatch()
        try await pool.stop(.shutdown)
        return watch.perOperation(count)
      }
    },
  ]

  private static func start(_ count: Int) async throws -> [PID] {
    var servers: [PID] = []
    servers.reserveCapacity(count)
    for _ in 0..<count {
      guard let pid = try await BenchServer.start({ BenchServer() }).pid else {
        throw WrongAnswer("a started server has no PID")
      }
      servers.append(pid)
    }
    return servers
  }

  private static func kill(_ servers: [PID], _ context: ProcessContext) async throws {
    for server in servers {
      let ref = context.monitor(server)
      context.sendExit(.kill, to: server)
      _ = try await context.receive(Down.self) { $0.ref == ref }
    }
  }
}
