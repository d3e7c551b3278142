extension Telemetry {
  /// Says that the event happened: calls its handlers, here and now, in order of attachment.
  ///
  ///     telemetry.execute(.orderPlaced, ["items": 3], ["customer": name])
  ///
  /// Measurements and metadata are made only if the event has a handler, then once. Without one this
  /// costs an atomic load, but for the rare event whose name shares its filter bit with an
  /// attached one.
  ///
  /// Handlers of a longer or a shorter name are not called. What a handler throws never arrives here.
  ///
  /// - Parameters:
  ///   - measurements: numbers; times and durations in nanoseconds.
  ///   - metadata: everything else.
  ///
  /// OTP: `:telemetry.execute/3`.
  @inlinable
  public func execute(
    _ event: TelemetryEvent,
    _ measurements: @autoclosure () -> TelemetryValues = TelemetryValues(),
    _ metadata: @autoclosure () -> TelemetryValues = TelemetryValues()
  ) {
    guard storage.mayHaveHandlers(for: event) else { return }
    let handlers = storage.handlers(to: event)
    guard !handlers.isEmpty else { return }
    run(handlers, event, measurements(), metadata())
  }

  /// Whether it may be worth while to make ready what an event tells: one load. A false "yes" is
  /// possible, a false "no" is not.
  @inlinable
  package func mayHaveHandlers(for event: TelemetryEvent) -> Bool {
    storage.mayHaveHandlers(for: event)
  }

  @usableFromInline
  package func run(
    _ handlers: [AttachedHandler], _ event: TelemetryEvent, _ measurements: TelemetryValues,
    _ metadata: TelemetryValues
  ) {
    for attached in handlers {
      do {
        try attached.handler(event, measurements, metadata)
      } catch {
        // By identity: the id may have been given to another handler since this execution began.
        _ = storage.update { $0.detach(attached) }
        reportFailure(of: attached.id, on: event, error)
      }
    }
  }

  private func reportFailure(of id: String, on event: TelemetryEvent, _ error: any Error) {
    execute(
      .handlerFailure,
      ["monotonic_time": monotonicNanoseconds, "system_time": wallNanoseconds],
      [
        "handler_id": id, "event_name": event, "kind": "error", "reason": error,
        "stacktrace": [String](),
      ])
  }
}
