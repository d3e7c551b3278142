import Arbor

/// A process that does everything that can be done with spans, in an order that its generator decides.
struct Worker: Sendable {
  private let random: Random
  private let stragglers: Stragglers

  init(_ random: Random, _ stragglers: Stragglers) {
    self.random = random
    self.stragglers = stragglers
  }

  func run(_ context: ProcessContext) async throws {
    var random = random
    for _ in 0..<200 { try await step(context, &random, depth: 0) }
  }

  private func step(
    _ context: ProcessContext, _ random: inout Random, depth: Int
  ) async throws {
    let station = ServerRef<Station>(
      named: Station.name(random.next(below: TracingStress.stationCount)))
    switch random.next(below: depth < 5 ? 14 : 8) {
    case 0: Trace.startSpan("loose", ["depth": depth])
    case 1: Trace.endSpan()
    case 2: Trace.addAttributes(["step": depth])
    case 3:
      let hops = random.next(below: 3)
      try? await station.call(timeout: .milliseconds(5)) { .work(hops: hops, $0) }
    case 4:
      var headers = ["accept": "text/plain"]
      Trace.propagateContext().inject(into: &headers)
      station.cast(.carried(headers: headers))
    case 5: try await context.sleep(for: .microseconds(random.next(below: 500)))
    case 6: straggle(&random)
    case 7: if random.isOne(in: 50) { throw Boom() }
    case 8, 9, 10:
      var inner = random
      defer { random = inner }
      try await Trace.withSpan("step", ["depth": depth]) {
        for _ in 0..<inner.next(below: 4) {
          try await step(context, &inner, depth: depth + 1)
        }
      }
    case 11:
      var inner = random
      defer { random = inner }
      try await Trace.withBaggage(["depth": "\(depth)"]) {
        try await step(context, &inner, depth: depth + 1)
      }
    case 12: Trace.withSpan("synchronous") { Trace.withSpan("inner") {} }
    default:
      await Trace.withSpan("parent") {
        await withTaskGroup { group in
          for number in 0..<3 {
            group.addTask {
              await Trace.withSpan("child \(number)") { await Task.yield() }
            }
          }
        }
      }
    }
  }

  /// A task that its process may not live to see the end of.
  private func straggle(_ random: inout Random) {
    let turns = random.next(below: 20)
    stragglers.start {
      for _ in 0..<turns {
        await Trace.withSpan("straggling") { await Task.yield() }
        Trace.startSpan("left open")
        await Task.yield()
      }
    }
  }
}
