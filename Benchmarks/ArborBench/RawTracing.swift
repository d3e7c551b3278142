import Synchronization

// The floor of the span rows: binding a task-local, and the time twice. Such a span nobody else can
// see, and with its task it is gone.

struct RawSpan: Sendable {
  let id: Int
  let parent: Int
  let start: ContinuousClock.Instant

  @TaskLocal static var current: RawSpan?
}

extension Bench {
  static let rawTracing = [
    Bench("raw:span-child", 20_000, rawSpans),
    Bench("raw:span-child-10k-clients", 20_000, rawSpans),
    Bench("raw:span-current", 50_000) { count in
      try await inPlainTask {
        RawSpan.$current.withValue(RawSpan(id: 0, parent: 0, start: .now)) {
          let watch = Stopwatch()
          var found = 0
          for _ in 0..<count where RawSpan.current != nil { found += 1 }
          precondition(found == count)
          return watch.perOperation(count)
        }
      }
    },
  ]

  @Sendable private static func rawSpans(_ count: Int) async throws -> Double {
    try await inPlainTask {
      let root = RawSpan(id: 0, parent: 0, start: .now)
      return RawSpan.$current.withValue(root) {
        var total = Duration.zero
        let watch = Stopwatch()
        for id in 1...count {
          let span = RawSpan(id: id, parent: RawSpan.current?.id ?? 0, start: .now)
          total += RawSpan.$current.withValue(span) { ContinuousClock.now - span.start }
        }
        let figure = watch.perOperation(count)
        precondition(total > .zero)
        return figure
      }
    }
  }
}
