import Synchronization

/// Catches the jobs that tasks without an executor preference (`Task {}`, `Task.detached`, plain
/// actors called from those) hand to Swift's global pool on a simulation's thread.
///
/// The runtime asks `swift_task_enqueueGlobal_hook`, if it is set, about every such job of the whole
/// process, so what comes from any other thread goes on as if nothing were here. Found by name,
/// since nothing declares it in Swift; without it those tasks run outside, and the rest works.
enum GlobalEnqueueHook {
  // The runtime's functions have Swift's calling convention, which for one or two pointers is C's on
  // the processors that Swift runs on.
  typealias Original = @convention(c) (UnsafeMutableRawPointer) -> Void
  typealias Hook = @convention(c) (UnsafeMutableRawPointer, Original) -> Void

  /// Whether the runtime has the hook. Asking installs it.
  static let isInstalled: Bool = {
    let slot = RuntimeSymbol.find("swift_task_enqueueGlobal_hook", as: Hook?.self)
    guard let slot else { return false }
    // Read before it is set, so that whoever was there first is still asked.
    previous.store(unsafeBitCast(slot.pointee, to: UInt.self), ordering: .releasing)
    slot.pointee = catchJob
    return true
  }()

  /// The hook that was there first, 0 if none.
  private static let previous = Atomic<UInt>(0)

  private static let catchJob: Hook = { job, original in
    let unowned = unsafeBitCast(job, to: UnownedJob.self)
    if let executor = SimulationThread.executor(for: unowned) {
      executor.enqueue(unowned)
    } else if let previous = unsafeBitCast(
      previous.load(ordering: .acquiring), to: Hook?.self)
    {
      previous(job, original)
    } else {
      original(job)
    }
  }
}
