import ArborPrimitives
import ArborProcesses
import ArborTestKit
import Testing

/// A flag that keeps nobody out: whoever sees it down raises it, a moment later.
private final class PlainFlag: Sendable {
  private let raises = Lock(0)
  var count: Int { raises.withLock { $0 } }
  var isUp: Bool { count > 0 }
  func raise() { raises.withLock { $0 += 1 } }
}

private struct RaisedTwice: Error {}

/// What the kit is for: a mistake that shows in one order of many is found, and shown again.
@Suite struct PlantedRaceTests {
  /// Two processes check the flag, then act on it. The second comes so much later that on a quiet
  /// machine it always finds the flag up.
  private static func race(
    apart yields: Int
  ) -> @Sendable (Simulation) async throws -> Void {
    { sim in
      let flag = PlainFlag()
      let monitors = (0..<2).map { number in
        sim.context.spawnMonitor { context in
          for _ in 0..<yields * number { await Task.yield() }
          if flag.isUp { return }
          await Task.yield()
          flag.raise()
        }.ref
      }
      for ref in monitors {
        _ = try await sim.context.receive(Down.self, where: { $0.ref == ref })
      }
      if flag.count > 1 { throw RaisedTwice() }
    }
  }

  @Test(
    "a planted race is found within 500 seeds and replayed exactly",
    .enabled(if: effort(of: 500) == 500, "ARBOR_EFFORT leaves out seeds"),
    arguments: [(SimulationOptions.Policy.varied, 8), (.ranks, 16), (.random, 2)])
  func found(policy: SimulationOptions.Policy, apart: Int) throws {
    let race = Self.race(apart: apart)
    let options = SimulationOptions(policy: policy)
    let failure = try #require(throws: SimulationFailure.self) {
      try simulate(seeds: 0..<500, options: options, race)
    }
    #expect(failure.error is RaisedTwice)
    #expect(failure.repeats)
    #expect(throws: RaisedTwice.self) {
      try simulate(seed: failure.seed, options: options, race)
    }
  }

  @Test("the order of a quiet machine does not show it")
  func hidden() throws {
    try simulate(seed: 0, options: .init(policy: .queue), Self.race(apart: 8))
  }

  @Test("a failure that depends on more than the seed is said not to repeat")
  func unrepeatable() throws {
    let runs = Runs()
    let failure = try #require(throws: SimulationFailure.self) {
      try simulate(seeds: 0..<50) { _ in
        if await runs.next() == 3 { throw RaisedTwice() }
      }
    }
    #expect(failure.seed == 2)
    #expect(!failure.repeats)
    #expect("\(failure)".contains("seed 2 "))
  }

  private actor Runs {
    private var count = 0
    func next() -> Int {
      count += 1
      return count
    }
  }
}
