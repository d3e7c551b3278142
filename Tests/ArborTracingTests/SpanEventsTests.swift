import ArborPrimitives
import ArborProcesses
import ArborTelemetry
import ArborTracing
import Testing

private struct Sold: Error {}

/// What the five events of a span carry.
@Suite final class SpanEventsTests {
  let node = Node(workers: 2)
  deinit { node.shutdown() }

  private typealias Heard = (
    event: TelemetryEvent, measurements: TelemetryValues, metadata: TelemetryValues
  )

  private func listen() throws -> @Sendable () -> [Heard] {
    let heard = Lock<[Heard]>([])
    try node.telemetry.attach(
      "listener", to: [.spanStart, .spanStop, .spanAttributes, .spanEvent, .spanLink]
    ) { event, measurements, metadata in
      heard.withLock { $0.append((event, measurements, metadata)) }
    }
    return { heard.withLock { $0 } }
  }

  @Test("names, ids, status, times and attributes are in the events of a span's life")
  func life() async throws {
    let heard = try listen()
    let ids = await withProcess(on: node) { context in
      Trace.withSpan("outer") {
        Trace.withSpan("inner", ["cart": 3, "span_id": "mine"], kind: .producer) {
          Trace.addAttributes(["late": true])
          Trace.recordEvent("packed", ["box": 1])
          Trace.linkSpan(SpanID(5), in: TraceID(high: 6, low: 7), ["why": "batch"])
          return (context.pid.id, Trace.currentSpan, Trace.currentTraceID)
        }
      }
    }
    let span = try #require(ids.1)
    let inner = heard().filter { $0.metadata["span_name"] as? String == "inner" }
    #expect(
      inner.map(\.event.description) == [
        "foundation.span.start", "foundation.span.attributes", "foundation.span.event",
        "foundation.span.link", "foundation.span.stop",
      ])
    for (_, measurements, metadata) in inner {
      #expect(measurements["monotonic_time"] is Int && measurements["system_time"] is Int)
      #expect(measurements["timestamp", as: Int.self] == measurements["system_time", as: Int.self])
      // Its own names come before those of its attributes.
      #expect(metadata["span_id", as: SpanID.self] == span.id)
      #expect(metadata["trace_id", as: TraceID.self] == ids.2)
      #expect(metadata["parent_id", as: SpanID.self] == span.parentID)
      #expect(metadata["name", as: String.self] == "inner")
      #expect(metadata["kind", as: TraceSpan.Kind.self] == .producer)
      #expect(metadata["process", as: UInt64.self] == ids.0)
      #expect(metadata["cart", as: AttributeValue.self] == .int(3))
      #expect(metadata["span", as: TraceSpan.self]?.id == span.id)
    }
    let (start, stop) = (inner[0], inner[4])
    #expect(start.metadata["status", as: TraceSpan.Status.self] == .open)
    #expect(stop.metadata["status", as: TraceSpan.Status.self] == .ok)
    #expect(stop.metadata["error"] == nil && stop.metadata["late"] != nil)
    let duration = try #require(stop.measurements["duration", as: Int.self])
    let times = [start, stop].compactMap { $0.measurements["monotonic_time", as: Int.self] }
    #expect(duration == times[1] - times[0] && duration >= 0)
    #expect(inner[1].metadata["attributes", as: Attributes.self] == ["late": true])
    #expect(inner[1].measurements["count", as: Int.self] == 1)
    #expect(inner[2].metadata["event_name", as: String.self] == "packed")
    #expect(inner[2].metadata["attributes", as: Attributes.self] == ["box": 1])
    #expect(inner[3].metadata["linked_span_id", as: SpanID.self] == SpanID(5))
    #expect(inner[3].metadata["linked_trace_id", as: TraceID.self] == TraceID(high: 6, low: 7))
    // A root has no parent to name.
    #expect(heard()[0].metadata["parent_id"] == nil)
  }

  @Test("a failure says what was thrown; a death says its reason and causes")
  func failure() async throws {
    let heard = try listen()
    let pid = await withProcess(on: node) { context in
      try? Trace.withSpan("fails") { () throws(Sold) in throw Sold() }
      let (pid, ref) = context.spawnMonitor { context in
        Trace.startSpan("dies")
        _ = try await context.receive(Int.self)
      }
      while SpanManager.stack(of: pid).isEmpty { try? await context.sleep(for: .microseconds(50)) }
      context.sendExit(.shutdown("closing time"), to: pid)
      _ = try? await context.receive(Down.self, where: { $0.ref == ref })
      return pid
    }
    try await SpanManager.settle(pid)
    let stops = heard().filter { $0.event == .spanStop }
    #expect(stops[0].metadata["error", as: String.self] == "Sold()")
    #expect(stops[0].metadata["reason"] == nil)
    #expect(stops[1].metadata["error", as: String.self] == "shutdown(closing time)")
    #expect(stops[1].metadata["reason", as: ExitReason.self] == .shutdown("closing time"))
    let causes = try #require(stops[1].metadata["causes", as: [ExitCause].self])
    #expect(causes.map(\.route) == [.signal])
  }
}
