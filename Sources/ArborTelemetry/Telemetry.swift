import ArborPrimitives
import Synchronization

/// A bus of named events: code says what happens, handlers attached from outside measure and log it.
///
///     extension TelemetryEvent {
///       static let orderPlaced = TelemetryEvent("shop", "order", "placed")
///     }
///     let telemetry = Telemetry()
///     try telemetry.attach("printer", to: .orderPlaced) { event, measurements, metadata in
///       print(event, measurements, metadata)
///     }
///     telemetry.execute(.orderPlaced, ["items": 3], ["customer": "ada"])
///     // shop.order.placed [items: 3] [customer: ada]
///
/// A node has one of its own, `node.telemetry`, which the runtime's own events go to.
///
/// Handlers run in the caller, one after the other, in order of attachment, so keep them short. While
/// one runs no lock is held: it may attach, detach and execute. Who is called is settled when an
/// execution begins; a change made during it counts from the next one on.
///
/// A handler that throws is detached from all its events, then ``TelemetryEvent/handlerFailure`` is
/// executed, then the remaining handlers run; the caller notices nothing.
///
/// OTP: Elixir's `:telemetry`, held by a node instead of global.
public final class Telemetry: Sendable {
  @usableFromInline package let storage = HandlerStorage()

  /// Nanoseconds that never go back; for durations.
  let monotonicTime: @Sendable () -> UInt64

  /// Nanoseconds since 1970; for time stamps.
  let wallTime: @Sendable () -> UInt64

  /// The number of the last span begun; see ``TelemetrySpanContext``.
  let lastSpan = Atomic<UInt64>(0)

  /// A bus without handlers that takes its time from the given closures.
  ///
  /// - Parameters:
  ///   - monotonicTime: nanoseconds since a fixed point in the past; never goes back.
  ///   - wallTime: nanoseconds since 1970.
  public init(
    monotonicTime: @escaping @Sendable () -> UInt64, wallTime: @escaping @Sendable () -> UInt64
  ) {
    self.monotonicTime = monotonicTime
    self.wallTime = wallTime
  }

  /// A bus without handlers that takes its time from the machine's clocks.
  public convenience init() {
    self.init(monotonicTime: SystemTime.monotonic, wallTime: SystemTime.wall)
  }

  var monotonicNanoseconds: Int { Int(clamping: monotonicTime()) }
  var wallNanoseconds: Int { Int(clamping: wallTime()) }
}
