import ArborProcesses
public import ArborTelemetry

extension Trace {
  /// What was given along by whoever called, sent or spawned what runs here, on this machine or
  /// another.
  ///
  ///     let user = Trace.baggage["user"]
  public static var baggage: Baggage {
    Ambient.current?.cursor?.belongings?.baggage ?? Baggage()
  }

  /// Runs `body` with more baggage, which goes along with every message that is sent from it.
  ///
  ///     Trace.withBaggage(["user": "ada"]) { cart.cast(.add(item)) }
  ///
  /// - Parameters:
  ///   - baggage: entries that are added to the current ones, and replace those of the same key. Where
  ///     both together are more than the standard allows, current ones fall out, the oldest first, and
  ///     ``TelemetryEvent/baggageDropped`` says how many.
  ///   - replacing: true if these are to be all there is.
  /// - Throws: what the body throws.
  public static func withBaggage<Value, Failure: Error>(
    _ baggage: Baggage, replacing: Bool = false, _ body: () throws(Failure) -> Value
  ) throws(Failure) -> Value {
    try Ambient.with(replacing ? baggage : merged(baggage)).run(body)
  }

  /// As the synchronous one, where the caller is isolated.
  public static func withBaggage<Value, Failure: Error>(
    _ baggage: Baggage, replacing: Bool = false, isolation: isolated (any Actor)? = #isolation,
    _ body: () async throws(Failure) -> Value
  ) async throws(Failure) -> Value {
    try await Ambient.with(replacing ? baggage : merged(baggage)).run(isolation: isolation, body)
  }

  private static func merged(_ added: Baggage) -> Baggage {
    var baggage = baggage
    let dropped = baggage.merge(added)
    if dropped > 0 { Node.current.telemetry.execute(.baggageDropped, ["count": dropped]) }
    return baggage
  }
}

extension TelemetryEvent {
  /// Baggage fell out, because more was added than the W3C allows. Measurement: `count`, the entries.
  public static let baggageDropped = TelemetryEvent("arbor", "tracing", "baggage_dropped")
}
