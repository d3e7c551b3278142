/// A handler as ``Telemetry/handlers(withPrefix:)-([String])`` lists it: once for each of its events.
///
/// OTP: the `handler()` map of Elixir's `:telemetry`.
public struct TelemetryHandler: Hashable, Sendable {
  /// What a handler is: it gets the event, its measurements and its metadata, in that order.
  public typealias Function =
    @Sendable (
      _ event: TelemetryEvent, _ measurements: TelemetryValues, _ metadata: TelemetryValues
    ) throws -> Void

  /// The name it was attached by.
  public let id: String

  /// An event it is attached to.
  public let event: TelemetryEvent
}
