import Arbor

/// A server whose calls are timed.
protocol CalledServer: GenServer {
  static func make() -> Self
  static func ask(_ from: From<Int>) -> Call
}

/// The server that the rows call, cast to, start and kill.
actor BenchServer: CalledServer {
  enum Call: Sendable { case value(From<Int>) }
  enum Cast: Sendable { case add(Int) }

  let process = ProcessContext()
  private var value = 0

  static func make() -> BenchServer { BenchServer() }
  static func ask(_ from: From<Int>) -> Call { .value(from) }

  func handleCall(_ call: Call) {
    switch call {
    case .value(let from): from.reply(value)
    }
  }

  func handleCast(_ cast: Cast) {
    switch cast {
    case .add(let number): value += number
    }
  }
}

/// The same, answering on its caller's stack.
actor InPlaceServer: CalledServer {
  static var answersInPlace: Bool { true }

  enum Call: Sendable { case value(From<Int>) }

  let process = ProcessContext()
  private var value = 0

  static func make() -> InPlaceServer { InPlaceServer() }
  static func ask(_ from: From<Int>) -> Call { .value(from) }

  func handleCall(_ call: Call) {
    switch call {
    case .value(let from): from.reply(value)
    }
  }
}
