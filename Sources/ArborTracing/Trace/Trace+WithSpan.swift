import ArborProcesses

extension Trace {
  /// Runs `body` inside a span, which ends with it: `ok`, or as an error that carries what the
  /// body threw.
  ///
  ///     let total = try Trace.withSpan("count", ["file": path]) { try count(path) }
  ///
  /// Outside any process it opens one for the scope.
  ///
  /// - Parameters:
  ///   - name: what the work is called.
  ///   - attributes: what is known about it.
  /// - Throws: what the body throws.
  public static func withSpan<Value, Failure: Error>(
    _ name: String, _ attributes: @autoclosure () -> Attributes = [:],
    _ body: () throws(Failure) -> Value
  ) throws(Failure) -> Value {
    let ambient = Ambient.current
    guard let core = ambient?.process else {
      let core = ProcessCore(node: .current, parent: nil)
      defer { core.finishScope(.normal) }
      return try run(name, attributes(), Tracer(core, under: ambient?.cursor), body)
    }
    return try run(name, attributes(), Tracer(core, under: ambient?.cursor), body)
  }

  private static func run<Value, Failure: Error>(
    _ name: String, _ attributes: Attributes, _ tracer: Tracer,
    _ body: () throws(Failure) -> Value
  ) throws(Failure) -> Value {
    let span = tracer.open(name, attributes, isScoped: true)
    let result = Ambient.local.withValue(tracer.ambient(inside: span)) {
      () -> Result<Value, Failure> in
      do throws(Failure) { return .success(try body()) } catch { return .failure(error) }
    }
    tracer.end(span.id, status(of: result))
    return try result.get()
  }

  /// Runs an asynchronous `body` inside a span, where the caller is isolated.
  ///
  ///     try await Trace.withSpan("checkout", ["cart": 3]) {
  ///       try await inventory.call { .reserve(item, $0) }
  ///     }
  ///
  /// Parameters and errors as for the synchronous one. If the process is ended in the middle the
  /// span is closed by the ``SpanManager``, with the exit reason.
  public static func withSpan<Value, Failure: Error>(
    _ name: String, _ attributes: @autoclosure () -> Attributes = [:],
    isolation: isolated (any Actor)? = #isolation,
    _ body: () async throws(Failure) -> Value
  ) async throws(Failure) -> Value {
    let ambient = Ambient.current
    guard let core = ambient?.process else {
      let attributes = attributes()
      return try await withProcess { context async throws(Failure) -> Value in
        _ = isolation
        return try await run(
          name, attributes, Tracer(context.core, under: ambient?.cursor), isolation: isolation, body
        )
      }
    }
    return try await run(
      name, attributes(), Tracer(core, under: ambient?.cursor), isolation: isolation, body)
  }

  private static func run<Value, Failure: Error>(
    _ name: String, _ attributes: Attributes, _ tracer: Tracer,
    isolation: isolated (any Actor)?,
    _ body: () async throws(Failure) -> Value
  ) async throws(Failure) -> Value {
    let span = tracer.open(name, attributes, isScoped: true)
    let result = await Ambient.local.withValue(tracer.ambient(inside: span)) {
      () async -> Result<Value, Failure> in
      _ = isolation  // so that the closure runs where the caller is
      do throws(Failure) { return .success(try await body()) } catch { return .failure(error) }
    }
    tracer.end(span.id, status(of: result))
    return try result.get()
  }

  private static func status<Value, Failure>(of result: Result<Value, Failure>) -> TraceSpan.Status
  {
    switch result {
    case .success: .ok
    case .failure(let error): .error("\(error)")
    }
  }
}
