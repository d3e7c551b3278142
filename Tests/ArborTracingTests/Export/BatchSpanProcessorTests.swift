import ArborBehaviours
import ArborPrimitives
import ArborProcesses
import ArborTelemetry
import ArborTestKit
import ArborTracing
import Testing

/// Keeps what it is given, and does on the way what the test says.
private final class Collector: SpanExporter {
  private let state = Lock<(names: [String], batches: [Int], shutdowns: Int)>(([], [], 0))
  private let behaviour: @Sendable (Int) async throws -> Void

  init(_ behaviour: @escaping @Sendable (_ batch: Int) async throws -> Void = { _ in }) {
    self.behaviour = behaviour
  }

  func export(_ batch: SpanBatch) async throws {
    let number = state.withLock { state in
      state.batches.append(batch.spans.count)
      return state.batches.count
    }
    try await behaviour(number)
    state.withLock { $0.names += batch.spans.map(\.name) }
  }

  func shutdown() async { state.withLock { $0.shutdowns += 1 } }

  var names: [String] { state.withLock { $0.names } }
  var batches: [Int] { state.withLock { $0.batches } }
  var shutdowns: Int { state.withLock { $0.shutdowns } }
}

private struct Boom: Error {}

@Suite struct BatchSpanProcessorTests {
  private static func spans(_ names: String...) { for name in names { Trace.withSpan(name) {} } }

  @Test("a batch goes out when its first span has waited for the interval, or when it is full")
  func schedule() throws {
    try simulate(seeds: 0..<20) { sim in
      let collector = Collector()
      let processor = try await BatchSpanProcessor.start {
        try BatchSpanProcessor(exporter: collector, batchSize: 3, interval: .seconds(5))
      }
      Self.spans("a")
      await sim.advance(by: .seconds(4))
      Self.spans("b")
      try #require(collector.names == [])
      await sim.advance(by: .seconds(1))
      try #require(collector.names == ["a", "b"])
      Self.spans("c", "d", "e", "f")
      await sim.settle()
      try #require(collector.names == ["a", "b", "c", "d", "e"] && collector.batches == [2, 3])
      await sim.advance(by: .seconds(5))
      try #require(collector.names.last == "f")
      let statistics = try await processor.statistics
      try #require(statistics.exported == 6 && statistics.ended == 6)
      try await processor.stop()
      // Nothing is left behind: no timer, no handler.
      try #require(!sim.node.telemetry.hasHandlers(for: .spanStop))
    }
  }

  @Test("a flush returns once everything that has ended by then is out")
  func flush() throws {
    try simulate(seeds: 0..<20) { sim in
      let collector = Collector { _ in
        try await withProcess { try await $0.sleep(for: .seconds(1)) }
      }
      let processor = try await BatchSpanProcessor.start {
        try BatchSpanProcessor(exporter: collector, batchSize: 2)
      }
      try await processor.flush()
      Self.spans("a", "b", "c", "d", "e")
      try await processor.flush()
      try #require(collector.names == ["a", "b", "c", "d", "e"] && sim.now == .seconds(3))
      Self.spans("f", "g", "h")
      await #expect(throws: CallError.timeout) { try await processor.flush(timeout: .seconds(1)) }
      // It goes on all the same.
      await sim.advance(by: .seconds(2))
      try #require(collector.names.count == 8)
    }
  }

  @Test("an exporter that throws, and one that never returns, cost their batch and nothing else")
  func failures() throws {
    try simulate(seeds: 0..<20) { sim in
      let reasons = Lock<[ExitReason]>([])
      try sim.node.telemetry.attach("failures", to: .spanExportFailed) {
        _, measurements, metadata in
        #expect(measurements["count", as: Int.self] == 1)
        reasons.withLock { $0.append(metadata["reason", as: ExitReason.self] ?? .normal) }
      }
      let collector = Collector { batch in
        if batch == 1 { throw Boom() }
        if batch == 2 { try await withProcess { try await $0.sleep(for: .seconds(3600)) } }
      }
      let processor = try await BatchSpanProcessor.start {
        try BatchSpanProcessor(exporter: collector, batchSize: 1, timeout: .seconds(30))
      }
      Self.spans("thrown", "hangs", "fine")
      try #require(sim.now == .zero)
      try await processor.flush(timeout: nil)
      try #require(sim.now == .seconds(30) && collector.names == ["fine"])
      let statistics = try await processor.statistics
      try #require(statistics.failed == 2 && statistics.exported == 1 && statistics.ended == 3)
      try #require(reasons.withLock { $0 } == [.error(Boom()), .killed])
    }
  }

  @Test("a full queue drops, counts and reports; nobody waits for it")
  func overload() throws {
    try simulate(seeds: 0..<20) { sim in
      let reported = Lock(0)
      try sim.node.telemetry.attach("drops", to: .spansExported) { _, measurements, _ in
        reported.withLock { $0 += measurements["dropped", as: Int.self] ?? 0 }
      }
      let collector = Collector { _ in
        try await withProcess { try await $0.sleep(for: .seconds(10)) }
      }
      let processor = try await BatchSpanProcessor.start {
        try BatchSpanProcessor(exporter: collector, capacity: 4, batchSize: 2)
      }
      for number in 0..<20 { Self.spans("\(number)") }
      try #require(sim.now == .zero)
      try await processor.flush(timeout: nil)
      let statistics = try await processor.statistics
      try #require(statistics.dropped == 16 && statistics.exported == 4)
      try #require(reported.withLock { $0 } == 16)
    }
  }

  @Test(
    "a shutdown exports what is left, then shuts the exporter down; a crash leaves it to the next")
  func endings() throws {
    try simulate(seeds: 0..<100) { sim in
      let collector = Collector()
      let tree = try await Supervisor.start(.oneForOne) {
        Child("spans", named: "spans") { try BatchSpanProcessor(exporter: collector, batchSize: 2) }
      }
      Self.spans("a")
      let first = try #require(sim.node.pid(named: "spans"))
      let ref = sim.context.monitor(first)
      first.sendExit(.kill)
      Self.spans("b")
      _ = try await sim.context.receive(Down.self, where: { $0.ref == ref })
      Self.spans("c")
      await sim.settle()
      Self.spans("d", "e")
      try #require(collector.shutdowns == 0)
      try await tree.stop(.shutdown)
      try #require(
        collector.names.sorted() == ["a", "b", "c", "d", "e"] && collector.shutdowns == 1)
      Self.spans("f")
      try #require(!sim.node.telemetry.hasHandlers(for: .spanStop) && collector.names.count == 5)
    }
  }

  @Test("whoever dies when, each span is exported once or counted")
  func chaos() throws {
    try simulate(seeds: 0..<500) { sim in
      let collector = Collector { batch in
        if batch % 5 == 0 { throw Boom() }
        try await withProcess { try await $0.sleep(for: .milliseconds(1)) }
      }
      let tree = try await Supervisor.start(.oneForOne, maxRestarts: 100, within: .seconds(1)) {
        Child("spans", named: "spans") {
          try BatchSpanProcessor(
            exporter: collector, capacity: 10, batchSize: 3, interval: .milliseconds(2))
        }
      }
      let ended = Lock(0)
      try sim.node.telemetry.attach("all", to: .spanStop) { _, _, _ in ended.withLock { $0 += 1 } }
      let workers = (0..<3).map { worker in
        sim.context.spawnMonitor { context in
          for number in 0..<10 {
            Trace.withSpan("\(worker).\(number)") {}
            try await context.sleep(for: .microseconds(300))
          }
        }
      }
      for _ in 0..<3 {
        try await sim.context.sleep(for: .microseconds(sim.random(in: 0..<1_500)))
        sim.node.pid(named: "spans")?.sendExit(.kill)
      }
      for worker in workers {
        _ = try await sim.context.receive(Down.self, where: { $0.ref == worker.ref })
      }
      await sim.settle()
      let processor = ServerRef<BatchSpanProcessor>(named: "spans")
      try await processor.flush()
      let statistics = try await processor.statistics
      try #require(statistics.ended == ended.withLock { $0 })
      try #require(statistics.queued == 0 && statistics.exporting == 0)
      let names = collector.names
      try #require(Set(names).count == names.count)
      // One whose processor was killed just when it had exported counts as failed.
      try #require(names.count >= statistics.exported)
      try await tree.stop(.shutdown)
    }
  }

  @Test("two processors of one node each need their own name, and each get every span")
  func several() throws {
    try simulate(seeds: 0..<20) { sim in
      let (first, second) = (Collector(), Collector())
      let one = try await BatchSpanProcessor.start { try BatchSpanProcessor(exporter: first) }
      let taken = SpanExportError.nameTaken("spans", try #require(one.pid))
      await #expect(throws: StartError.failed(.error(taken))) {
        _ = try await BatchSpanProcessor.start { try BatchSpanProcessor(exporter: second) }
      }
      let two = try await BatchSpanProcessor.start {
        try BatchSpanProcessor(exporter: second, name: "others")
      }
      Self.spans("a", "b")
      for processor in [one, two] { try await processor.stop() }
      try #require(first.names == ["a", "b"] && second.names == ["a", "b"])
    }
  }

  @Test("what an exporter does is not traced, nor is the work of those it calls")
  func quiet() throws {
    try simulate(seeds: 0..<20) { sim in
      let recorder = try SpanRecorder(node: sim.node)
      let collector = Collector { _ in Trace.withSpan("sending") {} }
      let processor = try await BatchSpanProcessor.start {
        try BatchSpanProcessor(exporter: collector, batchSize: 1)
      }
      try await Trace.withSpan("flushing") {
        Self.spans("a")
        try await processor.flush()
      }
      await sim.advance(by: .seconds(60))
      try #require(collector.names == ["a", "flushing"])
      try #require(recorder.spans.map(\.name) == ["a", "flushing"])
    }
  }

  @Test("numbers that make no sense are refused, by name")
  func badOptions() async throws {
    let node = Node(workers: 1)
    defer { node.shutdown() }
    func expect(
      _ name: String, _ value: String, _ make: @escaping @Sendable () throws -> BatchSpanProcessor
    ) async {
      await #expect(throws: StartError.failed(.error(SpanExportError.invalid(name, value)))) {
        _ = try await BatchSpanProcessor.start(on: node) { try make() }
      }
    }
    await expect("capacity", "0") { try BatchSpanProcessor(exporter: Collector(), capacity: 0) }
    await expect("batchSize", "-1") { try BatchSpanProcessor(exporter: Collector(), batchSize: -1) }
    await expect("interval", "-1.0 seconds") {
      try BatchSpanProcessor(exporter: Collector(), interval: .seconds(-1))
    }
    await expect("timeout", "0.0 seconds") {
      try BatchSpanProcessor(exporter: Collector(), timeout: .zero)
    }
  }
}
