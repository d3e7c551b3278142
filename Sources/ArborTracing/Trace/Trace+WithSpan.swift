public import ArborProcesses

// Each form stands twice, with attributes and without: were they left out by default, a function
// that is given as the body would be taken for them.

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
  ///   - attributes: what is known about it; not evaluated if the span is not sampled.
  ///   - kind: which side of a message it is.
  ///   - body: the work; a function's name will do.
  /// - Throws: what the body throws.
  @inlinable
  public static func withSpan<Value, Failure: Error>(
    _ name: String, _ attributes: @autoclosure () -> Attributes,
    kind: TraceSpan.Kind = .internal, _ body: () throws(Failure) -> Value
  ) throws(Failure) -> Value {
    let scope = SpanScope.open(name, attributes, kind, under: .here)
    return try run(scope, body)
  }

  /// Runs `body` inside a span without attributes.
  ///
  ///     let total = Trace.withSpan("count", count)
  ///
  /// Otherwise as ``withSpan(_:_:kind:_:)``.
  @inlinable
  public static func withSpan<Value, Failure: Error>(
    _ name: String, kind: TraceSpan.Kind = .internal, _ body: () throws(Failure) -> Value
  ) throws(Failure) -> Value {
    let scope = SpanScope.open(name, { [:] }, kind, under: .here)
    return try run(scope, body)
  }

  @inlinable
  static func run<Value, Failure: Error>(
    _ scope: SpanScope, _ body: () throws(Failure) -> Value
  ) throws(Failure) -> Value {
    // Where nothing is opened there is nothing to end.
    guard scope.isInside else { return try body() }
    let result: Result<Value, Failure> = Ambient.with(scope.inside) {
      do throws(Failure) { return .success(try body()) } catch { return .failure(error) }
    }
    switch result {
    case .success: scope.end()
    case .failure(let error): scope.end(error)
    }
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
  @inlinable
  public static func withSpan<Value, Failure: Error>(
    _ name: String, _ attributes: @autoclosure () -> Attributes,
    kind: TraceSpan.Kind = .internal, isolation: isolated (any Actor)? = #isolation,
    _ body: () async throws(Failure) -> Value
  ) async throws(Failure) -> Value {
    let ambient = Ambient.here
    if ambient.process == nil {
      let attributes = attributes()
      return try await outsideProcess(name, attributes, kind, ambient, isolation: isolation, body)
    }
    let scope = SpanScope.open(name, attributes, kind, under: ambient)
    return try await run(scope, isolation: isolation, body)
  }

  /// Runs an asynchronous `body` inside a span without attributes, where the caller is isolated.
  @inlinable
  public static func withSpan<Value, Failure: Error>(
    _ name: String, kind: TraceSpan.Kind = .internal,
    isolation: isolated (any Actor)? = #isolation,
    _ body: () async throws(Failure) -> Value
  ) async throws(Failure) -> Value {
    let ambient = Ambient.here
    if ambient.process == nil {
      return try await outsideProcess(name, [:], kind, ambient, isolation: isolation, body)
    }
    let scope = SpanScope.open(name, { [:] }, kind, under: ambient)
    return try await run(scope, isolation: isolation, body)
  }

  @inlinable
  static func run<Value, Failure: Error>(
    _ scope: SpanScope, isolation: isolated (any Actor)?,
    _ body: () async throws(Failure) -> Value
  ) async throws(Failure) -> Value {
    guard scope.isInside else { return try await body() }
    let result: Result<Value, Failure> = await Ambient.local.withValue(scope.inside) {
      _ = isolation  // so that the closure runs where the caller is
      do throws(Failure) { return .success(try await body()) } catch { return .failure(error) }
    }
    switch result {
    case .success: scope.end()
    case .failure(let error): scope.end(error)
    }
    return try result.get()
  }

  @usableFromInline
  static func outsideProcess<Value, Failure: Error>(
    _ name: String, _ attributes: Attributes, _ kind: TraceSpan.Kind, _ ambient: Ambient,
    isolation: isolated (any Actor)?, _ body: () async throws(Failure) -> Value
  ) async throws(Failure) -> Value {
    try await withProcess { context async throws(Failure) -> Value in
      _ = isolation
      let inside = Ambient(process: context.core, cursor: ambient.cursor)
      let scope = SpanScope.open(name, { attributes }, kind, under: inside)
      return try await run(scope, isolation: isolation, body)
    }
  }
}
