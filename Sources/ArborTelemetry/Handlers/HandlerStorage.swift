import ArborPrimitives
public import Synchronization

/// The lock around the handler table, and the word that spares most events the lock.
@usableFromInline package struct HandlerStorage: ~Copyable, Sendable {
  private let table = Lock(HandlerTable())

  /// A copy of the table's filter, written under the lock.
  ///
  /// Relaxed is enough: it publishes nothing (handlers are read under the lock), and whoever begins
  /// after an attach or a detach has returned reads that one's word or a later one.
  @usableFromInline package let filter = Atomic<UInt64>(0)

  package init() {}

  /// Whether the event may have handlers: one load; a false "yes" is possible, a false "no" is not.
  @inlinable
  package func mayHaveHandlers(for event: TelemetryEvent) -> Bool {
    filter.load(ordering: .relaxed) & event.filterBit != 0
  }

  /// A snapshot of who is attached to the event, in order of attachment.
  @usableFromInline
  package func handlers(to event: TelemetryEvent) -> [AttachedHandler] {
    table.withLock { $0.handlers(to: event) }
  }

  package func list(withPrefix prefix: [String]) -> [TelemetryHandler] {
    table.withLock { $0.list(withPrefix: prefix) }
  }

  /// Changes the table and then the filter, as one.
  package func update<Result: Sendable>(
    _ transition: (inout HandlerTable) -> Result
  ) -> Result {
    table.withLock { table in
      let result = transition(&table)
      filter.store(table.filter, ordering: .relaxed)
      return result
    }
  }
}
