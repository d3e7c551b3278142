import Arbor

/// The server that the rows call, cast to, start and kill.
actor BenchServer: GenServer {
  enum Call: Sendable { case value(From<Int>) }
  enum Cast: Sendable { case add(Int) }

  let process = ProcessContext()
  private var value = 0

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
actor InPlaceServer: GenServer {
  static var answersInPlace: Bool { true }

  enum Call: Sendable { case value(From<Int>) }

  let process = ProcessContext()
  private var value = 0

  func handleCall(_ call: Call) {
    switch call {
    case .value(let from): from.reply(value)
    }
  }
}
