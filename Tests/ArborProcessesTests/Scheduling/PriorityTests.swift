import ArborPrimitives
import Foundation
import Synchronization
import Testing

@testable import ArborProcesses

@Suite struct PriorityTests {
  typealias Turns = SchedulerTests.Turns

  /// One worker that nobody takes for stuck.
  private func pool() -> WorkStealingPool {
    WorkStealingPool(workers: 1, spares: 0, tuning: PoolTuning(monitorInterval: nil))
  }

  private func turns(
    _ priority: ProcessPriority, _ action: @escaping @Sendable (Turns) -> Bool
  ) -> Turns {
    let turns = Turns(action)
    turns.priority = priority
    return turns
  }

  @Test("of those who wait high goes first and low last", arguments: [false, true])
  func order(isEnqueuedInside: Bool) async {
    let pool = pool()
    let order = Lock<[ProcessPriority]>([])
    await withCheckedContinuation { (continuation: CheckedContinuation<Void, Never>) in
      let enqueueAll = { @Sendable [self] in
        for priority in [ProcessPriority.low, .normal, .high, .low, .normal, .high] {
          pool.enqueue(
            turns(priority) { _ in
              let count = order.withLock { order in
                order.append(priority)
                return order.count
              }
              if count == 6 { continuation.resume() }
              return false
            })
        }
      }
      if isEnqueuedInside {
        pool.enqueue(
          turns(.normal) { _ in
            enqueueAll()
            return false
          })
      } else {
        // The worker waits until all are there.
        let isReady = DispatchSemaphore(value: 0)
        let isBusy = DispatchSemaphore(value: 0)
        pool.enqueue(
          turns(.normal) { _ in
            isBusy.signal()
            isReady.wait()
            return false
          })
        isBusy.wait()
        enqueueAll()
        isReady.signal()
      }
    }
    #expect(order.withLock { $0 } == [.high, .high, .normal, .normal, .low, .low])
    pool.shutdown()
  }

  @Test(
    "nobody is left behind by those who always can run",
    arguments: [ProcessPriority.high, .normal], [ProcessPriority.low, .normal])
  func noStarvation(busy: ProcessPriority, meek: ProcessPriority) async {
    let pool = pool()
    let isOver = Atomic(false)
    await withCheckedContinuation { (continuation: CheckedContinuation<Void, Never>) in
      for _ in 0..<3 {
        pool.enqueue(turns(busy) { _ in !isOver.load(ordering: .relaxed) })
      }
      pool.enqueue(
        turns(meek) { _ in
          isOver.store(true, ordering: .relaxed)
          continuation.resume()
          return false
        })
    }
    let hasRun = isOver.load(ordering: .relaxed)
    #expect(hasRun)
    pool.shutdown()
  }

  @Test("each gets its turns exactly once, whatever its priority", arguments: [1, 3])
  func exactlyOnce(workers: Int) async {
    let pool = WorkStealingPool(workers: workers)
    let count = 3000
    let left = Atomic(count)
    let ran = Lock([Int](repeating: 0, count: count))
    await withCheckedContinuation { (continuation: CheckedContinuation<Void, Never>) in
      for number in 0..<count {
        let first = Atomic(true)
        let priority = ProcessPriority.allCases[number % 3]
        pool.enqueue(
          turns(priority) { turns in
            turns.priority = ProcessPriority.allCases[(number + 1) % 3]
            ran.withLock { $0[number] += 1 }
            if first.exchange(false, ordering: .relaxed) { return true }
            if left.subtract(1, ordering: .relaxed).newValue == 0 { continuation.resume() }
            return false
          })
      }
    }
    #expect(ran.withLock { $0.allSatisfy { $0 == 2 } })
    await withCheckedContinuation { continuation in pool.shutdown { continuation.resume() } }
  }

  @Test("a process that always finds mail does not keep the others from running")
  func receiveLoop() async throws {
    let node = Node(workers: 1)
    try await withProcess(on: node) { context in
      let me = context.pid
      let glutton = spawn(on: node) { context in
        context.pid.send(0)
        while true {
          let number = try await context.receive(Int.self)
          context.pid.send(number + 1)
        }
      }
      spawn(on: node, priority: .low) { context in
        me.send(context.priority)
        context.priority = .high
        me.send(context.priority)
      }
      let first = try await context.receive(ProcessPriority.self)
      let second = try await context.receive(ProcessPriority.self)
      #expect(first == .low && second == .high)
      glutton.sendExit(.kill)
    }
  }
}
