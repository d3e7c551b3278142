import ArborBehaviours
import ArborIntrospection
import ArborProcesses
import ArborTracing
import Testing

private actor Idle: GenServer {
  let process = ProcessContext()
}

@Suite final class RenderingTests {
  let node = Node(workers: 1)
  deinit { node.shutdown() }

  @Test("a trace is an indented tree, each span below its parent")
  func trace() async throws {
    let recorder = try SpanRecorder(node: node)
    await withProcess(on: node) { _ in
      struct Boom: Error {}
      try? Trace.withSpan("outer", ["n": 1]) {
        Trace.withSpan("first") {}
        try Trace.withSpan("second") { throw Boom() }
      }
    }
    let lines = Trace.rendered(recorder.spans).split(separator: "\n")
    #expect(lines.count == 3)
    #expect(lines[0].hasPrefix("outer  #PID<") && lines[0].hasSuffix("error: Boom()  [n: 1]"))
    #expect(lines[1].hasPrefix("  first  ") && lines[1].hasSuffix("ok"))
    #expect(lines[2].hasPrefix("  second  ") && lines[2].hasSuffix("error: Boom()"))
  }

  @Test("a span's kind, events, links and what was cut off stand with it")
  func details() async throws {
    node.traceSettings.limits.events = 1
    let recorder = try SpanRecorder(node: node)
    let link = try #require(TraceID("0af7651916cd43dd8448eb211c80319c"))
    await withProcess(on: node) { _ in
      Trace.withSpan("upload", kind: .client) {
        Trace.recordEvent("half way", ["bytes": 512])
        Trace.recordEvent("too much")
        Trace.linkSpan(SpanID(1), in: link)
        Trace.withSpan("below") {}
      }
    }
    let lines = Trace.rendered(recorder.spans).split(separator: "\n")
    #expect(lines.count == 5)
    #expect(lines[0].hasPrefix("upload (client)  #PID<") && lines[0].hasSuffix("ok"))
    #expect(lines[1].hasPrefix("  * half way  +") && lines[1].hasSuffix("[bytes: 512]"))
    #expect(lines[2] == "  -> 0000000000000001 of trace \(link)")
    #expect(lines[3] == "  cut off: 1 events")
    #expect(lines[4].hasPrefix("  below  "))
  }

  @Test("several traces stand below their ids; a span whose parent is elsewhere says so")
  func severalTraces() async throws {
    let recorder = try SpanRecorder(node: node)
    let headers = ["traceparent": "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01"]
    await withProcess(on: node) { _ in
      Trace.withSpan("here") {}
      Trace.withPropagatedContext(TraceContext(headers: headers)) {
        Trace.withSpan("far") { Trace.withSpan("below") {} }
        Trace.withSpan("far too") {}
      }
    }
    let lines = Trace.rendered(recorder.spans).split(separator: "\n")
    #expect(lines.count == 6)
    #expect(lines[0].hasPrefix("trace ") && lines[1].hasPrefix("  here  #PID<"))
    #expect(lines[2] == "trace 0af7651916cd43dd8448eb211c80319c")
    #expect(lines[3].hasPrefix("  far  ") && lines[3].hasSuffix("ok  below b7ad6b7169203331"))
    #expect(lines[4].hasPrefix("    below  ") && lines[4].hasSuffix("ok"))
    #expect(lines[5].hasPrefix("  far too  ") && lines[5].hasSuffix("below b7ad6b7169203331"))
    #expect(Trace.rendered([]) == "")
  }

  @Test("a tree names its processes, a line each")
  func tree() async throws {
    let tree = try await Supervisor.start(.oneForOne, on: node) {
      Child("idle") { Idle() }
      Child("inner") { try await Supervisor(.oneForOne) { Child("deep") { Idle() } } }
    }
    let lines = try await tree.rendered().split(separator: "\n")
    #expect(lines.count == 4)
    #expect(lines[0].hasPrefix("supervisor #PID<") && lines[1].hasPrefix("  idle: Idle #PID<"))
    #expect(lines[2].hasPrefix("  inner: Supervisor") && lines[3].hasPrefix("    deep: Idle #PID<"))
    try await tree.stop()
  }

  @Test("a tree tells names, strategies, restarts and what does not run, of every kind")
  func kinds() async throws {
    let tree = try await Supervisor.start(.restForOne, named: "top", on: node) {
      Child("idle", named: "sleeper") { Idle() }
      Child("pool", named: "pool") { try DynamicSupervisor() }
      Child("parts") {
        try await PartitionSupervisor(partitions: 2) { _ in Child("part") { Idle() } }
      }
      Child("plain") { context in _ = try await context.receive(Exit.self) }
      Child("off") { () async throws -> Idle in throw StartError.ignored }
    }
    let pool = ServerRef<DynamicSupervisor>(named: "pool", on: node)
    let first = try #require(try await pool.startChild(Child("job") { Idle() }))
    try await withProcess(on: node) { context in
      let ref = context.monitor(first)
      first.sendExit(.kill)
      _ = try await context.receive(Down.self, where: { $0.ref == ref })
    }
    let text = try await tree.rendered().replacing(/#PID<[0-9]+>/, with: "PID")
    #expect(
      text == """
        supervisor "top" PID restForOne
          idle: Idle "sleeper" PID
          pool: DynamicSupervisor PID dynamic
            job: Idle PID, restarts 1
          parts: PartitionSupervisor PID partitions, oneForOne
            0: Idle PID
            1: Idle PID
          plain: process PID
          off: Idle stopped
        """)
    try await tree.stop()
  }
}
