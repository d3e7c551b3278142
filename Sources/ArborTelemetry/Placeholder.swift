public struct TelemetryEvent: Hashable, Sendable { public init(_ p: String...) {} }
public final class Telemetry: Sendable {
  public init(
    monotonicTime: @escaping @Sendable () -> UInt64, wallTime: @escaping @Sendable () -> UInt64
  ) {}
  public func execute(_ e: TelemetryEvent, _ m: [String: any Sendable], _ d: [String: any Sendable])
  {}
}
