extension Telemetry {
  /// Has the handler called on each of the events, from the next execution on.
  ///
  ///     try telemetry.attach("metrics", to: [.orderPlaced, .orderShipped]) { event, _, _ in
  ///       counters.increment(event.description)
  ///     }
  ///
  /// It is called in whatever thread and process executes the event, possibly in several at once.
  /// If it throws it is detached; see ``TelemetryEvent/handlerFailure``.
  ///
  /// - Parameters:
  ///   - id: a name that no other handler has, by which it is detached.
  ///   - events: exactly these, not what begins with them; one that is named twice counts once. With
  ///     none nothing is attached and the id stays free.
  /// - Throws: ``TelemetryError/alreadyExists(_:)`` if a handler with that id is attached.
  ///
  /// OTP: `:telemetry.attach_many/4`; what it passes as `config` a closure captures.
  public func attach(
    _ id: String, to events: [TelemetryEvent], handler: @escaping TelemetryHandler.Function
  ) throws(TelemetryError) {
    var distinct: [TelemetryEvent] = []
    for event in events where !distinct.contains(event) { distinct.append(event) }
    let attached = AttachedHandler(id: id, events: distinct, handler: handler)
    guard storage.update({ $0.attach(attached) }) else { throw .alreadyExists(id) }
  }

  /// Has the handler called on one event, from the next execution on.
  ///
  /// - Throws: ``TelemetryError/alreadyExists(_:)`` if a handler with that id is attached.
  ///
  /// OTP: `:telemetry.attach/4`.
  public func attach(
    _ id: String, to event: TelemetryEvent, handler: @escaping TelemetryHandler.Function
  ) throws(TelemetryError) {
    try attach(id, to: [event], handler: handler)
  }

  /// Takes the handler out of all its events: executions that begin after this returns do not call
  /// it. One that is under way in another thread may still do so.
  ///
  /// - Returns: false if no handler with that id is attached.
  ///
  /// OTP: `:telemetry.detach/1`; false is its `{error, not_found}`.
  @discardableResult
  public func detach(_ id: String) -> Bool {
    storage.update { $0.detach(id: id) } != nil
  }

  /// Takes all handlers out.
  ///
  /// Events may be executed afterwards as before; nobody hears them.
  ///
  /// OTP: stopping the `telemetry` application.
  public func detachAll() {
    _ = storage.update { $0.detachAll() }
  }

  /// The handlers of all events whose name begins with these parts, in order of attachment; all
  /// handlers if there are none.
  ///
  /// One that is attached to several such events is listed once for each.
  ///
  /// OTP: `:telemetry.list_handlers/1`.
  public func handlers(withPrefix prefix: [String] = []) -> [TelemetryHandler] {
    storage.list(withPrefix: prefix)
  }

  /// The handlers of this event and of all whose name begins with it, in order of attachment.
  public func handlers(withPrefix event: TelemetryEvent) -> [TelemetryHandler] {
    storage.list(withPrefix: event.parts)
  }

  /// Whether a handler is attached to exactly this event: asked before doing work that only a
  /// handler would use.
  @inlinable
  public func hasHandlers(for event: TelemetryEvent) -> Bool {
    storage.mayHaveHandlers(for: event) && !storage.handlers(to: event).isEmpty
  }
}
