package import ArborProcesses

/// A node's scheduler in a simulation: one thread, and who runs next is chosen by a seed.
///
/// Its budget is 1, so that each job of a process is a choice of its own.
package final class SeededScheduler: Scheduler {
  let storage: SimulationStorage

  init(_ storage: SimulationStorage) { self.storage = storage }

  package var budget: Int { 1 }

  package func enqueue(_ runnable: Runnable) { storage.enqueue(runnable) }

  /// Does nothing: the simulation ends when its body has, and has no threads to end.
  package func shutdown() {}
}
