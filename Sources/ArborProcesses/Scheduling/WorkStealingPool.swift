import ArborPrimitives

/// A node's own threads: its scheduler unless it is given another.
package final class WorkStealingPool: Scheduler {
  package let budget: Int
  private let core: PoolCore

  package init(workers: Int = SystemThread.processorCount, budget: Int = 64) {
    self.budget = budget
    core = PoolCore(budget: budget)
    for index in 0..<max(1, workers) {
      let started = SystemThread.start(named: "arbor-\(index)") { [core] in core.runThread() }
      precondition(started || index > 0, "The system has no thread to give: nothing could run.")
    }
  }

  deinit { core.shutdown() }

  package func enqueue(_ runnable: Runnable) { core.enqueue(runnable) }

  package func shutdown() { core.shutdown() }
}

final class PoolCore: Sendable {
  struct State {
    var queue: [Runnable] = []
    var head = 0
    var parked: [Parker] = []
    var isStopping = false
  }
  let state = Lock(State())
  let fallback: GlobalPool

  init(budget: Int) { fallback = GlobalPool(budget: budget) }

  func enqueue(_ runnable: Runnable) {
    enum Action {
      case wake(Parker?)
      case passOn
    }
    let action: Action = state.withLock { state in
      if state.isStopping { return .passOn }
      state.queue.append(runnable)
      return .wake(state.parked.popLast())
    }
    switch action {
    case .wake(let parker): parker?.unpark()
    case .passOn: fallback.enqueue(runnable)
    }
  }

  func shutdown() {
    let parked = state.withLock { state in
      state.isStopping = true
      defer { state.parked = [] }
      return state.parked
    }
    for parker in parked { parker.unpark() }
  }

  func runThread() {
    enum Step {
      case run(Runnable)
      case park
      case end
    }
    let parker = Parker()
    while true {
      let step: Step = state.withLock { state in
        if state.head < state.queue.count {
          let runnable = state.queue[state.head]
          state.head += 1
          if state.head > 1024, state.head * 2 > state.queue.count {
            state.queue.removeFirst(state.head)
            state.head = 0
          } else if state.head == state.queue.count {
            state.queue.removeAll(keepingCapacity: true)
            state.head = 0
          }
          return .run(runnable)
        }
        if state.isStopping { return .end }
        state.parked.append(parker)
        return .park
      }
      switch step {
      case .run(let runnable):
        if runnable.run(budget: fallback.budget) { enqueue(runnable) }
      case .park: parker.park()
      case .end: return
      }
    }
  }
}
