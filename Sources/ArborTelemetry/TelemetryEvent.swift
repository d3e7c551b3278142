/// The name of an event: one or more parts, from the general to the particular.
///
///     extension TelemetryEvent {
///       static let checkoutStop = TelemetryEvent("shop", "checkout", "stop")
///     }
///
/// Make it once and keep it, as a `static let`: then comparing it with itself and looking up its
/// handlers never reads the parts again.
///
/// OTP: `[atom(), ...]`, the `event_name()` of Elixir's `:telemetry`.
public struct TelemetryEvent: Hashable, Sendable {
  /// Whether two names of equal hash are one; also where the parts are kept.
  private let name: Name

  /// The same in every run, so that what depends on it can be repeated.
  private let hash: UInt64

  /// One of 64 bits, by which an event without handlers is recognised in a single load.
  @usableFromInline package let filterBit: UInt64

  /// A name of the given parts; there is at least one.
  public init(_ first: String, _ rest: String...) {
    self.init(nonEmpty: [first] + rest)
  }

  /// A name of parts that are known only at run time; nil if there are none.
  public init?(parts: some Sequence<String>) {
    let parts = Array(parts)
    guard !parts.isEmpty else { return nil }
    self.init(nonEmpty: parts)
  }

  private init(nonEmpty parts: [String]) {
    name = Name(parts)
    hash = Self.hash(of: parts)
    filterBit = 1 &<< (hash &>> 58)
  }

  /// The parts, as they were given.
  public var parts: [String] { name.parts }

  /// This name and one part more.
  public func appending(_ part: String) -> TelemetryEvent {
    TelemetryEvent(nonEmpty: parts + [part])
  }

  /// Whether the name begins with these parts, or consists of them.
  public func hasPrefix(_ prefix: [String]) -> Bool {
    parts.starts(with: prefix)
  }

  public static func == (left: TelemetryEvent, right: TelemetryEvent) -> Bool {
    left.hash == right.hash && (left.name === right.name || left.parts == right.parts)
  }

  public func hash(into hasher: inout Hasher) {
    hasher.combine(hash)
  }

  /// FNV-1a over the parts, each ended by a byte that UTF-8 never holds.
  private static func hash(of parts: [String]) -> UInt64 {
    var hash: UInt64 = 0xcbf2_9ce4_8422_2325
    func add(_ byte: UInt8) { hash = (hash ^ UInt64(byte)) &* 0x0100_0000_01b3 }
    for part in parts {
      for byte in part.utf8 { add(byte) }
      add(0xff)
    }
    return hash
  }

  private final class Name: Sendable {
    let parts: [String]
    init(_ parts: [String]) { self.parts = parts }
  }
}

extension TelemetryEvent: CustomStringConvertible, CustomDebugStringConvertible {
  /// The parts, joined by dots: `shop.checkout.stop`.
  public var description: String { parts.joined(separator: ".") }
  public var debugDescription: String { "TelemetryEvent(\(description))" }
}

extension TelemetryEvent {
  /// `telemetry.handler.failure`: a handler threw and was detached.
  ///
  /// Measurements: `monotonic_time` and `system_time`, nanoseconds. Metadata: `handler_id` (String),
  /// `event_name` (the ``TelemetryEvent`` it failed on), `kind` (`"error"`), `reason` (the error
  /// thrown) and `stacktrace` (an empty `[String]`: Swift's errors carry none).
  public static let handlerFailure = TelemetryEvent("telemetry", "handler", "failure")
}
