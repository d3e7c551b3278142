import ArborPrimitives
import ArborTelemetry
import Synchronization

/// A handler that keeps what it was called with.
final class Recorder: Sendable {
  struct Call: Sendable {
    let event: TelemetryEvent
    let measurements: TelemetryValues
    let metadata: TelemetryValues
  }

  private let kept = Lock<[Call]>([])

  var calls: [Call] { kept.withLock { $0 } }
  var events: [TelemetryEvent] { calls.map(\.event) }

  var handler: TelemetryHandler.Function {
    { event, measurements, metadata in
      self.kept.withLock {
        $0.append(Call(event: event, measurements: measurements, metadata: metadata))
      }
    }
  }
}

/// The order in which handlers ran.
final class Log: Sendable {
  private let kept = Lock<[String]>([])
  var lines: [String] { kept.withLock { $0 } }
  func append(_ line: String) { kept.withLock { $0.append(line) } }
}

enum Refusal: Error, Equatable { case gotEvent, badArithmetic }

let failing: TelemetryHandler.Function = { _, _, _ in throw Refusal.gotEvent }

/// A clock that stands still until it is told to go on, so that durations are known.
final class ManualTime: Sendable {
  let monotonic = Atomic<UInt64>(1_000)
  let wall = Atomic<UInt64>(5_000_000)

  func advance(_ nanoseconds: UInt64) {
    monotonic.wrappingAdd(nanoseconds, ordering: .relaxed)
    wall.wrappingAdd(nanoseconds, ordering: .relaxed)
  }

  var telemetry: Telemetry {
    Telemetry(
      monotonicTime: { self.monotonic.load(ordering: .relaxed) },
      wallTime: { self.wall.load(ordering: .relaxed) })
  }
}

extension TelemetryEvent {
  static let first = TelemetryEvent("a", "first", "event")
  static let second = TelemetryEvent("a", "second", "event")
  static let third = TelemetryEvent("a", "third", "event")
  static let test = TelemetryEvent("a", "test", "event")
}
