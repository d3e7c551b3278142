import Synchronization

extension Telemetry {
  /// Does the work and executes an event before and one after it.
  ///
  ///     let rows = try telemetry.span(queryEvents, ["table": "users"]) { end in
  ///       let rows = try database.query("users")
  ///       end.measurements["rows"] = rows.count
  ///       return rows
  ///     }
  ///
  /// The events are ``TelemetrySpanEvents/start``, then ``TelemetrySpanEvents/stop`` if the work
  /// returns or ``TelemetrySpanEvents/exception`` if it throws. A process that is killed meanwhile
  /// throws from its work when that gives in to the cancellation, so it is an exception then.
  ///
  /// - Parameters:
  ///   - events: which events.
  ///   - metadata: for all three of them; the stop event's can be changed by the work.
  ///   - work: called once, here. Its argument says what the stop event carries.
  /// - Returns: what the work returns.
  /// - Throws: what the work throws, after the event.
  ///
  /// OTP: `:telemetry.span/3`, where the stop's metadata do not begin with those of the start.
  public func span<Result: ~Copyable, Failure: Error>(
    _ events: TelemetrySpanEvents, _ metadata: TelemetryValues = [:],
    _ work: (_ end: inout TelemetrySpanEnd) throws(Failure) -> Result
  ) throws(Failure) -> Result {
    let span = begin(events, metadata)
    var end = TelemetrySpanEnd(metadata: metadata)
    do throws(Failure) {
      let result = try work(&end)
      stop(span, end)
      return result
    } catch {
      fail(span, error)
      throw error
    }
  }

  /// Does the work and executes an event before and one after it.
  ///
  ///     let rows = try telemetry.span(queryEvents, ["table": "users"]) { try database.query("users") }
  ///
  /// OTP: `:telemetry.span/3`.
  public func span<Result: ~Copyable, Failure: Error>(
    _ events: TelemetrySpanEvents, _ metadata: TelemetryValues = [:],
    _ work: () throws(Failure) -> Result
  ) throws(Failure) -> Result {
    try span(events, metadata) { _ throws(Failure) in try work() }
  }

  /// Does the work, which may wait, and executes an event before and one after it.
  ///
  ///     let rows = try await telemetry.span(queryEvents, ["table": "users"]) { end in
  ///       let rows = try await database.query("users")
  ///       end.measurements["rows"] = rows.count
  ///       return rows
  ///     }
  ///
  /// The work runs where the caller runs: in an actor it is isolated to that actor.
  ///
  /// OTP: `:telemetry.span/3`, where the stop's metadata do not begin with those of the start.
  public func span<Result: ~Copyable, Failure: Error>(
    _ events: TelemetrySpanEvents, _ metadata: TelemetryValues = [:],
    _ work: (_ end: inout TelemetrySpanEnd) async throws(Failure) -> Result
  ) async throws(Failure) -> Result {
    let span = begin(events, metadata)
    var end = TelemetrySpanEnd(metadata: metadata)
    do throws(Failure) {
      let result = try await work(&end)
      stop(span, end)
      return result
    } catch {
      fail(span, error)
      throw error
    }
  }

  /// Does the work, which may wait, and executes an event before and one after it.
  ///
  /// OTP: `:telemetry.span/3`.
  public func span<Result: ~Copyable, Failure: Error>(
    _ events: TelemetrySpanEvents, _ metadata: TelemetryValues = [:],
    _ work: () async throws(Failure) -> Result
  ) async throws(Failure) -> Result {
    try await span(events, metadata) { _ async throws(Failure) in try await work() }
  }
}

extension Telemetry {
  /// A span under way.
  private struct Begun {
    let events: TelemetrySpanEvents
    let metadata: TelemetryValues
    let context: TelemetrySpanContext
    let time: Int
  }

  private func begin(_ events: TelemetrySpanEvents, _ metadata: TelemetryValues) -> Begun {
    let number = lastSpan.wrappingAdd(1, ordering: .relaxed).newValue
    let span = Begun(
      events: events, metadata: metadata, context: TelemetrySpanContext(number: number),
      time: monotonicNanoseconds)
    execute(
      events.start, ["monotonic_time": span.time, "system_time": wallNanoseconds],
      Self.metadata(metadata, of: span))
    return span
  }

  private func stop(_ span: Begun, _ end: TelemetrySpanEnd) {
    execute(
      span.events.stop, end.measurements.merging(times(of: span)),
      Self.metadata(end.metadata, of: span))
  }

  private func fail(_ span: Begun, _ error: any Error) {
    execute(
      span.events.exception, times(of: span),
      Self.metadata(
        span.metadata.merging(["kind": "error", "reason": error, "stacktrace": [String]()]),
        of: span))
  }

  private func times(of span: Begun) -> TelemetryValues {
    let now = monotonicNanoseconds
    return ["duration": now - span.time, "monotonic_time": now]
  }

  private static func metadata(_ metadata: TelemetryValues, of span: Begun) -> TelemetryValues {
    var metadata = metadata
    if metadata["telemetry_span_context"] == nil {
      metadata["telemetry_span_context"] = span.context
    }
    return metadata
  }
}
