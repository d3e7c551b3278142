import ArborPrimitives
import ArborProcesses
import ArborTestKit
import Testing

/// A lock that is none: it looks whether the flag is down, and raises it one suspension later.
private actor PlainFlag {
  var isUp = false
  var holders = 0
  var mostHolders = 0

  func raise() { isUp = true }
  func enter() {
    holders += 1
    mostHolders = max(mostHolders, holders)
  }
  func leave() {
    holders -= 1
    isUp = false
  }
}

private struct TwoHolders: Error {}

@Suite struct PlantedRaceTests {
  /// Two processes check the flag, then act on it.
  @Sendable private static func race(_ sim: Simulation) async throws {
    let flag = PlainFlag()
    let workers = (0..<2).map { _ in
      spawn { context in
        if await !flag.isUp {
          await flag.raise()
          await flag.enter()
          try await context.sleep(for: .milliseconds(1))
          await flag.leave()
        }
      }
    }
    try await withProcess { context in
      for ref in workers.map({ context.monitor($0) }) {
        _ = try await context.receive(Down.self, where: { $0.ref == ref })
      }
    }
    if await flag.mostHolders > 1 { throw TwoHolders() }
  }

  @Test("a planted race is found within 500 seeds and replayed exactly")
  func found() throws {
    let failure = try #require(throws: SimulationFailure.self) {
      try simulate(seeds: 0..<500, Self.race)
    }
    #expect(failure.error is TwoHolders)
    #expect(failure.repeats)
    print(failure)
    print(failure.trace.map { "\($0)" }.joined(separator: "\n"))
    #expect(throws: TwoHolders.self) { try simulate(seed: failure.seed, Self.race) }
  }
}
