/// The wait for a start.
@usableFromInline
package class StartWait: AnyCallWait, @unchecked Sendable {
  // Unchecked: as `Wait`; `refusal` is written by the process before its end, which ends the wait.
  private(set) final var result: Result<Void, CallError> = .failure(.cancelled)
  private(set) final var refusal: (any Error)?

  @usableFromInline
  package override init(server: ProcessCore) { super.init(server: server) }

  /// It has started.
  @usableFromInline
  package final func succeed() { end { self.result = .success(()) } }

  /// It does not want to, and will end with `normal`.
  @usableFromInline
  package final func refuse(_ error: any Error) { refusal = error }

  @usableFromInline
  override package final func fail(_ error: CallError) { end { self.result = .failure(error) } }
}

/// The start of a server of one type: who waits for it, and what it was asked for.
@usableFromInline
package final class ServerStart<Server: Actor>: StartWait, @unchecked Sendable {
  // Unchecked: as `StartWait`; the rest never changes.
  @usableFromInline package let name: ProcessName?
  /// Nanoseconds.
  @usableFromInline package let hibernateAfter: UInt64?
  /// The span that it starts under.
  @usableFromInline package let cursor: TraceCursor?
  @usableFromInline package let make: @Sendable () async throws -> Server

  @inlinable
  package init(
    _ core: ProcessCore, named name: ProcessName?, hibernateAfter: UInt64?,
    under cursor: TraceCursor?, _ make: @escaping @Sendable () async throws -> Server
  ) {
    self.name = name
    self.hibernateAfter = hibernateAfter
    self.cursor = cursor
    self.make = make
    super.init(server: core)
  }
}
