import ArborBehaviours
import ArborPrimitives
import ArborProcesses
import ArborTelemetry
import ArborTracing
import Testing

/// Says what it sees around each message.
private actor Station: GenServer {
  enum Call: Sendable {
    case look(From<TraceContext>)
    case work(From<TraceSpan?>)
    case passOn(ServerRef<Station>, From<TraceContext?>)
  }
  enum Cast: Sendable { case look(PID) }

  let process = ProcessContext()

  func handleCall(_ call: Call) async throws {
    switch call {
    case .look(let from): from.reply(Trace.propagateContext())
    case .work(let from): Trace.withSpan("work") { from.reply(Trace.currentSpan) }
    case .passOn(let next, let from):
      from.reply(try? await next.call(timeout: nil) { .look($0) })
    }
  }
  func handleCast(_ cast: Cast) {
    switch cast {
    case .look(let pid): pid.send(Trace.propagateContext())
    }
  }
  func handleInfo(_ info: Info) {
    if case .message(let message) = info, let pid = message as? PID {
      pid.send(Trace.propagateContext())
    }
  }
}

@Suite final class PropagationTests {
  let node = Node(workers: 2)
  deinit { node.shutdown() }

  private static let headers = [
    "traceparent": "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01",
    "tracestate": "congo=t61rcWkgMzE", "baggage": "user=ada",
  ]
  private let remote = TraceContext(headers: headers)

  @Test("a context from elsewhere is a parent to be read, and not to be ended")
  func remoteParent() async throws {
    let recorder = try SpanRecorder(node: node)
    try await withProcess(on: node) { context in
      #expect(Trace.propagateContext().isEmpty)
      let own = try #require(Trace.startSpan("own"))
      try Trace.withPropagatedContext(remote) {
        #expect(Trace.propagateContext() == remote)
        #expect(Trace.currentSpan == nil && Trace.currentTraceID == remote.traceID)
        #expect(!Trace.endSpan() && !Trace.addAttributes(["a": 1]))
        #expect(SpanManager.stack(of: context.pid).map(\.id) == [own.id])
        let span = try #require(Trace.withSpan("inside") { Trace.currentSpan })
        #expect(span.traceID == remote.parent?.traceID && span.parentID == remote.parent?.spanID)
      }
      #expect(Trace.currentSpan?.id == own.id && Trace.baggage.isEmpty)
      #expect(Trace.endSpan())
    }
    #expect(recorder.spans.map(\.name) == ["inside", "own"])
  }

  @Test("not even one's own span can be ended through its context")
  func ownContext() async throws {
    await withProcess(on: node) { _ in
      Trace.withSpan("open") {
        let span = Trace.currentSpan
        Trace.withPropagatedContext(Trace.propagateContext()) {
          #expect(!Trace.endSpan() && Trace.currentSpan == nil)
          Trace.withSpan("below") { #expect(Trace.currentSpan?.parentID == span?.id) }
          let loose = Trace.startSpan("loose")
          #expect(loose?.parentID == span?.id && Trace.currentSpan?.id == loose?.id)
          #expect(Trace.endSpan())
        }
        #expect(Trace.currentSpan?.id == span?.id)
      }
    }
  }

  @Test("what was found is restored, whatever the body throws; its error keeps its type")
  func typedThrows() async {
    struct Boom: Error {}
    await withProcess(on: node) { _ in
      Trace.withSpan("outer") {
        let before = Trace.propagateContext()
        do throws(Boom) {
          try Trace.withPropagatedContext(remote) { () throws(Boom) in throw Boom() }
        } catch {
          #expect(type(of: error) == Boom.self)
        }
        do throws(Boom) {
          try Trace.withBaggage(["a": "1"]) { () throws(Boom) in throw Boom() }
        } catch {}
        #expect(Trace.propagateContext() == before)
      }
      await #expect(throws: Boom.self) {
        try await Trace.withPropagatedContext(self.remote) {
          await Task.yield()
          throw Boom()
        }
      }
      #expect(Trace.propagateContext().isEmpty)
    }
  }

  @Test("an asynchronous body runs where its caller is isolated")
  func isolation() async {
    actor Place {
      var count = 0
      func work(_ context: TraceContext) async {
        await Trace.withPropagatedContext(context) {
          self.count += 1
          await Task.yield()
          self.assertIsolated()
        }
        await Trace.withBaggage(["a": "1"]) {
          await Task.yield()
          self.count += 1
          self.assertIsolated()
        }
      }
    }
    let place = Place()
    await place.work(remote)
    #expect(await place.count == 2)
  }

  @Test("outside any process, too")
  func plain() async throws {
    #expect(Trace.propagateContext().isEmpty && Trace.baggage.isEmpty)
    await Trace.withPropagatedContext(remote) {
      #expect(Trace.baggage["user"] == "ada" && Trace.propagateContext() == remote)
      Trace.withSpan("sync") { #expect(Trace.currentTraceID == remote.traceID) }
      await Trace.withSpan("async") {
        await Task.yield()
        #expect(Trace.currentTraceID == remote.traceID && Trace.baggage["user"] == "ada")
      }
    }
    try await SpanManager.settle()
  }

  @Test("what came in goes out: the trace, its state, its flags, the baggage, the span as parent")
  func resend() async throws {
    try await withProcess(on: node) { _ in
      for flags in ["01", "03"] {
        var incoming = Self.headers
        incoming["traceparent"] = incoming["traceparent"]!.dropLast(2) + flags
        try Trace.withPropagatedContext(TraceContext(headers: incoming)) {
          try Trace.withSpan("server") {
            var outgoing = ["TraceState": "stale=1"]
            Trace.propagateContext().inject(into: &outgoing)
            let span = try #require(Trace.propagateContext().parent?.spanID)
            #expect(
              outgoing == [
                "traceparent": "00-0af7651916cd43dd8448eb211c80319c-\(span)-\(flags)",
                "tracestate": "congo=t61rcWkgMzE", "baggage": "user=ada",
              ])
            #expect("\(span)" != "b7ad6b7169203331")
          }
        }
      }
    }
  }

  @Test("a trace that is not recorded there is not recorded here, and is passed on as such")
  func unsampled() async throws {
    let recorder = try SpanRecorder(node: node)
    await withProcess(on: node) { _ in
      for flags in ["00", "02"] {
        var incoming = Self.headers
        incoming["traceparent"] = incoming["traceparent"]!.dropLast(2) + flags
        Trace.withPropagatedContext(TraceContext(headers: incoming)) {
          Trace.withSpan("unseen") {
            let context = Trace.propagateContext()
            #expect(context.traceID == remote.traceID && context.baggage == remote.baggage)
            #expect(context.parent?.state == remote.parent?.state)
            #expect(context.headers[0].value.hasSuffix("-" + flags))
          }
        }
      }
    }
    #expect(recorder.spans.isEmpty && recorder.startedCount == 0)
  }

  @Test("a trace that begins here says that its id is random; a malformed header begins one")
  func newTrace() async {
    await withProcess(on: node) { _ in
      let broken = TraceContext(headers: [
        "traceparent": "nonsense", "tracestate": "a=1", "baggage": "k=v",
      ])
      Trace.withSpan("elsewhere") {
        let outer = Trace.currentTraceID
        Trace.withPropagatedContext(broken) {
          #expect(Trace.currentTraceID == nil && Trace.currentSpan == nil)
          #expect(Trace.baggage["k"] == "v")
          Trace.withSpan("first") {
            let context = Trace.propagateContext()
            #expect(context.traceID != outer && Trace.currentSpan?.parentID == nil)
            #expect(context.parent?.flags == [.sampled, .random])
            #expect(context.parent?.state.isEmpty == true && context.baggage["k"] == "v")
          }
        }
      }
    }
  }

  @Test(
    "baggage goes with every message: call, cast, send, spawn, timer; and from server to server")
  func envelopes() async throws {
    let first = try await Station.start(on: node) { Station() }
    let second = try await Station.start(on: node) { Station() }
    let pid = try #require(first.pid)
    try await withProcess(on: node) { context in
      try await Trace.withBaggage(["user": "ada"]) {
        #expect(try await first.call { .look($0) }.baggage["user"] == "ada")
        #expect(try await first.call { .passOn(second, $0) }?.baggage["user"] == "ada")
        first.cast(.look(context.pid))
        #expect(try await context.receive(TraceContext.self).baggage["user"] == "ada")
        context.send(context.pid, to: pid)
        #expect(try await context.receive(TraceContext.self).baggage["user"] == "ada")
        try context.send(context.pid, to: pid, after: .milliseconds(1))
        #expect(try await context.receive(TraceContext.self).baggage["user"] == "ada")
        spawn { [me = context.pid] _ in me.send(Trace.propagateContext()) }
        #expect(try await context.receive(TraceContext.self).baggage["user"] == "ada")
      }
      #expect(try await first.call { .look($0) }.isEmpty)
      first.cast(.look(context.pid))
      #expect(try await context.receive(TraceContext.self).isEmpty)
    }
  }

  @Test("a remote context goes with messages as the sender's own span does")
  func throughMessages() async throws {
    let station = try await Station.start(on: node) { Station() }
    try await withProcess(on: node) { _ in
      try await Trace.withPropagatedContext(remote) {
        #expect(try await station.call { .look($0) } == self.remote)
        let span = try #require(try await station.call { .work($0) })
        #expect(span.traceID == self.remote.traceID && span.parentID == self.remote.parent?.spanID)
      }
      // A span that only startSpan knows of, with baggage around it.
      let loose = try #require(Trace.startSpan("loose"))
      try await Trace.withBaggage(["a": "1"]) {
        #expect(Trace.currentSpan?.id == loose.id)
        let seen = try await station.call { .look($0) }
        #expect(seen.parent?.spanID == loose.id && seen.baggage["a"] == "1")
      }
      Trace.endSpan(loose)
    }
  }

  @Test("baggage is added to, replaced and cut within its scope")
  func baggageScopes() async throws {
    let dropped = Recorded()
    try node.telemetry.attach("drops", to: .baggageDropped) { _, measurements, _ in
      dropped.add(measurements["count", as: Int.self] ?? 0)
    }
    await withProcess(on: node) { _ in
      Trace.withBaggage(["a": "1", "b": "2"]) {
        Trace.withBaggage(["b": "3"]) { #expect("\(Trace.baggage)" == "a=1,b=3") }
        Trace.withBaggage(["c": "4"], replacing: true) { #expect("\(Trace.baggage)" == "c=4") }
        Trace.withBaggage([:], replacing: true) { #expect(Trace.baggage.isEmpty) }
        #expect("\(Trace.baggage)" == "a=1,b=2" && dropped.count == 0)
        let full = Baggage(header: (0..<64).map { "k\($0)=v" }.joined(separator: ","))
        Trace.withBaggage(full) {
          #expect(Trace.baggage == full && dropped.count == 2)
        }
      }
      #expect(Trace.baggage.isEmpty)
    }
  }
}

private final class Recorded: Sendable {
  private let sum = Lock(0)
  func add(_ number: Int) { sum.withLock { $0 += number } }
  var count: Int { sum.withLock { $0 } }
}
