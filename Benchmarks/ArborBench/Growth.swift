import Arbor
import Synchronization

// What `Benchmarks/compare --growth` asks for beside the rows: a crowd of idle processes around
// them, mailboxes of a depth, and servers by the million. The number is that of the crowd, the
// depth, or the servers.
//
// Rows: crowd, servers-start, servers-bytes, servers-call, servers-stop, call-deep, receive-deep, skip-deep,
// kill-deep.

/// The processes that stay from one round to the next.
private enum Standing {
  static let crowd = Mutex<[PID]>([])
  static let servers = Mutex<[PID]>([])
  static let serverBytes = Mutex(0)
}

private struct Filler: Sendable { let number: Int }
private struct Last: Sendable {}

extension Bench {
  static let growth = [
    // Makes it so that this many idle processes stand around. The bytes of one.
    Bench("crowd", 10_000) { count in
      try await inProcess { context in
        try await end(Standing.crowd.withLock { take(&$0) }, context)
        let before = try allocatedBytes()
        var crowd: [PID] = []
        crowd.reserveCapacity(count)
        for _ in 0..<count { crowd.append(spawn { idler in _ = try await idler.receive(Go.self) }) }
        // A spawned process takes its place when it has run: the last ones by now.
        try await context.sleep(for: .milliseconds(20))
        let figure = Double(try allocatedBytes() - before) / Double(max(count, 1))
        Standing.crowd.withLock { $0 = crowd }
        return figure
      }
    },
    Bench("servers-start", 10_000) { count in
      try await inProcess { context in
        var servers: [PID] = []
        servers.reserveCapacity(count)
        let before = try allocatedBytes()
        let watch = Stopwatch()
        for _ in 0..<count {
          if let pid = try await BenchServer.start({ BenchServer() }).pid { servers.append(pid) }
        }
        let figure = watch.perOperation(count)
        let bytes = try allocatedBytes() - before
        Standing.serverBytes.withLock { $0 = bytes }
        Standing.servers.withLock { [servers] in $0 = servers }
        return figure
      }
    },
    // What those that were started last have taken, for each.
    Bench("servers-bytes", 10_000) { count in
      Double(Standing.serverBytes.withLock { $0 }) / Double(count)
    },
    Bench("servers-call", 10_000) { count in
      try await inProcess { _ in
        let servers = Standing.servers.withLock { $0 }
        guard servers.count == count else { throw WrongAnswer("\(servers.count) servers stand") }
        let watch = Stopwatch()
        for pid in servers {
          let value = try await ServerRef<BenchServer>(pid).call(BenchServer.Call.value)
          guard value == 0 else { throw WrongAnswer("the server said \(value), not 0") }
        }
        return watch.perOperation(count)
      }
    },
    Bench("servers-stop", 10_000) { count in
      try await inProcess { context in
        let servers = Standing.servers.withLock { take(&$0) }
        guard servers.count == count else { throw WrongAnswer("\(servers.count) servers stand") }
        let watch = Stopwatch()
        for pid in servers { try await ServerRef<BenchServer>(pid).stop() }
        return watch.perOperation(count)
      }
    },
    // Calls whose caller has so much mail.
    Bench("call-deep", 10_000) { depth in
      try await inProcess { context in
        let server = try await BenchServer.start { BenchServer() }
        fill(context.pid, depth, context)
        let watch = Stopwatch()
        for _ in 0..<10_000 { _ = try await server.call(BenchServer.Call.value) }
        let figure = watch.perOperation(10_000)
        try await server.stop()
        return figure
      }
    },
    // Taking all of so much mail, in order.
    Bench("receive-deep", 10_000) { depth in
      try await inProcess { context in
        fill(context.pid, depth, context)
        let watch = Stopwatch()
        for number in 0..<depth {
          let filler = try await context.receive(Filler.self)
          guard filler.number == number else { throw WrongAnswer("not in order") }
        }
        return watch.perOperation(depth)
      }
    },
    // A receive that looks past so much mail: the time for each that it leaves.
    Bench("skip-deep", 10_000) { depth in
      try await inProcess { context in
        fill(context.pid, depth, context)
        context.send(Last(), to: context.pid)
        let watch = Stopwatch()
        _ = try await context.receive(Last.self)
        return watch.perOperation(depth)
      }
    },
    // A process with so much mail is killed: the time for each until its DOWN.
    Bench("kill-deep", 10_000) { depth in
      try await inProcess { context in
        let (pid, ref) = context.spawnMonitor { idler in _ = try await idler.receive(Go.self) }
        fill(pid, depth, context)
        let watch = Stopwatch()
        context.sendExit(.kill, to: pid)
        _ = try await context.receive(Down.self) { $0.ref == ref }
        return watch.perOperation(depth)
      }
    },
  ]

  private static func fill(_ pid: PID, _ depth: Int, _ context: ProcessContext) {
    for number in 0..<depth { context.send(Filler(number: number), to: pid) }
  }

  /// Kills them, and waits until all are gone.
  private static func end(_ pids: [PID], _ context: ProcessContext) async throws {
    for pid in pids { context.sendExit(.kill, to: pid) }
    for pid in pids {
      let ref = context.monitor(pid)
      _ = try await context.receive(Down.self) { $0.ref == ref }
    }
  }

  private static func take(_ pids: inout [PID]) -> [PID] {
    defer { pids = [] }
    return pids
  }
}
