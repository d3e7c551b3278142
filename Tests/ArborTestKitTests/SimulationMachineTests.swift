import ArborPrimitives
import ArborProcesses
import Testing

@testable import ArborTestKit

/// The decisions of a simulation, without threads and tasks.
@Suite struct SimulationMachineTests {
  private static func order(seed: UInt64, policy: SimulationOptions.Policy) -> [Int?] {
    var machine = SimulationMachine(seed: seed, policy: policy)
    let all = (0..<8).map { _ in Runnable() }
    for runnable in all { _ = machine.enqueue(runnable, isForeign: false) }
    var order: [Int?] = []
    while case .run(let runnable) = machine.step() {
      order.append(all.firstIndex { $0 === runnable })
    }
    return order
  }

  @Test(
    "each candidate has one turn, in an order that the seed decides",
    arguments: 0..<20 as Range<UInt64>)
  func seeded(seed: UInt64) {
    for policy in [SimulationOptions.Policy.random, .varied] {
      let order = Self.order(seed: seed, policy: policy)
      #expect(Set(order) == Set(0..<8))
      #expect(order == Self.order(seed: seed, policy: policy))
    }
  }

  @Test("different seeds give different orders")
  func varied() {
    let orders = Set((0..<100).map { Self.order(seed: $0, policy: .random) })
    #expect(orders.count > 90)
  }

  @Test("a queue is first come, first served")
  func queue() {
    #expect(Self.order(seed: 5, policy: .queue) == Array(0..<8))
  }

  @Test("time passes only when nothing can run, and then to the next deadline")
  func time() {
    var machine = SimulationMachine(seed: 1, policy: .random)
    let (early, late) = (TimerEntry(), TimerEntry())
    let start = machine.now
    machine.schedule(late, at: start + 3_600_000_000_007)
    machine.schedule(early, at: start + 5)
    _ = machine.enqueue(Runnable(), isForeign: false)
    guard case .run = machine.step() else { return #expect(Bool(false), "ran a timer first") }
    #expect(machine.now == start)
    guard case .idle = machine.step(mayAdvance: false) else {
      return #expect(Bool(false), "advanced")
    }
    let first = Self.fired(&machine)
    #expect(first === early)
    #expect(machine.now == start + 5)
    let second = Self.fired(&machine)
    #expect(second === late)
    #expect(machine.now == start + 3_600_000_000_007)
    guard case .idle = machine.step() else { return #expect(Bool(false), "more to do") }
  }

  @Test("timers of one moment fire in any order")
  func together() {
    let firsts = Set(
      (0..<50 as Range<UInt64>).map { seed in
        var machine = SimulationMachine(seed: seed, policy: .random)
        let entries = (0..<3).map { _ in TimerEntry() }
        for entry in entries { machine.schedule(entry, at: machine.now + 10) }
        let first = Self.fired(&machine)
        return entries.firstIndex { $0 === first }
      })
    #expect(firsts == [0, 1, 2])
  }

  @Test("a timer can be taken back until it fires, when due as well")
  func cancel() {
    var machine = SimulationMachine(seed: 1, policy: .random)
    let (one, other) = (TimerEntry(), TimerEntry())
    machine.schedule(one, at: machine.now + 10)
    machine.schedule(other, at: machine.now + 10)
    #expect(machine.remaining(one) == 10)
    let fired = Self.fired(&machine)
    let due = fired === one ? other : one
    #expect(machine.remaining(due) == 0)
    let answers = [machine.cancel(due), machine.cancel(due), machine.remaining(due)]
    #expect(answers == [0, nil, nil])
    guard case .idle = machine.step() else { return #expect(Bool(false), "fired all the same") }
    // And may be set again.
    machine.schedule(one, at: 0)
    let again = Self.fired(&machine)
    #expect(again === one)
  }

  @Test("a machine that has ended takes nothing, and hands back what is left")
  func end() {
    var machine = SimulationMachine(seed: 1, policy: .random)
    _ = machine.enqueue(Runnable(), isForeign: false)
    machine.schedule(TimerEntry(), at: machine.now + 10)
    let left = machine.end()
    #expect(left.candidates.count == 1)
    #expect(left.timers.count == 1)
    let isTaken = machine.enqueue(Runnable(), isForeign: true)
    #expect(!isTaken)
    machine.schedule(TimerEntry(), at: 0)
    guard case .idle = machine.step() else { return #expect(Bool(false), "still runs") }
  }

  @Test("what comes from other threads is counted")
  func arrivals() {
    var machine = SimulationMachine(seed: 1, policy: .random)
    _ = machine.enqueue(Runnable(), isForeign: true)
    _ = machine.enqueue(Runnable(), isForeign: false)
    #expect(machine.arrivals == 1)
  }

  private static func fired(_ machine: inout SimulationMachine) -> TimerEntry? {
    if case .fire(let entry) = machine.step() { entry } else { nil }
  }
}
