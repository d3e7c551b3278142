import Arbor

// Rows: call, call-100-callers, call-from-plain-task, the same in place, cast, ping-pong.

struct Ping: Sendable { let from: PID }
struct Pong: Sendable {}

extension Bench {
  static let messages = [
    Bench("call", 100_000) { count in
      try await inProcess { _ in
        let server = try await BenchServer.start { BenchServer() }
        let watch = Stopwatch()
        try await calls(server, count)
        let figure = watch.perOperation(count)
        try await server.stop()
        return figure
      }
    },
    Bench("call-100-callers", 100_000) { count in
      try await inProcess { context in
        let server = try await BenchServer.start { BenchServer() }
        let figure = try await together(100, count, context) { _, share in
          try await calls(server, share)
        }
        try await server.stop()
        return figure
      }
    },
    Bench("call-from-plain-task", 50_000) { count in
      try await inPlainTask {
        let server = try await BenchServer.start { BenchServer() }
        let watch = Stopwatch()
        try await calls(server, count)
        let figure = watch.perOperation(count)
        try await server.stop()
        return figure
      }
    },
    Bench("call-in-place", 100_000) { count in
      try await inProcess { _ in
        let server = try await InPlaceServer.start { InPlaceServer() }
        let watch = Stopwatch()
        try await callsInPlace(server, count)
        let figure = watch.perOperation(count)
        try await server.stop()
        return figure
      }
    },
    Bench("call-in-place-100-callers", 100_000) { count in
      try await inProcess { context in
        let server = try await InPlaceServer.start { InPlaceServer() }
        let figure = try await together(100, count, context) { _, share in
          try await callsInPlace(server, share)
        }
        try await server.stop()
        return figure
      }
    },
    Bench("call-in-place-plain-task", 50_000) { count in
      try await inPlainTask {
        let server = try await InPlaceServer.start { InPlaceServer() }
        let watch = Stopwatch()
        try await callsInPlace(server, count)
        let figure = watch.perOperation(count)
        try await server.stop()
        return figure
      }
    },
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

  private static func calls(_ server: ServerRef<BenchServer>, _ count: Int) async throws {
    for _ in 0..<count {
      let value = try await server.call(BenchServer.Call.value)
      guard value == 0 else { throw WrongAnswer("the server said \(value), not 0") }
    }
  }

  private static func callsInPlace(_ server: ServerRef<InPlaceServer>, _ count: Int) async throws {
    for _ in 0..<count {
      let value = try await server.call(InPlaceServer.Call.value)
      guard value == 0 else { throw WrongAnswer("the server said \(value), not 0") }
    }
  }
}
