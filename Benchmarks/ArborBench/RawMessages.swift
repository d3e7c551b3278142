import Synchronization

// The floors of the message rows: the same hops with nothing but Swift's own actors, streams and
// continuations. None of them can time out, be monitored, be killed or keep a mailbox in order.

actor RawCounter {
  private var count = 0
  func value() -> Int { count }
}

/// Uses a value where the caller is. Without it two calls of an actor in a row need no hop back in
/// between, the compiler leaves that out, and the floor is one that no program stands on.
@inline(never)
func use(_ value: Int) { lastUsed.store(value, ordering: .relaxed) }

private let lastUsed = Atomic(0)

/// One message's worth of room between two tasks.
final class Baton: Sendable {
  private enum State {
    case empty
    case full
    case awaited(UnsafeContinuation<Void, Never>)
  }
  private let state = Mutex(State.empty)

  func put() {
    let waiting: UnsafeContinuation<Void, Never>? = state.withLock { state in
      if case .awaited(let continuation) = state {
        state = .empty
        return continuation
      }
      state = .full
      return nil
    }
    waiting?.resume()
  }

  func take() async {
    await withUnsafeContinuation { continuation in
      let isFull = state.withLock { state in
        if case .full = state {
          state = .empty
          return true
        }
        state = .awaited(continuation)
        return false
      }
      if isFull { continuation.resume() }
    }
  }
}

extension Bench {
  static let rawMessages = [
    Bench("raw:call", 100_000, rawCalls),
    Bench("raw:call-100-callers", 100_000) { count in
      try await inPlainTask {
        let counter = RawCounter()
        let watch = Stopwatch()
        await withTaskGroup { group in
          for _ in 0..<100 {
            group.addTask { for _ in 0..<count / 100 { use(await counter.value()) } }
          }
        }
        return watch.perOperation(count)
      }
    },
    Bench("raw:call-from-plain-task", 50_000, rawCalls),
    Bench("raw:call-in-place", 100_000, rawCalls),
    Bench("raw:call-in-place-plain-task", 50_000, rawCalls),
    Bench("raw:cast", 400_000) { count in
      try await inPlainTask {
        let (stream, sender) = AsyncStream.makeStream(of: Int.self)
        let watch = Stopwatch()
        let sum = Task {
          var sum = 0
          for await number in stream { sum += number }
          return sum
        }
        for _ in 0..<count { sender.yield(1) }
        sender.finish()
        guard await sum.value == count else { throw WrongAnswer("a message was lost") }
        return watch.perOperation(count)
      }
    },
    Bench("raw:ping-pong", 200_000) { count in
      try await inPlainTask {
        let ping = Baton()
        let pong = Baton()
        let echo = Task {
          for _ in 0..<count {
            await ping.take()
            pong.put()
          }
        }
        let watch = Stopwatch()
        for _ in 0..<count {
          ping.put()
          await pong.take()
        }
        let figure = watch.perOperation(count)
        await echo.value
        return figure
      }
    },
  ]

  @Sendable private static func rawCalls(_ count: Int) async throws -> Double {
    try await inPlainTask {
      let counter = RawCounter()
      let watch = Stopwatch()
      for _ in 0..<count { use(await counter.value()) }
      return watch.perOperation(count)
    }
  }
}
