import ArborProcesses

/// What goes along a trace beside its ids. One object that all spans and messages of the trace share,
/// until somebody changes something and makes another.
final class TraceBelongings: TraceCargo {
  let state: TraceState
  let baggage: Baggage
  /// Whether who began the trace said that its id is random. We do.
  let isRandom: Bool

  init(state: TraceState = TraceState(), baggage: Baggage = Baggage(), isRandom: Bool = true) {
    self.state = state
    self.baggage = baggage
    self.isRandom = isRandom
  }

  /// Nil if it would say nothing that is not so without it.
  static func unlessPlain(
    state: TraceState = TraceState(), baggage: Baggage, isRandom: Bool = true
  ) -> TraceBelongings? {
    if state.isEmpty, baggage.isEmpty, isRandom { return nil }
    return TraceBelongings(state: state, baggage: baggage, isRandom: isRandom)
  }
}

extension TraceCursor {
  var belongings: TraceBelongings? { cargo as? TraceBelongings }
}

extension Ambient {
  /// What code runs under that has been given a context from elsewhere.
  static func inside(_ context: TraceContext) -> Ambient {
    let process = ProcessCore.current
    guard let parent = context.parent else {
      let marker = (process?.node ?? .current).nextRandom()
      let cargo = TraceBelongings.unlessPlain(baggage: context.baggage)
      return Ambient(process: process, cursor: .outside(marker: marker, cargo: cargo))
    }
    let cargo = TraceBelongings.unlessPlain(
      state: parent.state, baggage: context.baggage, isRandom: parent.flags.contains(.random))
    return Ambient(
      process: process,
      cursor: TraceCursor(
        traceHigh: parent.traceID.high, traceLow: parent.traceID.low, spanID: parent.spanID.bits,
        owner: 0, isSampled: parent.isSampled, cargo: cargo))
  }

  /// What code runs under whose baggage is another; all else is as it was.
  static func with(_ baggage: Baggage) -> Ambient {
    let ambient = Ambient.current
    // The marker is 0, as it is without a cursor: what is open there stays the parent.
    var cursor = ambient?.cursor ?? .outside(marker: 0)
    let old = cursor.belongings
    cursor.cargo = TraceBelongings.unlessPlain(
      state: old?.state ?? TraceState(), baggage: baggage, isRandom: old?.isRandom ?? true)
    return Ambient(process: ambient?.process, cursor: cursor)
  }

  /// Runs something in this place.
  func run<Value, Failure: Error>(
    _ body: () throws(Failure) -> Value
  ) throws(Failure) -> Value {
    // `withValue` rethrows, and knows nothing of typed errors.
    let result = Ambient.local.withValue(self) { () -> Result<Value, Failure> in
      do throws(Failure) { return .success(try body()) } catch { return .failure(error) }
    }
    return try result.get()
  }

  /// Runs something asynchronous in this place, where the caller is isolated.
  func run<Value, Failure: Error>(
    isolation: isolated (any Actor)?, _ body: () async throws(Failure) -> Value
  ) async throws(Failure) -> Value {
    let result = await Ambient.local.withValue(self) { () async -> Result<Value, Failure> in
      _ = isolation  // so that the closure runs where the caller is
      do throws(Failure) { return .success(try await body()) } catch { return .failure(error) }
    }
    return try result.get()
  }
}
