import ArborPrimitives
import Synchronization

extension ProcessContext {
  /// Waits until all of these processes have ended; why each did, its ``PID/fate`` says then.
  ///
  /// Not by monitors, whose messages would have to be looked for in a mailbox that may be deep: a
  /// supervisor that is asked to stop one child after the other has all those requests there.
  ///
  /// - Parameter deadline: nanoseconds of the node's clock; nil waits without end.
  /// - Returns: false if some live, because the time is over or this process itself is to end.
  package func awaitEnds(of pids: [PID], until deadline: UInt64? = nil) async -> Bool {
    let wait = EndsWait()
    let isOwnTask = core.isOwnTask
    if isOwnTask { core.enter(wait) }
    let watched = pids.compactMap { pid -> EndWatch? in
      let watch = EndWatch(of: pid.core, for: wait)
      return pid.core.machine.withLock { machine in
        if machine.isSettled { return nil }
        wait.expectOne()
        machine.calls.insert(watch)
        return watch
      }
    }
    wait.expectNoMore()
    if let deadline { node.clock.schedule(wait, at: deadline) }
    if isOwnTask { await core.parking.park() } else { await wait.suspend() }
    if deadline != nil { node.clock.cancel(wait) }
    if wait.isComplete { return true }
    for watch in watched { watch.server.machine.withLock { $0.calls.remove(watch) } }
    return false
  }
}

/// A wait for the ends of several processes.
package final class EndsWait: Wait, @unchecked Sendable {
  // Unchecked: as `Wait`.
  // One too many while the processes are being gone through.
  private let living = Atomic(1)
  private(set) var isComplete = false

  package override init() { super.init() }

  func expectOne() { living.wrappingAdd(1, ordering: .relaxed) }
  func expectNoMore() { oneEnded() }

  func oneEnded() {
    if living.wrappingSubtract(1, ordering: .acquiringAndReleasing).newValue == 0 {
      end { isComplete = true }
    }
  }

  override package func interrupt(_ interruption: Interruption) { end {} }

  /// For reports of who is stuck.
  var count: Int { living.load(ordering: .relaxed) }
}

/// One process in such a wait: stands among those who wait for an answer of it, as the release tells
/// all of them.
private final class EndWatch: AnyCallWait, @unchecked Sendable {
  // Unchecked: as `AnyCallWait`.
  private let wait: EndsWait

  init(of core: ProcessCore, for wait: EndsWait) {
    self.wait = wait
    super.init(server: core)
  }

  override func fail(_ error: CallError) { wait.oneEnded() }
}
