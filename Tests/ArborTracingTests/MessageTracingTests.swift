import ArborBehaviours
import ArborProcesses
import ArborTestKit
import ArborTracing
import Testing

private struct Broken: Error {}

/// Requests of all kinds to three servers that differ in one line.
private enum Request: Sendable {
  case work(From<TraceID?>)
  case quiet(From<Void>)
  case fail(From<Void>)
}

private protocol Traced: GenServer where Call == Request, Cast == PID {}
extension Traced {
  func handleCall(_ call: Request) throws {
    switch call {
    case .work(let from): Trace.withSpan("work") { from.reply(Trace.currentTraceID) }
    case .quiet: throw ExitReason.shutdown
    case .fail: throw Broken()
    }
  }
  func handleCast(_ pid: PID) { Trace.withSpan("cast work") { pid.send("cast done") } }
  func handleInfo(_ info: Info) {
    guard case .message(let message) = info, let pid = message as? PID else { return }
    Trace.withSpan("info work") { pid.send("info done") }
  }
}

private actor Inheriting: Traced {
  let process = ProcessContext()
}
private actor Ignoring: Traced {
  static var messageTracing: MessageTracing { .ignored }
  let process = ProcessContext()
}
private actor Observed: Traced {
  static var messageTracing: MessageTracing { .spans }
  let process = ProcessContext()
}

/// Context in the envelopes, and what a server makes of it.
@Suite final class MessageTracingTests {
  let node = Node(workers: 2)
  deinit { node.shutdown() }

  @Test("a call, a cast, a send, a spawn and a timer carry the span they come from")
  func envelopes() async throws {
    let recorder = try SpanRecorder(node: node)
    try await withProcess(on: node) { context in
      let me = context.pid
      let server = try await Inheriting.start { Inheriting() }
      let pid = try #require(server.pid)
      try await Trace.withSpan("root") {
        _ = try await server.call(timeout: nil) { .work($0) }
        server.cast(me)
        _ = try await context.receive(String.self)
        pid.send(me)
        _ = try await context.receive(String.self)
        _ = context.spawnMonitor { _ in Trace.withSpan("spawn work") { me.send("spawned") } }
        _ = try await context.receive(String.self)
        try context.send(me, to: pid, after: .milliseconds(1))
      }
      _ = try await context.receive(String.self)
      // Each handler runs under its own message's sender, and not under the last one's.
      let root = recorder.spans(named: "root").first
      #expect(try await server.call(timeout: nil) { .work($0) } != root?.traceID)
      try await server.stop()
    }
    let root = try #require(recorder.spans(named: "root").first)
    #expect(
      recorder.children(of: root).map(\.name) == [
        "work", "cast work", "info work", "spawn work", "info work",
      ])
    #expect(recorder.spans(named: "work").map(\.parentID) == [root.id, nil])
  }

  @Test("so do a task, a stream of them, and what an agent is given to do")
  func tasksAndAgents() async throws {
    let recorder = try SpanRecorder(node: node)
    try await withProcess(on: node) { _ in
      let agent = try await Agent.start { 0 }
      try await Trace.withSpan("root") {
        try await AsyncTask.async { Trace.withSpan("task work") {} }.await()
        let streamed = AsyncTask.stream([1, 2]) { _ in Trace.withSpan("stream work") {} }
        for try await _ in streamed {}
        _ = try await agent.get { state in Trace.withSpan("get work") { state } }
        try await agent.update { _ in Trace.withSpan("update work") {} }
        agent.cast { _ in Trace.withSpan("cast work") {} }
      }
      // Behind the cast, and in no trace.
      #expect(try await agent.get { _ in Trace.currentTraceID } == nil)
      try await agent.stop()
    }
    let root = try #require(recorder.spans(named: "root").first)
    #expect(
      recorder.children(of: root).map(\.name).sorted() == [
        "cast work", "get work", "stream work", "stream work", "task work", "update work",
      ])
  }

  @Test("a server that ignores traces begins its own")
  func optOut() async throws {
    try await withProcess(on: node) { _ in
      let server = try await Ignoring.start { Ignoring() }
      try await Trace.withSpan("root") {
        let trace = try await server.call(timeout: nil) { .work($0) }
        #expect(trace != nil && trace != Trace.currentTraceID)
      }
      try await server.stop()
    }
  }

  @Test("a server that wants it has a span for each message, on both sides")
  func optIn() async throws {
    let recorder = try SpanRecorder(node: node)
    try await withProcess(on: node) { context in
      let server = try await Observed.start { Observed() }
      let pid = try #require(server.pid)
      try await Trace.withSpan("root") {
        _ = try await server.call(timeout: nil) { .work($0) }
        server.cast(context.pid)
        _ = try await context.receive(String.self)
        pid.send(context.pid)
        _ = try await context.receive(String.self)
      }
      await #expect(throws: CallError.exit(.error(Broken()))) {
        try await server.call(timeout: nil) { .fail($0) }
      }
    }
    func only(_ name: String) throws -> TraceSpan {
      let spans = recorder.spans(named: name)
      #expect(spans.count == 1)
      return try #require(spans.first)
    }
    let root = try only("root")
    let calls = recorder.spans(named: "Observed.call")
    let handled = recorder.spans(named: "Observed.handleCall")
    #expect(calls.map(\.kind) == [.client, .client] && handled.map(\.kind) == [.server, .server])
    #expect(calls[0].parentID == root.id && handled[0].parentID == calls[0].id)
    #expect(try only("work").parentID == handled[0].id)
    #expect(handled[0].metadata["message"] == .string("work"))
    #expect(handled[0].processID != calls[0].processID)
    if case .int(let time)? = handled[0].metadata["queue_time"] {
      // It is reckoned after the span's start, and before its end.
      let end = try #require(handled[0].endTime)
      #expect(time >= 0 && time <= Int(end - calls[0].startTime))
    } else {
      Issue.record("no queue time")
    }
    let (cast, caught) = try (only("Observed.cast"), only("Observed.handleCast"))
    #expect(cast.kind == .producer && caught.kind == .consumer && caught.parentID == cast.id)
    #expect(try only("cast work").parentID == caught.id)
    let info = try only("Observed.handleInfo")
    #expect(info.parentID == root.id && info.kind == .consumer)
    #expect(info.metadata["queue_time"] == nil)
    // The failure is the handler's, and its caller's.
    #expect(calls[1].isError && handled[1].status == .error("Broken()"))
  }

  @Test("a server that stops quietly has not failed")
  func quiet() async throws {
    let recorder = try SpanRecorder(node: node)
    try await withProcess(on: node) { _ in
      let server = try await Observed.start { Observed() }
      await #expect(throws: CallError.exit(.shutdown)) {
        try await server.call(timeout: nil) { .quiet($0) }
      }
    }
    #expect(recorder.spans(named: "Observed.handleCall").map(\.status) == [.ok])
  }

  private actor Restarted: GenServer {
    enum Call: Sendable { case startedIn(From<TraceID?>) }
    enum Cast: Sendable { case crash }
    let process = ProcessContext()
    let trace = Trace.currentTraceID
    func handleCall(_ call: Call) {
      switch call {
      case .startedIn(let from): from.reply(trace)
      }
    }
    func handleCast(_ cast: Cast) throws { throw Broken() }
  }

  @Test("a restarted child is not in the trace that its first start, or its crash, was in")
  func restart() async throws {
    try simulate(seeds: 0..<50) { sim in
      try await Trace.withSpan("start") {
        let tree = try await Supervisor.start(.oneForOne) {
          Child("child", named: "child") { Restarted() }
        }
        let child = ServerRef<Restarted>(named: "child")
        let first = child.pid
        try #require(try await child.call { .startedIn($0) } == Trace.currentTraceID)
        Trace.withSpan("crash") { child.cast(.crash) }
        while child.pid == nil || child.pid == first { await sim.advance(by: .milliseconds(1)) }
        try #require(try await child.call { .startedIn($0) } == nil)
        try await tree.stop(.shutdown)
      }
    }
  }
}
