import ArborPrimitives
import ArborProcesses
import Testing

@testable import ArborTestKit

/// Time, ends and errors of a simulation, as its user sees them.
@Suite struct SimulationTests {
  private struct Oops: Error {}

  @Test("it returns what its body returns, and throws what it throws")
  func result() throws {
    #expect(try simulate(seed: 1) { _ in 42 } == 42)
    #expect(throws: Oops.self) { try simulate(seed: 1) { _ in throw Oops() } }
  }

  @Test("the body is a process of the simulation's node, and so is what it spawns")
  func node() throws {
    try simulate(seed: 1) { sim in
      await withProcess { context in #expect(context.pid == sim.context.pid) }
      let pid = spawn { context in try await context.sleep(for: .seconds(1)) }
      #expect(pid.node === sim.node)
      #expect(sim.node !== Node.shared)
      #expect(sim.node.allProcesses == [sim.context.pid, pid])
    }
  }

  @Test("a week passes in no time, a moment after the other")
  func week() throws {
    try simulate(seed: 1) { sim in
      #expect(sim.now == .zero)
      for day in 1...7 {
        try await sim.context.sleep(for: .seconds(86_400))
        #expect(sim.now == .seconds(86_400 * day))
      }
    }
  }

  @Test("Swift's clocks show the simulation's time, and sleeps are exact to the nanosecond")
  func clocks() throws {
    try simulate(seed: 1) { sim in
      let (continuous, suspending) = (ContinuousClock.now, SuspendingClock.now)
      for nap: Duration in [
        .nanoseconds(1), .microseconds(17), .milliseconds(1250), .seconds(86_400),
      ] {
        let before = sim.now
        try await Task.sleep(for: nap)
        #expect(sim.now - before == nap)
      }
      try await Task.sleep(until: continuous + .seconds(100_000), clock: .continuous)
      #expect(sim.now == .seconds(100_000))
      #expect(ContinuousClock.now - continuous == .seconds(100_000))
      #expect(SuspendingClock.now - suspending == .seconds(100_000))
    }
  }

  @Test(
    "advancing fires what comes due, and waits for what follows", arguments: 0..<20 as Range<UInt64>
  )
  func advance(seed: UInt64) throws {
    try simulate(seed: seed) { sim in
      let fired = Fired()
      for second in 1...5 {
        spawn { context in
          try await context.sleep(for: .seconds(second))
          await Task.yield()
          fired.note(second)
        }
      }
      await sim.settle()
      #expect(fired.all == [])
      await sim.advance(by: .seconds(3))
      #expect(fired.all == [1, 2, 3])
      #expect(sim.now == .seconds(3))
      await sim.advance(by: .zero)
      #expect(fired.all == [1, 2, 3])
      await sim.advance(by: .seconds(10))
      #expect(fired.all == [1, 2, 3, 4, 5])
      #expect(sim.now == .seconds(13))
    }
  }

  @Test(
    "settling lets everything run that can, and no time pass", arguments: 0..<20 as Range<UInt64>)
  func settle(seed: UInt64) throws {
    try simulate(seed: seed) { sim in
      let fired = Fired()
      for number in 0..<3 {
        spawn { context in
          for _ in 0..<5 { await Task.yield() }
          fired.note(number)
          try await context.sleep(for: .seconds(1))
          fired.note(number + 10)
        }
      }
      await sim.settle()
      #expect(fired.all.sorted() == [0, 1, 2])
      #expect(sim.now == .zero)
    }
  }

  @Test("a call that is not answered times out in virtual time")
  func callTimeout() throws {
    try simulate(seed: 1) { sim in
      let silent = spawn { context in try await context.sleep(for: .seconds(3600)) }
      await #expect(throws: CallError.timeout) {
        try await silent.core.call(timeout: 5_000_000_000) { (from: From<Int>) in from }
      }
      #expect(sim.now == .seconds(5))
    }
  }

  @Test("a deadlock is reported, with who waits for what")
  func deadlock() throws {
    let options = SimulationOptions(patience: .zero)
    let error = try #require(throws: SimulationError.self) {
      try simulate(seed: 1, options: options) { sim in
        let listener = spawn { context in
          try context.register("listener")
          context.send("not for me", to: context.pid)
          _ = try await context.receive(Int.self)
        }
        spawn { context in
          _ = try await listener.core.call(timeout: nil) { (from: From<Int>) in from }
        }
        spawn { _ in await withUnsafeContinuation { (_: UnsafeContinuation<Void, Never>) in } }
        _ = try await sim.context.receive(String.self)
      }
    }
    guard case .deadlock(let waiting) = error else { throw error }
    #expect(waiting.map(\.pid.id) == [1, 2, 3, 4])
    #expect(
      waiting.map(\.description) == [
        "#PID<1> waits for a message",
        "#PID<2> (listener) waits for a message that fits (2 do not); "
          + "1 of its callers wait for an answer",
        "#PID<3> waits for an answer from #PID<2>",
        "#PID<4> waits for something that is not Arbor's",
      ])
    #expect("\(error)".contains("#PID<3> waits for an answer from #PID<2>"))
  }

  @Test("what goes round in circles is ended by the limit of turns")
  func circles() throws {
    let options = SimulationOptions(stepLimit: 1000)
    let error = try #require(throws: SimulationError.self) {
      try simulate(seed: 1, options: options) { _ in
        while !Task.isCancelled { await Task.yield() }
      }
    }
    guard case .tooManySteps(1000) = error else { throw error }
  }

  @Test("what is left when the body returns is killed, and releases what it holds")
  func leftovers() throws {
    let (pids, node) = try simulate(seed: 1) { sim in
      let sleeper = spawn { context in try await context.sleep(for: .seconds(3600)) }
      let trapper = spawn { context in
        context.trapExit()
        _ = try await context.receive(Int.self)
      }
      let deaf = spawn { _ in
        await withUnsafeContinuation { (_: UnsafeContinuation<Void, Never>) in }
      }
      await sim.settle()
      return ([sleeper, trapper, deaf], sim.node)
    }
    for pid in pids { #expect(pid.fate?.reason == .killed) }
    #expect(node.processCount == 0)
  }

  @Test("with `settles`, what the body has set going comes to rest first")
  func settles() throws {
    let fired = Fired()
    for settles in [false, true] {
      try simulate(seed: 1, options: .init(settles: settles)) { _ in
        spawn { context in
          for _ in 0..<10 { try await context.sleep(for: .zero) }
          fired.note(settles ? 1 : 0)
        }
      }
    }
    #expect(fired.all == [1])
  }

  @Test("its random numbers are the seed's")
  func random() throws {
    func numbers(_ seed: UInt64) throws -> [Int] {
      try simulate(seed: seed) { sim in (0..<5).map { _ in sim.random(in: 0..<1000) } }
    }
    #expect(try numbers(3) == numbers(3))
    #expect(try numbers(3) != numbers(4))
  }

  @Test("one simulation can run inside another")
  func nested() throws {
    let inner = try simulate(seed: 1) { sim in
      try await sim.context.sleep(for: .seconds(1))
      let inner = try simulate(seed: 2) { inner in
        try await inner.context.sleep(for: .seconds(10))
        await Task.detached { await Task.yield() }.value
        return inner.now
      }
      await Task.detached { await Task.yield() }.value
      #expect(sim.now == .seconds(1))
      return inner
    }
    #expect(inner == .seconds(10))
  }

  private final class Fired: Sendable {
    private let numbers = Lock<[Int]>([])
    func note(_ number: Int) { numbers.withLock { $0.append(number) } }
    var all: [Int] { numbers.withLock { $0 } }
  }
}
