import ArborPrimitives
import ArborProcesses
import ArborTelemetry
import ArborTestKit
import ArborTracing
import Testing

private struct Boom: Error, Equatable {}

/// What `Trace` offers inside a process, and what it does when there is nothing to work on.
@Suite final class TraceFaceTests {
  let node = Node(workers: 2)
  deinit { node.shutdown() }

  private func fail() throws(Boom) -> Int { throw Boom() }
  private func seven() -> Int { 7 }
  private func later() async throws(Boom) -> Int { 8 }

  @Test("a function is a body as a closure is; what it throws keeps its type")
  func bodies() async throws {
    let recorder = try SpanRecorder(node: node)
    await withProcess(on: node) { _ in
      #expect(Trace.withSpan("sync", seven) == 7)
      #expect(Trace.withSpan("with", ["a": 1], seven) == 7)
      do throws(Boom) {
        _ = try await Trace.withSpan("async", later)
        _ = try Trace.withSpan("fails", kind: .client, fail)
        Issue.record("it did not throw")
      } catch {
        let boom: Boom = error  // no cast
        #expect(boom == Boom())
      }
    }
    #expect(recorder.spans.map(\.name) == ["sync", "with", "async", "fails"])
    #expect(recorder.spans[3].status == .error("Boom()") && recorder.spans[3].kind == .client)
    #expect(recorder.spans[0].kind == .internal)
  }

  private actor Place {
    var count = 0

    /// Every step must run here: were one to hop, `assumeIsolated` would trap.
    func steps() async -> Int {
      await Trace.withSpan("outer", ["here": true]) {
        count += 1
        assertIsolated()
        await Trace.withSpan("inner") {
          count += 1
          assertIsolated()
          await Task.yield()
          assertIsolated()
        }
        assertIsolated()
      }
      return count
    }
  }

  @Test("the body of an asynchronous span runs where its caller is isolated")
  func isolation() async throws {
    let place = Place()
    #expect(await place.steps() == 2)
    #expect(await withProcess(on: node) { _ in await place.steps() } == 4)
  }

  @MainActor private static func onMain() async -> Bool {
    await Trace.withSpan("main") {
      MainActor.assertIsolated()
      await Task.yield()
      MainActor.assertIsolated()
      return true
    }
  }

  @Test("also on the main actor") func mainActor() async { #expect(await Self.onMain()) }

  @Test("attributes: literals, variables of their types, arrays, and what an extension adds")
  func attributes() {
    let (text, number, part, flag) = ("text", 3, 0.5, true)
    let names = ["a", "b"]
    let attributes: Attributes = [
      "string": text, "int": number, "double": part, "bool": flag, "names": names,
      "literal": "x", "one": 1, "half": 0.5, "yes": true, "value": AttributeValue.ints([1, 2]),
      "count": names.count,
    ]
    #expect(attributes["string"] == .string("text") && attributes["int"] == .int(3))
    #expect(attributes["double"] == .double(0.5) && attributes["bool"] == .bool(true))
    #expect(attributes["names"] == .strings(["a", "b"]) && attributes["value"] == .ints([1, 2]))
    #expect(attributes["literal"] == .string("x") && attributes["one"] == .int(1))
    #expect(attributes["half"] == .double(0.5) && attributes["yes"] == .bool(true))
    #expect(attributes.map(\.name).first == "string" && attributes.count == 11)
  }

  @Test("events and links are the current span's, in their order, and go with it when it ends")
  func details() async throws {
    let recorder = try SpanRecorder(node: node)
    try await withProcess(on: node) { _ in
      let other = try #require(Trace.startSpan("other"))
      Trace.endSpan(other)
      Trace.withSpan("work") {
        #expect(Trace.recordEvent("began") && Trace.recordEvent("went on", ["step": 2]))
        #expect(Trace.linkSpan(other, ["why": "batch"]))
        #expect(Trace.linkSpan(SpanID(9), in: TraceID(high: 1, low: 2)))
        #expect(Trace.currentSpan?.events.count == 2)
      }
    }
    let work = try #require(recorder.spans(named: "work").first)
    #expect(work.events.map(\.name) == ["began", "went on"])
    #expect(work.events[1].attributes == ["step": 2])
    #expect(work.events[0].time <= work.events[1].time && work.startTime <= work.events[0].time)
    #expect(work.links.map(\.spanID) == [recorder.spans[0].id, SpanID(9)])
    #expect(work.links[0].attributes == ["why": "batch"] && work.cut.events == 0)
  }

  @Test("endSpan ends the top of the stack, or this very span wherever it lies; twice is once")
  func ends() async throws {
    let recorder = try SpanRecorder(node: node)
    try await withProcess(on: node) { context in
      let a = try #require(Trace.startSpan("a"))
      let b = try #require(Trace.startSpan("b"))
      let c = try #require(Trace.startSpan("c"))
      #expect(c.parentID == b.id && b.parentID == a.id)
      #expect(Trace.endSpan(b) && !Trace.endSpan(b))
      #expect(SpanManager.stack().map(\.name) == ["a", "c"])
      #expect(Trace.endSpan() && Trace.currentSpan?.id == a.id)
      #expect(Trace.endSpan() && !Trace.endSpan())
    }
    #expect(recorder.spans.map(\.name) == ["b", "c", "a"])
  }

  @Test("with nothing open a call warns once, counts the rest, and goes on")
  func warnings() async throws {
    let warnings = Lock<[String]>([])
    try node.telemetry.attach("warnings", to: .traceWarning) { _, _, metadata in
      let operation = metadata["operation", as: String.self] ?? "?"
      let problem = metadata["problem", as: String.self] ?? "?"
      warnings.withLock { $0.append("\(operation) \(problem)") }
    }
    try await withProcess(on: node) { _ in
      for _ in 0..<3 {
        #expect(!Trace.endSpan() && !Trace.addAttributes(["a": 1]))
        #expect(!Trace.recordEvent("e") && !Trace.linkSpan(SpanID(1), in: TraceID(high: 1, low: 1)))
        let span = try #require(Trace.startSpan("s"))
        #expect(Trace.endSpan(span) && !Trace.endSpan(span))
      }
      #expect(Trace.currentSpan == nil && Trace.currentTraceID == nil)
    }
    #expect(
      warnings.withLock { $0 } == [
        "endSpan nothingOpen", "addAttributes nothingOpen", "recordEvent nothingOpen",
        "linkSpan nothingOpen", "endSpan notOpen",
      ])
    #expect(SpanManager.counts(on: node).warnings == 15)
  }

  @Test("asking for the current span makes no row of a process that never traced")
  func readsLeaveNoRow() async throws {
    await withProcess(on: node) { _ in
      _ = Trace.currentSpan
      _ = Trace.endSpan()
      _ = SpanManager.stack()
      #expect(SpanManager.rowCount(on: node) == 0)
    }
  }

  @Test("concurrent children: async let, groups, tasks that stay behind; ends in any order")
  func concurrency() async throws {
    let recorder = try SpanRecorder(node: node)
    await withProcess(on: node) { _ in
      let straggler = await Trace.withSpan("parent") {
        async let first: Void = Trace.withSpan("async let") { await Task.yield() }
        await withTaskGroup { group in
          for number in 0..<8 {
            group.addTask {
              let loose = Trace.startSpan("loose \(number)")
              await Task.yield()
              Trace.withSpan("under \(number)") {}
              Trace.endSpan(loose)
            }
          }
        }
        await first
        return Task { Trace.withSpan("late") {} }
      }
      await straggler.value
      #expect(SpanManager.stack().isEmpty)
    }
    let parent = try #require(recorder.spans(named: "parent").first)
    #expect(recorder.spans(named: "async let").first?.parentID == parent.id)
    #expect(recorder.spans(named: "late").first?.parentID == parent.id)
    #expect(recorder.startedCount == recorder.spans.count)
    #expect(Set(recorder.spans.map(\.traceID)).count == 1)
  }

  @Test("what a task leaves open is no sibling's parent, and not a sibling's to end")
  func siblings() throws {
    try simulate(seeds: 0..<100) { sim in
      let recorder = try SpanRecorder(node: sim.node)
      await Trace.withSpan("parent") {
        // What the process's own task opens is its child tasks' parent.
        Trace.startSpan("around")
        await withTaskGroup { group in
          for number in 0..<4 {
            group.addTask {
              Trace.startSpan("outer \(number)")
              await Task.yield()
              Trace.startSpan("inner \(number)")
              await Task.yield()
              Trace.withSpan("scoped \(number)") {}
              #expect(Trace.currentSpan?.name == "inner \(number)")
              Trace.endSpan()
              await Task.yield()
              #expect(Trace.currentSpan?.name == "outer \(number)")
              Trace.endSpan()
            }
          }
        }
        #expect(Trace.currentSpan?.name == "around")
        Trace.endSpan()
      }
      func parent(of name: String) throws -> String? {
        let span = try #require(recorder.spans(named: name).first)
        return recorder.spans.first { $0.id == span.parentID }?.name
      }
      for number in 0..<4 {
        try #require(try parent(of: "scoped \(number)") == "inner \(number)")
        try #require(try parent(of: "inner \(number)") == "outer \(number)")
        try #require(try parent(of: "outer \(number)") == "around")
      }
      try #require(recorder.startedCount == 14 && recorder.spans.count == 14)
    }
  }

  @Test("a span's parent is its own task's, whatever another has opened since")
  func interleaved() async throws {
    let recorder = try SpanRecorder(node: node)
    await withProcess(on: node) { _ in
      let (opened, open) = AsyncStream<Void>.makeStream()
      let (gone, go) = AsyncStream<Void>.makeStream()
      let first = Task {
        await Trace.withSpan("first") {
          open.finish()
          for await _ in gone {}
          Trace.withSpan("inner") {}
        }
      }
      for await _ in opened {}
      await Trace.withSpan("second") {
        go.finish()
        await first.value
      }
    }
    let first = try #require(recorder.spans(named: "first").first)
    #expect(recorder.spans(named: "inner").map(\.parentID) == [first.id])
    #expect(recorder.spans(named: "second").map(\.parentID) == [nil])
  }
}
