import Arbor

// Rows: call, call-100-callers, call-from-plain-task, the same in place, cast, ping-pong.

struct Ping: Sendable { let from: PID }
struct Pong: Sendable {}

extension Bench {
  static let messages = [
    oneCaller("call", of: BenchServer.self),
    manyCallers("call-100-callers", of: BenchServer.self),
    plainCaller("call-from-plain-task", of: BenchServer.self),
    oneCaller("call-in-place", of: InPlaceServer.self),
    manyCallers("call-in-place-100-callers", of: InPlaceServer.self),
    plainCaller("call-in-place-plain-task", of: InPlaceServer.self),
    Bench("cast", 400_000) { count in
      try await inProcess { _ in
        let server = try await BenchServer.start { BenchServer() }
        let watch = Stopwatch()
        for _ in 0..<count { server.cast(.add(1)) }
        // Counted until the last cast is handled, not only sent.
        let sum = try await server.call(timeout: nil, BenchServer.Call.value)
        let figure = watch.perOperation(count)
        guard sum == count else { throw WrongAnswer("\(sum) casts of \(count) arrived") }
        try await server.stop()
        return figure
      }
    },
    Bench("ping-pong", 200_000) { count in
      try await inProcess { context in
        let echo = context.spawnLink { echo in
          while true {
            let ping = try await echo.receive(Ping.self)
            echo.send(Pong(), to: ping.from)
          }
        }
        let me = context.pid
        let watch = Stopwatch()
        for _ in 0..<count {
          context.send(Ping(from: me), to: echo)
          _ = try await context.receive(Pong.self)
        }
        let figure = watch.perOperation(count)
        context.unlink(echo)
        context.sendExit(.kill, to: echo)
        return figure
      }
    },
  ]

  private static func oneCaller<Server: CalledServer>(_ name: String, of _: Server.Type) -> Bench {
    Bench(name, 100_000) { count in
      try await inProcess { _ in
        try await withServer(Server.self) { try await timeCalls($0, count) }
      }
    }
  }

  private static func plainCaller<Server: CalledServer>(_ name: String, of _: Server.Type) -> Bench
  {
    Bench(name, 50_000) { count in
      try await inPlainTask {
        try await withServer(Server.self) { try await timeCalls($0, count) }
      }
    }
  }

  private static func manyCallers<Server: CalledServer>(_ name: String, of _: Server.Type) -> Bench
  {
    Bench(name, 100_000) { count in
      try await inProcess { context in
        try await withServer(Server.self) { server in
          try await together(100, count, context) { _, share in try await calls(server, share) }
        }
      }
    }
  }

  private static func withServer<Server: CalledServer>(
    _: Server.Type, _ measure: (ServerRef<Server>) async throws -> Double
  ) async throws -> Double {
    let server = try await Server.start { Server.make() }
    let figure = try await measure(server)
    try await server.stop()
    return figure
  }

  private static func timeCalls<Server: CalledServer>(
    _ server: ServerRef<Server>, _ count: Int
  ) async throws -> Double {
    let watch = Stopwatch()
    try await calls(server, count)
    return watch.perOperation(count)
  }

  private static func calls<Server: CalledServer>(
    _ server: ServerRef<Server>, _ count: Int
  ) async throws {
    for _ in 0..<count {
      let value = try await server.call { Server.ask($0) }
      guard value == 0 else { throw WrongAnswer("the server said \(value), not 0") }
    }
  }
}
