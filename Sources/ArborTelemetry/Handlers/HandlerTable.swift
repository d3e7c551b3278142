/// Who is attached to what: the state machine behind ``Telemetry``, without locks or clocks.
///
/// A transition that removes hands the removed handler back, so that it is freed by the caller
/// after the lock is let go.
package struct HandlerTable {
  /// In order of attachment.
  private var handlers: [AttachedHandler] = []

  /// The same, by event, each list in order of attachment. No list is empty.
  private var byEvent: [TelemetryEvent: [AttachedHandler]] = [:]

  /// The filter bits of all events that have handlers.
  package private(set) var filter: UInt64 = 0

  package init() {}

  /// Takes the handler in, unless its id is taken; one without events is not kept.
  ///
  /// - Returns: false if the id is taken.
  package mutating func attach(_ handler: AttachedHandler) -> Bool {
    guard !handlers.contains(where: { $0.id == handler.id }) else { return false }
    guard !handler.events.isEmpty else { return true }
    handlers.append(handler)
    for event in handler.events {
      byEvent[event, default: []].append(handler)
      filter |= event.filterBit
    }
    return true
  }

  /// Takes the handler with this id out of all its events.
  package mutating func detach(id: String) -> AttachedHandler? {
    guard let index = handlers.firstIndex(where: { $0.id == id }) else { return nil }
    return remove(at: index)
  }

  /// Takes out this very handler, not one that was attached by the same id since.
  package mutating func detach(_ handler: AttachedHandler) -> AttachedHandler? {
    guard let index = handlers.firstIndex(where: { $0 === handler }) else { return nil }
    return remove(at: index)
  }

  /// Takes out all.
  package mutating func detachAll() -> [AttachedHandler] {
    let removed = handlers
    self = HandlerTable()
    return removed
  }

  /// Those attached to exactly this event, in order of attachment.
  package func handlers(to event: TelemetryEvent) -> [AttachedHandler] {
    byEvent[event] ?? []
  }

  /// What is attached to events that begin with these parts, in order of attachment.
  package func list(withPrefix prefix: [String]) -> [TelemetryHandler] {
    handlers.flatMap { handler in
      handler.events.lazy.filter { $0.hasPrefix(prefix) }
        .map { TelemetryHandler(id: handler.id, event: $0) }
    }
  }

  private mutating func remove(at index: Int) -> AttachedHandler {
    let removed = handlers.remove(at: index)
    for event in removed.events {
      byEvent[event]?.removeAll { $0 === removed }
      if byEvent[event]?.isEmpty == true { byEvent[event] = nil }
    }
    filter = byEvent.keys.reduce(0) { $0 | $1.filterBit }
    return removed
  }
}
