import ArborPrimitives

/// Hears of a process's end, after its links have and before its monitors do, and of a deadline, if it
/// is scheduled with one: for parts of the runtime that follow processes without being one.
///
/// What it hears it is told without any lock held: `exit` with the reason, or `timeout`.
package final class EndListener: AnyCallWait, @unchecked Sendable {
  // Unchecked: as `AnyCallWait`.
  private let hear: @Sendable (CallError) -> Void

  package init(_ core: ProcessCore, _ hear: @escaping @Sendable (CallError) -> Void) {
    self.hear = hear
    super.init(server: core)
  }

  @usableFromInline
  override package func fail(_ error: CallError) { hear(error) }

  /// - Parameter timeout: nanoseconds after which it hears `timeout`; nil for never.
  package func begin(timeout: UInt64?) {
    server.machine.withLock { $0.calls.insert(self) }
    guard let timeout else { return }
    let clock = server.node.clock
    clock.schedule(self, at: clock.now().addingClamped(timeout))
  }

  /// From here on it hears nothing, but for what is just being told.
  package func end() {
    server.node.clock.cancel(self)
    server.machine.withLock { $0.calls.remove(self) }
  }
}
