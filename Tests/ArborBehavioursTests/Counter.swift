import ArborBehaviours
import ArborProcesses

enum CounterError: Error, Equatable { case negative(Int) }

/// The server that the tests of this target start.
actor Counter: GenServer {
  enum Call: Sendable {
    case value(From<Int>)
    case never(From<Int>)
    case letGo(From<Int>)
    case fail(From<Int>, ExitReason)
    case callSelf(From<CallError?>)
    case pid(From<PID>)
  }
  enum Cast: Sendable {
    case add(Int)
    case trapExit
  }

  let process = ProcessContext()
  private var value: Int
  private var kept: [From<Int>] = []
  private let onTerminate: @Sendable (ExitReason) throws -> Void

  init(
    _ value: Int = 0, onTerminate: @escaping @Sendable (ExitReason) throws -> Void = { _ in }
  ) {
    self.value = value
    self.onTerminate = onTerminate
  }

  func handleCall(_ call: Call) async throws {
    switch call {
    case .value(let from): from.reply(value)
    case .never(let from): kept.append(from)
    case .letGo: break
    case .fail(_, let reason): throw reason
    case .callSelf(let from):
      do {
        _ = try await ServerRef<Counter>(pid).call { .value($0) }
        from.reply(nil)
      } catch {
        from.reply(error)
      }
    case .pid(let from): from.reply(pid)
    }
  }

  func handleCast(_ cast: Cast) throws {
    switch cast {
    case .add(let number) where number < 0: throw CounterError.negative(number)
    case .add(let number): value += number
    case .trapExit: process.trapExit()
    }
  }

  func terminate(_ reason: ExitReason) throws { try onTerminate(reason) }
}

extension ServerRef<Counter> {
  func add(_ number: Int) { cast(.add(number)) }
  var value: Int {
    get async throws(CallError) { try await call(timeout: nil, Counter.Call.value) }
  }
}
