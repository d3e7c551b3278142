public import ArborBehaviours
public import ArborProcesses
public import ArborTelemetry

extension BatchSpanProcessor {
  /// Exports at once if there is reason to, else waits for the rest of a batch.
  func goOn() {
    let (isEmpty, hasBatch) = queue.withMachine { ($0.isEmpty, $0.hasBatch) }
    if hasBatch || !waiters.isEmpty { return exportNext() }
    if isEmpty || export != nil || tick != nil { return }
    tick = try? process.send(Tick(), to: process.pid, after: interval)
  }

  /// Exports the next batch, unless one is under way: its end leads back here.
  func exportNext() {
    if export != nil { return }
    let spans = queue.withMachine { $0.takeBatch() }
    if spans.isEmpty { return }
    tick?.cancel()
    tick = nil
    let node = process.node
    let batch = SpanBatch(spans: spans, wallOffset: node.clock.wallTime() &- node.clock.now())
    let worker = runApart { [exporter] in try await exporter.export(batch) }
    let deadline = try? process.send(
      Deadline(worker: worker.pid), to: process.pid, after: timeout)
    export = Export(
      worker: worker.pid, ref: worker.ref, deadline: deadline, begun: node.clock.now(),
      count: spans.count)
  }

  /// Runs the exporter's code in a process that nobody else depends on, outside of every trace that
  /// is recorded.
  func runApart(
    _ body: @escaping @Sendable () async throws -> Void
  ) -> (pid: PID, ref: MonitorRef) {
    // Linked, so that it does not outlive a processor that is killed.
    let worker = process.spawnLink(as: "span export") { _ in
      try await Trace.withoutRecording { try await body() }
    }
    return (worker, process.monitor(worker))
  }

  func finishExport(_ reason: ExitReason) {
    guard let done = export else { return }
    export = nil
    done.deadline?.cancel()
    let hasFailed = reason != .normal
    let drops = queue.withMachine { machine in
      machine.finish(hasFailed: hasFailed)
      return machine.statistics.dropped
    }
    answerWaiters()
    let newDrops = drops - reportedDrops
    reportedDrops = drops
    let duration = process.node.clock.now() - done.begun
    process.node.telemetry.execute(
      hasFailed ? .spanExportFailed : .spansExported,
      ["count": done.count, "dropped": newDrops, "duration": Int(clamping: duration)],
      ["processor": name, "exporter": "\(type(of: exporter))", "reason": reason])
  }

  func answerWaiters() {
    let settled = queue.withMachine { $0.settled }
    for waiter in waiters where waiter.target <= settled { waiter.from.reply() }
    waiters.removeAll { $0.target <= settled }
  }

  /// The end: what the queue still holds, then the exporter's own.
  func exportWhatIsLeft() async {
    process.node.telemetry.detach(handlerID)
    repeat {
      if let export { finishExport(await end(of: export.worker, export.ref)) }
      exportNext()
    } while export != nil
    queue.serve(nil)
    SpanQueues.of(process.node).remove(name)
    let worker = runApart { [exporter] in await exporter.shutdown() }
    _ = await end(of: worker.pid, worker.ref)
  }

  /// Waits for a worker, and kills it when its time is over.
  private func end(of worker: PID, _ ref: MonitorRef) async -> ExitReason {
    for limit in [timeout, nil] {
      if let down = try? await process.receive(
        Down.self, timeout: limit, where: { $0.ref == ref })
      {
        return down.reason
      }
      process.sendExit(.kill, to: worker)
    }
    return .killed
  }
}

extension ServerRef<BatchSpanProcessor> {
  /// Returns once all spans that have ended by now have been exported, or have failed to be.
  ///
  /// - Parameter timeout: how long to wait, five seconds if not said; nil waits without end. The
  ///   export goes on either way.
  /// - Throws: ``CallError``: `timeout`, `noproc`, `cancelled`.
  public func flush(timeout: Duration? = .seconds(5)) async throws(CallError) {
    try await call(timeout: timeout) { .flush($0) }
  }

  /// What became of the spans so far.
  ///
  /// - Throws: ``CallError`` if there is no processor.
  public var statistics: ExportStatistics {
    get async throws(CallError) { try await call { .statistics($0) } }
  }
}

extension TelemetryEvent {
  /// A batch of spans was exported. Measurements: `count`, `duration` in nanoseconds, and `dropped`, the
  /// spans that found the queue full since the last such event. Metadata: `processor`, its name;
  /// `exporter`, its type; `reason`, the ``ExitReason`` of the export.
  public static let spansExported = TelemetryEvent("arbor", "tracing", "exported")
  /// A batch of spans was not exported, and will not be. As ``spansExported``; `reason` says why.
  public static let spanExportFailed = TelemetryEvent("arbor", "tracing", "export_failed")
}
