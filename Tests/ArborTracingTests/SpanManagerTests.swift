import ArborBehaviours
import ArborProcesses
import ArborTracing
import Testing

/// A server that traces, and dies in the middle of it.
private actor Client: GenServer {
  enum Call: Sendable {
    case nest([String], From<Void>)
    case traced(From<TraceID?>)
  }

  let process = ProcessContext()
  private var kept: [From<Void>] = []

  func handleCall(_ call: Call) async throws {
    switch call {
    case .nest(let names, let from):
      for name in names { Trace.startSpan(name) }
      from.reply()
    case .traced(let from):
      Trace.withSpan("handle") { from.reply(Trace.currentTraceID) }
    }
  }
}

@Suite final class SpanManagerTests {
  let node = Node(workers: 2)
  deinit { node.shutdown() }

  @Test("the spans of a killed actor are closed innermost first, with its reason, and leave no row")
  func killed() async throws {
    let recorder = try SpanRecorder(node: node)
    let client = try await Client.start(on: node) { Client() }
    let pid = try #require(client.pid)
    try await client.call(timeout: nil) { .nest(["a", "b", "c"], $0) }
    #expect(SpanManager.stack(of: pid).map(\.name) == ["a", "b", "c"])
    #expect(SpanManager.openSpans(on: node).count == 3)
    try await withProcess(on: node) { context in
      let ref = context.monitor(pid)
      pid.sendExit(.kill)
      _ = try await context.receive(Down.self, where: { $0.ref == ref })
    }
    try await SpanManager.settle(pid)
    #expect(recorder.spans.map(\.name) == ["c", "b", "a"])
    #expect(recorder.records.allSatisfy { $0.reason == .killed && $0.span.isError })
    let (outer, inner) = (recorder.spans[2], recorder.spans[1])
    #expect(inner.parentID == outer.id && inner.traceID == outer.traceID && outer.parentID == nil)
    #expect(SpanManager.rowCount(on: node) == 0)
  }

  @Test("1 000 traced actors die at once and nothing is left")
  func thousand() async throws {
    let recorder = try SpanRecorder(node: node)
    var pids: [PID] = []
    for _ in 0..<1000 {
      let client = try await Client.start(on: node) { Client() }
      try await client.call(timeout: nil) { .nest(["outer", "inner"], $0) }
      pids.append(try #require(client.pid))
    }
    #expect(SpanManager.rowCount(on: node) == 1000)
    let others = node.processCount - 1000
    for pid in pids { pid.sendExit(.kill) }
    try await withProcess(on: node) { context in
      for pid in pids { _ = context.monitor(pid) }
      for _ in pids { _ = try await context.receive(Down.self) }
    }
    for pid in pids { try await SpanManager.settle(pid) }
    #expect(SpanManager.rowCount(on: node) == 0)
    #expect(try await SpanManager.watchedCount(on: node) == 0)
    #expect(recorder.spans.count == 2000 && recorder.startedCount == 2000)
    #expect(node.processCount == others)
  }

  @Test("a call carries the caller's span to the handler, and only to that one")
  func acrossMessages() async throws {
    let recorder = try SpanRecorder(node: node)
    let client = try await Client.start(on: node) { Client() }
    let outside = try await client.call(timeout: nil) { .traced($0) }
    try await withProcess(on: node) { context in
      let inside = try await Trace.withSpan("call", ["try": 1]) {
        let span = Trace.currentSpan
        let trace = try await client.call(timeout: nil) { .traced($0) }
        #expect(trace == span?.traceID)
        return trace
      }
      #expect(inside != outside && Trace.currentSpan == nil)
    }
    let call = try #require(recorder.spans(named: "call").first)
    #expect(recorder.children(of: call).map(\.name) == ["handle"])
    #expect(call.status == .ok && call.metadata["try"] == .int(1))
    try await client.stop()
  }

  @Test("a span outside any process, one that throws, one that is ended twice")
  func plain() async throws {
    struct Boom: Error {}
    let recorder = try SpanRecorder(node: node)
    try await withProcess(on: node) { _ in
      #expect(throws: Boom.self) {
        try Trace.withSpan("bad") { () throws(Boom) in throw Boom() }
      }
      let outer = try #require(Trace.startSpan("outer"))
      let inner = try #require(Trace.startSpan("inner"))
      #expect(Trace.endSpan(outer) && !Trace.endSpan(outer))
      #expect(Trace.currentSpan?.id == inner.id)
      #expect(Trace.addAttributes(["size": 2]))
      #expect(Trace.endSpan())
      #expect(!Trace.endSpan() && Trace.currentSpan == nil)
    }
    #expect(recorder.spans.map(\.name) == ["bad", "outer", "inner"])
    #expect(recorder.spans.map(\.isError) == [true, false, false])
    #expect(recorder.spans[2].metadata["size"] == .int(2))
    #expect(SpanManager.rowCount(on: node) == 0)
  }

  @Test("a span that startSpan opened travels with messages too, until it ends")
  func looseAcrossMessages() async throws {
    let recorder = try SpanRecorder(node: node)
    let client = try await Client.start(on: node) { Client() }
    try await withProcess(on: node) { _ in
      let span = try #require(Trace.startSpan("loose"))
      let inside = try await client.call(timeout: nil) { .traced($0) }
      #expect(inside == span.traceID)
      Trace.withNewTrace { #expect(Trace.currentTraceID == nil) }
      Trace.endSpan(span)
      let after = try await client.call(timeout: nil) { .traced($0) }
      #expect(after != span.traceID)
      Trace.withSpan("scoped") {
        let scoped = Trace.currentTraceID
        Trace.withNewTrace { Trace.withSpan("new") { #expect(Trace.currentTraceID != scoped) } }
      }
    }
    let loose = try #require(recorder.spans(named: "loose").first)
    #expect(recorder.children(of: loose).map(\.name) == ["handle"])
    #expect(recorder.spans(named: "new").first?.parentID == nil)
  }

  @Test("concurrent children have the right parents")
  func siblings() async throws {
    let recorder = try SpanRecorder(node: node)
    await withProcess(on: node) { _ in
      await Trace.withSpan("parent") {
        await withTaskGroup { group in
          for number in 0..<10 {
            group.addTask {
              await Trace.withSpan("child \(number)") {
                await Task.yield()
                Trace.withSpan("grandchild \(number)") {}
              }
            }
          }
        }
      }
    }
    let parent = try #require(recorder.spans(named: "parent").first)
    let children = recorder.children(of: parent)
    #expect(Set(children.map(\.name)) == Set((0..<10).map { "child \($0)" }))
    for child in children {
      let number = child.name.split(separator: " ")[1]
      #expect(recorder.children(of: child).map(\.name) == ["grandchild \(number)"])
    }
  }

  @Test("the manager's death loses no open span: the next one closes it", arguments: 0..<20)
  func managerDies(_: Int) async throws {
    let recorder = try SpanRecorder(node: node)
    let client = try await Client.start(on: node) { Client() }
    let pid = try #require(client.pid)
    try await client.call(timeout: nil) { .nest(["a"], $0) }
    try await withProcess(on: node) { context in
      try await SpanManager.settle(pid)  // it is up
      let manager = try #require(node.pid(named: "arbor.tracing.manager"))
      let managerDown = context.monitor(manager)
      manager.sendExit(.kill)
      _ = try await context.receive(Down.self, where: { $0.ref == managerDown })
      try await client.call(timeout: nil) { .nest(["b"], $0) }
      let down = context.monitor(pid)
      pid.sendExit(.shutdown)
      _ = try await context.receive(Down.self, where: { $0.ref == down })
      try await SpanManager.settle(pid)
    }
    #expect(recorder.spans.map(\.name) == ["b", "a"])
    #expect(recorder.records.allSatisfy { $0.reason == .shutdown })
    #expect(SpanManager.rowCount(on: node) == 0)
  }
}
