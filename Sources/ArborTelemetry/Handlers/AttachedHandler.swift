/// One handler and the events it was attached to.
///
/// An object, so that the handler's closure is freed (which may run its captures' `deinit`, a user's
/// code) by whoever lets go of the last reference: never the table, which runs under a lock.
@usableFromInline package final class AttachedHandler: Sendable {
  package let id: String
  package let events: [TelemetryEvent]
  package let handler: TelemetryHandler.Function

  package init(
    id: String, events: [TelemetryEvent], handler: @escaping TelemetryHandler.Function
  ) {
    self.id = id
    self.events = events
    self.handler = handler
  }
}
