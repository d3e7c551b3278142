import ArborTelemetry
import Testing

/// The cases of telemetry's own suite, by their ids.
@Suite struct ConformanceTests {
  let telemetry = Telemetry()
  let recorder = Recorder()
  let action = TelemetrySpanEvents("some", "action")

  @Test("TEL:bad_event_names")
  func badEventNames() {
    // A name without parts is all that the type leaves to be refused.
    #expect(TelemetryEvent(parts: []) == nil)
    #expect(TelemetryEvent(parts: ["a", "test", "event"]) == .test)
  }

  @Test("TEL:duplicate_attach")
  func duplicateAttach() throws {
    try telemetry.attach("id", to: .test, handler: recorder.handler)
    #expect(throws: TelemetryError.alreadyExists("id")) {
      try telemetry.attach("id", to: .first, handler: recorder.handler)
    }
    // The refused one is attached to nothing, the first one still stands.
    telemetry.execute(.first)
    telemetry.execute(.test)
    #expect(recorder.events == [.test])
  }

  @Test("TEL:invoke_handler")
  func invokeHandler() throws {
    try telemetry.attach("id", to: .test, handler: recorder.handler)
    telemetry.execute(.test, ["data": 3], ["some": "metadata"])
    let call = try #require(recorder.calls.first)
    #expect(call.event == .test)
    #expect(call.measurements["data", as: Int.self] == 3)
    #expect(call.metadata["some", as: String.self] == "metadata")
    #expect(recorder.calls.count == 1)
  }

  @Test("TEL:list_for_prefix", arguments: [[], ["a"], ["a", "test"], ["a", "test", "event"]])
  func listForPrefix(_ prefix: [String]) throws {
    try telemetry.attach("id", to: .test, handler: recorder.handler)
    #expect(
      telemetry.handlers(withPrefix: prefix).map { "\($0.id) \($0.event)" } == [
        "id a.test.event"
      ])
    #expect(telemetry.handlers(withPrefix: ["a", "test", "event", "more"]).isEmpty)
    #expect(telemetry.handlers(withPrefix: ["a", "te"]).isEmpty)
  }

  @Test("TEL:detach_on_exception")
  func detachOnException() throws {
    try telemetry.attach("failing", to: .test, handler: failing)
    try telemetry.attach("failures", to: .handlerFailure, handler: recorder.handler)
    telemetry.execute(.test, ["some": 1], ["some": "metadata"])

    let failure = try #require(recorder.calls.first)
    #expect(recorder.calls.count == 1)
    #expect(failure.metadata["event_name", as: TelemetryEvent.self] == .test)
    #expect(failure.metadata["handler_id", as: String.self] == "failing")
    #expect(failure.metadata["kind", as: String.self] == "error")
    #expect(failure.metadata["reason", as: Refusal.self] == .gotEvent)
    #expect(Set(failure.measurements.names) == ["monotonic_time", "system_time"])

    #expect(telemetry.handlers(withPrefix: .test).isEmpty)
    #expect(!telemetry.detach("failing"))
    #expect(!telemetry.detach("never was"))
  }

  @Test("TEL:no_execute_detached")
  func noExecuteDetached() throws {
    try telemetry.attach("id", to: .test, handler: recorder.handler)
    #expect(telemetry.detach("id"))
    telemetry.execute(.test)
    #expect(recorder.calls.isEmpty)
  }

  @Test("TEL:no_execute_on_prefix")
  func noExecuteOnPrefix() throws {
    try telemetry.attach("id", to: .test, handler: recorder.handler)
    telemetry.execute(TelemetryEvent("a", "test"), ["data": 3])
    #expect(recorder.calls.isEmpty)
  }

  @Test("TEL:no_execute_on_specific")
  func noExecuteOnSpecific() throws {
    try telemetry.attach("id", to: TelemetryEvent("a", "test"), handler: recorder.handler)
    telemetry.execute(TelemetryEvent("a", "test", "event", "specific"), ["data": 3])
    #expect(recorder.calls.isEmpty)
  }

  @Test("TEL:handler_on_multiple_events")
  func handlerOnMultipleEvents() throws {
    try telemetry.attach("id", to: [.first, .second, .third], handler: recorder.handler)
    telemetry.execute(.first, ["data": 3])
    telemetry.execute(.second, ["data": 4])
    telemetry.execute(.third, ["data": 5])
    #expect(recorder.events == [.first, .second, .third])
    #expect(recorder.calls.map { $0.measurements["data", as: Int.self] } == [3, 4, 5])
  }

  @Test("TEL:remove_all_handler_on_failure")
  func removeAllHandlerOnFailure() throws {
    try telemetry.attach("id", to: [.first, .second, .third], handler: failing)
    telemetry.execute(.first)
    #expect(telemetry.handlers().isEmpty)
  }

  @Test("TEL:list_handler_on_many")
  func listHandlerOnMany() throws {
    let events: [TelemetryEvent] = [.first, .second, .third]
    try telemetry.attach("id", to: events, handler: recorder.handler)
    #expect(telemetry.handlers().map(\.event) == events)
    for event in events { #expect(telemetry.handlers(withPrefix: event).map(\.id) == ["id"]) }
  }

  @Test("TEL:detach_from_all")
  func detachFromAll() throws {
    try telemetry.attach("id", to: [.first, .second, .third], handler: recorder.handler)
    #expect(telemetry.detach("id"))
    for event in [TelemetryEvent.first, .second, .third] { telemetry.execute(event) }
    #expect(recorder.calls.isEmpty && telemetry.handlers().isEmpty)
  }

  @Test("TEL:default_metadata")
  func defaultMetadata() throws {
    try telemetry.attach("id", to: .first, handler: recorder.handler)
    telemetry.execute(.first, ["data": 3])
    #expect(recorder.calls.map(\.metadata.isEmpty) == [true])
  }

  @Test("TEL:off_execute")
  func offExecute() throws {
    try telemetry.attach("id", to: .first, handler: recorder.handler)
    telemetry.detachAll()
    telemetry.execute(.first)
    telemetry.execute(TelemetryEvent("event", "name"))
    #expect(recorder.calls.isEmpty)
    // On again, with the id free.
    try telemetry.attach("id", to: .first, handler: recorder.handler)
    telemetry.execute(.first)
    #expect(recorder.events == [.first])
  }

  @Test("TEL:invoke_successful_span_handlers")
  func invokeSuccessfulSpanHandlers() throws {
    try telemetry.attach("id", to: action.all, handler: recorder.handler)
    let result = telemetry.span(
      action, ["some": "start", "telemetry_span_context": "ctx"]
    ) { end in
      end.metadata = ["other": "stop", "telemetry_span_context": "ctx"]
      end.measurements["bytes"] = 100
      return 42
    }
    #expect(result == 42)
    #expect(recorder.events == [action.start, action.stop])
    let (start, stop) = (recorder.calls[0], recorder.calls[1])
    #expect(start.measurements.names.sorted() == ["monotonic_time", "system_time"])
    #expect(start.metadata.description == "[some: start, telemetry_span_context: ctx]")
    #expect(stop.measurements.names.sorted() == ["bytes", "duration", "monotonic_time"])
    #expect(stop.metadata.description == "[other: stop, telemetry_span_context: ctx]")
  }

  @Test("TEL:invoke_exception_span_handlers", arguments: [false, true])
  func invokeExceptionSpanHandlers(async: Bool) async throws {
    try telemetry.attach("id", to: action.all, handler: recorder.handler)
    let metadata: TelemetryValues = ["some": "start_metadata", "telemetry_span_context": "ctx"]
    await #expect(throws: Refusal.badArithmetic) {
      if async {
        try await telemetry.span(action, metadata) {
          await Task.yield()
          throw Refusal.badArithmetic
        }
      } else {
        try telemetry.span(action, metadata) { throw Refusal.badArithmetic }
      }
    }
    #expect(recorder.events == [action.start, action.exception])
    let exception = try #require(recorder.calls.last)
    #expect(exception.measurements.names.sorted() == ["duration", "monotonic_time"])
    #expect(
      exception.metadata.names.sorted() == [
        "kind", "reason", "some", "stacktrace", "telemetry_span_context",
      ])
    #expect(exception.metadata["kind", as: String.self] == "error")
    #expect(exception.metadata["reason", as: Refusal.self] == .badArithmetic)
    #expect(exception.metadata["telemetry_span_context", as: String.self] == "ctx")
  }

  @Test("TEL:spans_generate_unique_default_contexts")
  func uniqueContexts() throws {
    try telemetry.attach("id", to: action.all, handler: recorder.handler)
    for _ in 1...2 { telemetry.span(action) {} }
    let contexts = recorder.calls.map {
      $0.metadata["telemetry_span_context", as: TelemetrySpanContext.self]
    }
    #expect(contexts.count == 4 && !contexts.contains(nil))
    #expect(contexts[0] == contexts[1] && contexts[2] == contexts[3])
    #expect(contexts[0] != contexts[2])
  }
}
