/// Why a handler was not attached.
public enum TelemetryError: Error, Hashable, Sendable {
  /// A handler with this id is attached already; detach it first, or take another id.
  case alreadyExists(String)
}

extension TelemetryError: CustomStringConvertible {
  public var description: String {
    switch self {
    case .alreadyExists(let id):
      "a telemetry handler with the id \"\(id)\" is attached already: detach it first, or attach "
        + "this one by another id"
    }
  }
}
