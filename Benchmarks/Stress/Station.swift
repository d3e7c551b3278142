import Arbor

struct Boom: Error {}

/// A server that traces what it is asked, passes it on, and fails at times.
actor Station: GenServer {
  enum Call: Sendable {
    /// Work, of which this many stations are still to take part.
    case work(hops: Int, From<Void>)
  }
  enum Cast: Sendable {
    /// Work for somebody whom no envelope reaches.
    case carried(headers: [String: String])
  }

  let process = ProcessContext()
  private let number: Int
  private var random: Random

  /// - Parameter random: one for each incarnation.
  init(_ number: Int, _ random: Random) {
    self.number = number
    self.random = random
  }

  static func name(_ number: Int) -> ProcessName { ProcessName("station \(number)") }

  func handleCall(_ call: Call) async throws {
    switch call {
    case .work(let hops, let from):
      try await Trace.withSpan("work", ["station": number]) {
        Trace.startSpan("loose")
        if random.isOne(in: 3) { Trace.endSpan() }
        if hops > 0 {
          let next = ServerRef<Station>(
            named: Self.name(random.next(below: TracingStress.stationCount)))
          try? await next.call(timeout: .milliseconds(5)) { .work(hops: hops - 1, $0) }
        }
        if random.isOne(in: 40) { throw Boom() }
        from.reply()
      }
    }
  }

  func handleCast(_ cast: Cast) throws {
    switch cast {
    case .carried(let headers):
      try Trace.withPropagatedContext(TraceContext(headers: headers)) {
        try Trace.withSpan("carried") {
          if Trace.endSpan(), random.isOne(in: 20) { throw Boom() }
        }
      }
    }
  }
}
