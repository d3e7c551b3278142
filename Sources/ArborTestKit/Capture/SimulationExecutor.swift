import ArborProcesses

/// The executor of what runs in a simulation and belongs to no process: the body's own task, and
/// the jobs that the hook caught.
final class SimulationExecutor: TaskExecutor {
  let storage: SimulationStorage

  init(_ storage: SimulationStorage) { self.storage = storage }

  func enqueue(_ job: consuming ExecutorJob) { enqueue(UnownedJob(job)) }

  func enqueue(_ job: UnownedJob) { storage.enqueue(job, for: self) }
}
