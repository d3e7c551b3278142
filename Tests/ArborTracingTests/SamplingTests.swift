import ArborBehaviours
import ArborProcesses
import ArborTracing
import Synchronization
import Testing

private actor Echo: GenServer {
  enum Call: Sendable {
    case sampled(From<Bool?>)
    case traceID(From<TraceID?>)
  }
  let process = ProcessContext()
  func handleCall(_ call: Call) {
    switch call {
    case .sampled(let from): Trace.withSpan("handle") { from.reply(Trace.currentSpan?.isSampled) }
    case .traceID(let from): Trace.withSpan("handle") { from.reply(Trace.currentTraceID) }
    }
  }
}

/// Which traces are recorded, and what a span may hold.
@Suite final class SamplingTests {
  let node = Node(workers: 2)
  deinit { node.shutdown() }

  private func question(
    _ trace: TraceID, parent: Bool? = nil
  ) -> Sampler.Question {
    Sampler.Question(
      traceID: trace, name: "s", kind: .internal, parentIsSampled: parent, parentIsRemote: false)
  }

  @Test("always, never, by the parent, by the trace's id")
  func rules() {
    let traces = (0..<4_000).map { number -> TraceID in
      var word = UInt64(number) &* 0x9e37_79b9_7f4a_7c15
      word ^= word >> 29
      return TraceID(high: 1, low: word &* 0xbf58_476d_1ce4_e5b9)
    }
    #expect(traces.allSatisfy { Sampler.always.decide(question($0)) })
    #expect(traces.allSatisfy { !Sampler.never.decide(question($0)) })
    let tenth = traces.filter { Sampler.ratio(0.1).decide(question($0)) }
    #expect((300..<500).contains(tenth.count))
    // Who asks for more takes the same ones and others.
    #expect(tenth.allSatisfy { Sampler.ratio(0.2).decide(question($0)) })
    #expect(traces.allSatisfy { Sampler.ratio(1).decide(question($0)) })
    #expect(traces.allSatisfy { !Sampler.ratio(0).decide(question($0)) })
    let byParent = Sampler.parentBased(root: .never)
    #expect(byParent.decide(question(traces[0], parent: true)))
    #expect(!byParent.decide(question(traces[0], parent: false)))
    #expect(!byParent.decide(question(traces[0])))
    #expect(Sampler.custom { $0.name == "s" }.decide(question(traces[0])))
  }

  @Test("an unsampled span evaluates no attributes, has no row and no events, and is passed on")
  func unsampled() async throws {
    node.traceSettings.sampler = .parentBased(root: .never)
    let recorder = try SpanRecorder(node: node)
    let echo = try await Echo.start(on: node) { Echo() }
    let evaluated = Atomic(0)
    func attributes() -> Attributes {
      evaluated.wrappingAdd(1, ordering: .relaxed)
      return [:]
    }
    try await withProcess(on: node) { context in
      let trace = try await Trace.withSpan("root", attributes()) {
        let trace = try #require(Trace.currentTraceID)
        #expect(Trace.currentSpan == nil)
        // Nothing to work on, and nothing to warn of.
        let added = Trace.addAttributes(attributes())
        #expect(!added && !Trace.recordEvent("e") && !Trace.endSpan())
        Trace.withSpan("child", attributes()) { #expect(Trace.currentTraceID == trace) }
        #expect(try await echo.call(timeout: nil) { .traceID($0) } == trace)
        #expect(try await echo.call(timeout: nil) { .sampled($0) } == nil)
        return trace
      }
      // Not inside the macros, which evaluate arguments by themselves.
      let opened = Trace.startSpan("loose", attributes())
      let loose = try #require(opened)
      #expect(!loose.isSampled && loose.traceID != trace)
      #expect(Trace.currentTraceID == loose.traceID)
      #expect(try await echo.call(timeout: nil) { .traceID($0) } == loose.traceID)
      #expect(Trace.endSpan() && Trace.currentTraceID == nil)
      #expect(SpanManager.openSpans(on: node).isEmpty)
    }
    try await echo.stop()
    try await SpanManager.settle(on: node)
    #expect(evaluated.load(ordering: .relaxed) == 0)
    #expect(recorder.startedCount == 0 && recorder.spans.isEmpty)
    #expect(SpanManager.counts(on: node).warnings == 0 && SpanManager.deaths(on: node).isEmpty)
  }

  @Test("the decision of the root is that of the whole trace, over processes")
  func wholeTraces() async throws {
    node.traceSettings.sampler = .parentBased(root: .ratio(0.5))
    let recorder = try SpanRecorder(node: node)
    let echo = try await Echo.start(on: node) { Echo() }
    try await withProcess(on: node) { _ in
      for _ in 0..<60 {
        try await Trace.withSpan("root") { _ = try await echo.call(timeout: nil) { .sampled($0) } }
      }
    }
    let (roots, handled) = (recorder.spans(named: "root"), recorder.spans(named: "handle"))
    #expect(Set(roots.map(\.traceID)) == Set(handled.map(\.traceID)))
    #expect((5..<55).contains(roots.count))
  }

  @Test("a change of the sampler leaves open spans as they are")
  func changed() async throws {
    let recorder = try SpanRecorder(node: node)
    await withProcess(on: node) { _ in
      Trace.withSpan("sampled") {
        node.traceSettings.sampler = .never
        Trace.withSpan("not") { Trace.withSpan("not either") {} }
        #expect(Trace.currentSpan?.name == "sampled")
        #expect(Trace.addAttributes(["still": true]))
      }
    }
    #expect(recorder.spans.map(\.name) == ["sampled"] && recorder.startedCount == 1)
  }

  @Test("what goes beyond the limits is cut, and counted in the span and at the node")
  func limits() async throws {
    node.traceSettings.limits.attributes = 2
    node.traceSettings.limits.events = 1
    node.traceSettings.limits.links = 1
    let recorder = try SpanRecorder(node: node)
    await withProcess(on: node) { _ in
      Trace.withSpan("full", ["a": 1, "b": 2, "c": 3]) {
        #expect(Trace.currentSpan?.metadata == ["a": 1, "b": 2])
        #expect(Trace.addAttributes(["a": 4, "d": 5]))
        #expect(Trace.recordEvent("one") && !Trace.recordEvent("two"))
        let trace = TraceID(high: 1, low: 1)
        #expect(Trace.linkSpan(SpanID(1), in: trace) && !Trace.linkSpan(SpanID(2), in: trace))
      }
    }
    let span = recorder.spans[0]
    #expect(span.metadata == ["a": 4, "b": 2])
    #expect(span.events.map(\.name) == ["one"] && span.links.map(\.spanID) == [SpanID(1)])
    #expect(span.cut.attributes == 2 && span.cut.events == 1 && span.cut.links == 1)
    let counts = SpanManager.counts(on: node)
    #expect(counts.attributes == 2 && counts.events == 1 && counts.links == 1)
    #expect(counts.tooDeep == 0)
  }

  @Test("beyond the depth bodies run without a span, under the one that there is")
  func depth() async throws {
    node.traceSettings.limits.depth = 3
    let recorder = try SpanRecorder(node: node)
    await withProcess(on: node) { _ in
      var reached = 0
      func nest(_ level: Int) {
        reached = level
        if level < 6 { Trace.withSpan("\(level)") { nest(level + 1) } }
      }
      nest(0)
      #expect(reached == 6)
      #expect(Trace.startSpan("a") != nil && Trace.startSpan("b") != nil)
      #expect(Trace.startSpan("c") != nil && Trace.startSpan("d") == nil)
      SpanManager.clear()
    }
    #expect(recorder.spans.map(\.name) == ["2", "1", "0", "c", "b", "a"])
    #expect(recorder.startedCount == 6 && SpanManager.counts(on: node).tooDeep == 4)
  }

  @Test("an endSpan is that of the startSpan before it, also if that one opened nothing")
  func balance() async throws {
    node.traceSettings.limits.depth = 2
    let recorder = try SpanRecorder(node: node)
    try await withProcess(on: node) { _ in
      let outer = try #require(Trace.startSpan("outer"))
      let inner = try #require(Trace.startSpan("inner"))
      for _ in 0..<3 { #expect(Trace.startSpan("too deep") == nil) }
      for _ in 0..<2 { #expect(!Trace.endSpan()) }
      #expect(Trace.currentSpan?.id == inner.id)
      // What was not opened outlives the span it would be in, and is around what comes later.
      #expect(Trace.endSpan(inner) && Trace.startSpan("later") != nil)
      #expect(Trace.endSpan() && !Trace.endSpan() && Trace.currentSpan?.id == outer.id)
      #expect(Trace.endSpan() && !Trace.endSpan())
      // With its body it is over.
      Trace.withSpan("body") {
        Trace.startSpan("loose")
        #expect(Trace.startSpan("too deep") == nil)
        Trace.endSpan()
      }
      #expect(Trace.currentSpan == nil)
    }
    #expect(recorder.spans.map(\.name) == ["inner", "later", "outer", "body", "loose"])
    // The one endSpan of all that had nothing to end.
    #expect(SpanManager.counts(on: node).warnings == 1)
  }
}
