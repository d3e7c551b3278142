package import ArborPrimitives
import ArborProcesses

/// A node's clock in a simulation: time passes only when nothing can run, and then at once.
///
/// A deadline that has come makes its entry one more candidate for the next turn, so that what a
/// timer does may happen before or after anything else of that moment.
package final class VirtualClock: NodeClock {
  let storage: SimulationStorage

  init(_ storage: SimulationStorage) { self.storage = storage }

  package func now() -> UInt64 { storage.now }

  /// Begins at 2020-09-13 12:26:40 UTC, in every simulation.
  package func wallTime() -> UInt64 { VirtualClock.wallStart + storage.elapsed }

  static let wallStart: UInt64 = 1_600_000_000_000_000_000

  package func schedule(_ entry: TimerEntry, at deadline: UInt64) {
    storage.schedule(entry, at: deadline)
  }

  @discardableResult
  package func cancel(_ entry: TimerEntry) -> UInt64? {
    storage.withMachine { $0.cancel(entry) }
  }

  package func remaining(_ entry: TimerEntry) -> UInt64? {
    storage.withMachine { $0.remaining(entry) }
  }

  /// Does nothing: there is no thread to stop.
  package func shutdown() {}
}
