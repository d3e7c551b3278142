import ArborPrimitives

/// A wait for something that another part of the program says has come.
package final class EventWait: Wait, @unchecked Sendable {
  // Unchecked: as `Wait`.
  private var interruption: Interruption?

  /// What was waited for has come.
  package func signal() { end {} }

  override package func interrupt(_ interruption: Interruption) {
    end { self.interruption = interruption }
  }

  /// Waits, as the process's own task or as any other.
  ///
  /// - Parameters:
  ///   - timeout: nanoseconds; nil waits without end.
  ///   - node: whose clock counts.
  /// - Returns: nil once it has come; else what ended the wait.
  package func wait(timeout: UInt64? = nil, on node: Node) async -> Interruption? {
    let caller = ProcessCore.current
    let parking = caller?.isOwnTask == true ? caller : nil
    if let parking { parking.enter(self) }
    if let timeout { node.clock.schedule(self, at: node.clock.now().addingClamped(timeout)) }
    if let parking { await parking.parking.park() } else { await suspend() }
    if timeout != nil { node.clock.cancel(self) }
    return interruption
  }
}
