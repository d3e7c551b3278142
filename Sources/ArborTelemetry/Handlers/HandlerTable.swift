/// Who is attached to what: the state machine behind ``Telemetry``, without locks or clocks.
///
/// A transition that removes hands the removed attachment back, so that it is freed by the caller
/// after the lock is let go.
package struct HandlerTable {
  /// In order of attachment.
  private var attachments: [Attachment] = []

  /// The same, by event, each list in order of attachment. No list is empty.
  private var byEvent: [TelemetryEvent: [Attachment]] = [:]

  /// The filter bits of all events that have handlers.
  package private(set) var filter: UInt64 = 0

  package init() {}

  /// Takes the attachment in, unless its id is taken; one without events is not kept.
  ///
  /// - Returns: false if the id is taken.
  package mutating func attach(_ attachment: Attachment) -> Bool {
    guard !attachments.contains(where: { $0.id == attachment.id }) else { return false }
    guard !attachment.events.isEmpty else { return true }
    attachments.append(attachment)
    for event in attachment.events {
      byEvent[event, default: []].append(attachment)
      filter |= event.filterBit
    }
    return true
  }

  /// Takes the attachment with this id out of all its events.
  package mutating func detach(id: String) -> Attachment? {
    guard let index = attachments.firstIndex(where: { $0.id == id }) else { return nil }
    return remove(at: index)
  }

  /// Takes out this very attachment, not one that was attached by the same id since.
  package mutating func detach(_ attachment: Attachment) -> Attachment? {
    guard let index = attachments.firstIndex(where: { $0 === attachment }) else { return nil }
    return remove(at: index)
  }

  /// Takes out all.
  package mutating func detachAll() -> [Attachment] {
    let removed = attachments
    self = HandlerTable()
    return removed
  }

  /// Those attached to exactly this event, in order of attachment.
  package func attachments(to event: TelemetryEvent) -> [Attachment] {
    byEvent[event] ?? []
  }

  /// What is attached to events that begin with these parts, in order of attachment.
  package func list(withPrefix prefix: [String]) -> [TelemetryHandler] {
    attachments.flatMap { attachment in
      attachment.events.lazy.filter { $0.hasPrefix(prefix) }
        .map { TelemetryHandler(id: attachment.id, event: $0) }
    }
  }

  private mutating func remove(at index: Int) -> Attachment {
    let removed = attachments.remove(at: index)
    for event in removed.events {
      byEvent[event]?.removeAll { $0 === removed }
      if byEvent[event]?.isEmpty == true { byEvent[event] = nil }
    }
    filter = byEvent.keys.reduce(0) { $0 | $1.filterBit }
    return removed
  }
}
