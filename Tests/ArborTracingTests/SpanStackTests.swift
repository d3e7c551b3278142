import ArborProcesses
import ArborTracing
import Testing

/// The SpanManager's own face: stacks as a whole, of the caller and of others.
@Suite final class SpanStackTests {
  let node = Node(workers: 2)
  deinit { node.shutdown() }

  /// A process that says, whenever it is asked, which span it is in.
  private func worker(_ context: ProcessContext) -> PID {
    let me = context.pid
    return context.spawnLink { worker in
      while true {
        let question = try await worker.receive(String.self)
        if question == "open" { Trace.startSpan("own") }
        worker.send(Answer(span: Trace.currentSpan), to: me)
      }
    }
  }
  private struct Answer: Sendable { let span: TraceSpan? }
  private func ask(
    _ pid: PID, _ question: String, _ context: ProcessContext
  ) async throws -> TraceSpan? {
    context.send(question, to: pid)
    return try await context.receive(Answer.self).span
  }

  @Test("push, updateTop and pop work on another process, which is then in that span")
  func others() async throws {
    let recorder = try SpanRecorder(node: node)
    try await withProcess(on: node) { context in
      let pid = worker(context)
      let span = TraceSpan("given", ["a": 1], kind: .consumer)
      #expect(SpanManager.push(span, of: pid))
      #expect(try await ask(pid, "current", context)?.id == span.id)
      let own = try await ask(pid, "open", context)
      #expect(own?.name == "own" && own?.parentID == span.id && own?.traceID == span.traceID)
      #expect(SpanManager.stack(of: pid).map(\.name) == ["given", "own"])
      #expect(SpanManager.stack(of: pid)[0].processID == pid.id)
      let updated = SpanManager.updateTop(of: pid) { $0.metadata["b"] = .int(2) }
      #expect(updated?.metadata == ["b": 2])
      #expect(SpanManager.pop(of: pid)?.name == "own")
      #expect(try await ask(pid, "current", context)?.id == span.id)
      #expect(SpanManager.clear(of: pid) == 1 && SpanManager.clear(of: pid) == 0)
      #expect(SpanManager.pop(of: pid) == nil && SpanManager.updateTop(of: pid) { _ in } == nil)
      #expect(try await ask(pid, "current", context) == nil)
    }
    #expect(recorder.spans.map(\.name) == ["own", "given"])
    #expect(recorder.spans.allSatisfy { $0.status == .ok } && recorder.startedCount == 2)
    #expect(recorder.spans[0].metadata == ["b": 2] && recorder.spans[1].kind == .consumer)
  }

  @Test("setStack starts what is new, ends what is gone, and leaves the rest open")
  func replaced() async throws {
    let recorder = try SpanRecorder(node: node)
    await withProcess(on: node) { _ in
      Trace.startSpan("a")
      Trace.startSpan("b")
      Trace.startSpan("c")
      let stack = SpanManager.stack()
      let new = TraceSpan("d", parent: stack[0])
      #expect(SpanManager.setStack([stack[0], new]))
      #expect(SpanManager.stack().map(\.name) == ["a", "d"] && recorder.startedCount == 4)
      #expect(recorder.spans.map(\.name) == ["c", "b"])
      #expect(Trace.currentSpan?.id == new.id)
      #expect(SpanManager.setStack([]) && Trace.currentSpan == nil)
    }
    #expect(recorder.spans.map(\.name) == ["c", "b", "d", "a"])
  }

  @Test("a process that has ended is left alone")
  func dead() async throws {
    let recorder = try SpanRecorder(node: node)
    try await withProcess(on: node) { context in
      let (pid, _) = context.spawnMonitor { _ in Trace.startSpan("left") }
      _ = try await context.receive(Down.self)
      #expect(!SpanManager.push(TraceSpan("late"), of: pid) && SpanManager.pop(of: pid) == nil)
      #expect(!SpanManager.setStack([TraceSpan("late")], of: pid))
      #expect(SpanManager.clear(of: pid) == 0 && SpanManager.updateTop(of: pid) { _ in } == nil)
      try await SpanManager.settle(pid)
      #expect(SpanManager.stack(of: pid).isEmpty)
    }
    #expect(recorder.spans.map(\.name) == ["left"] && recorder.startedCount == 1)
    #expect(SpanManager.rowCount(on: node) == 0)
  }

  @Test("updateTop runs in its caller, again if somebody was faster, and lets its error out")
  func update() async throws {
    struct No: Error {}
    let recorder = try SpanRecorder(node: node)
    await withProcess(on: node) { context in
      Trace.startSpan("top")
      var tries = 0
      let span = SpanManager.updateTop { span in
        tries += 1
        if tries == 1 { Trace.addAttributes(["faster": true]) }
        span.metadata["tries"] = .int(tries)
      }
      #expect(span?.metadata == ["faster": true, "tries": 2])
      #expect(throws: No.self) { try SpanManager.updateTop { _ throws(No) in throw No() } }
      #expect(SpanManager.updateTop { $0.status = .error("said so") } != nil)
      #expect(Trace.endSpan())
    }
    // Its end does not make it well.
    #expect(recorder.spans.map(\.status) == [.error("said so")])
  }

  @Test("openSpans are oldest first, each with its owner and its age")
  func open() async throws {
    try await withProcess(on: node) { context in
      Trace.startSpan("first")
      let pid = worker(context)
      _ = try await ask(pid, "open", context)
      Trace.startSpan("third")
      let open = SpanManager.openSpans(on: node)
      #expect(open.map(\.span.name) == ["first", "own", "third"])
      #expect(open.map(\.owner) == [context.pid, pid, context.pid])
      #expect(open[0].age >= open[1].age && open[1].age >= open[2].age && open[2].age >= .zero)
    }
  }
}
