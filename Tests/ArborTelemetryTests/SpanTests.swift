import ArborTelemetry
import Testing

@Suite struct SpanTests {
  let time = ManualTime()
  let telemetry: Telemetry
  let recorder = Recorder()
  let query = TelemetrySpanEvents("database", "query")

  init() throws {
    telemetry = time.telemetry
    try telemetry.attach("recorder", to: query.all, handler: recorder.handler)
  }

  @Test("times come from the given clocks, in nanoseconds")
  func times() throws {
    telemetry.span(query) { time.advance(250) }
    #expect(
      recorder.calls.map(\.measurements.description) == [
        "[monotonic_time: 1000, system_time: 5000000]",
        "[duration: 250, monotonic_time: 1250]",
      ])
  }

  @Test("the stop carries the start's metadata and what the work added; times cannot be replaced")
  func end() throws {
    telemetry.span(query, ["table": "users"]) { end in
      time.advance(10)
      end.metadata["rows"] = 3
      end.measurements = ["bytes": 9, "duration": 0]
    }
    let stop = try #require(recorder.calls.last)
    #expect(stop.measurements["duration", as: Int.self] == 10)
    #expect(stop.measurements["bytes", as: Int.self] == 9)
    #expect(stop.metadata["table", as: String.self] == "users")
    #expect(stop.metadata["rows", as: Int.self] == 3)
    #expect(recorder.calls.first?.metadata["rows"] == nil)
  }

  @Test("work that waits stays where its caller is, and its duration covers the wait")
  func async() async throws {
    actor Account {
      var balance = 1
      func double(_ telemetry: Telemetry, _ query: TelemetrySpanEvents, _ time: ManualTime) async
        -> Int
      {
        await telemetry.span(query, ["table": "accounts"]) { end in
          await Task.yield()
          balance *= 2  // does not compile unless isolated to the actor
          time.advance(7)
          end.measurements["balance"] = balance
          return balance
        }
      }
    }
    #expect(await Account().double(telemetry, query, time) == 2)
    let stop = try #require(recorder.calls.last)
    #expect(stop.event == query.stop)
    #expect(stop.measurements["duration", as: Int.self] == 7)
    #expect(stop.measurements["balance", as: Int.self] == 2)
    #expect(stop.metadata["table", as: String.self] == "accounts")
  }

  @Test("a typed error keeps its type; a failing handler does not disturb the span")
  func typedErrors() throws {
    try telemetry.attach("failing", to: query.start, handler: failing)
    func work() throws(Refusal) -> Int {
      try telemetry.span(query) { () throws(Refusal) -> Int in throw Refusal.badArithmetic }
    }
    #expect(throws: Refusal.badArithmetic) { try work() }
    #expect(recorder.events == [query.start, query.exception])
  }

  @Test("a handler that was attached during the span hears its end")
  func attachedMeanwhile() throws {
    telemetry.detachAll()
    try telemetry.span(query, ["table": "users"]) {
      try telemetry.attach("late", to: query.all, handler: recorder.handler)
      time.advance(3)
    }
    let stop = try #require(recorder.calls.first)
    #expect(stop.event == query.stop)
    #expect(stop.measurements["duration", as: Int.self] == 3)
    #expect(stop.metadata["table", as: String.self] == "users")
  }

  @Test("the names of a span's events")
  func names() {
    #expect(
      query.all.map(\.description).sorted() == [
        "database.query.exception", "database.query.start", "database.query.stop",
      ])
    #expect(TelemetrySpanEvents(TelemetryEvent("database", "query")) == query)
  }
}
