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
}
