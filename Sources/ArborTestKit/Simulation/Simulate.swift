#if canImport(Glibc)
import Glibc
#elseif canImport(Musl)
import Musl
#elseif canImport(Darwin)
import Darwin
#endif

/// Runs code and all that it starts on the calling thread, in an order that a seed decides and under
/// virtual time: the same seed gives the same order.
///
///     @Test func slowServer() throws {
///       try simulate(seed: 7) { sim in
///         let server = try await Counter.start { Counter() }
///         await #expect(throws: CallError.timeout) { try await server.call { … } }
///         #expect(sim.now == .seconds(5))       // and no real time has passed
///       }
///     }
///
/// The body runs as a process on a node of its own. Each time it or another can go on, one of them is
/// picked and runs to its next suspension; time passes only when none can, and then to the next
/// timer at once. When the body has returned, the processes that are left are killed.
///
/// What runs under it: processes, calls, timers and supervisors; plain actors, task groups, `async
/// let`, streams, continuations; `Task {}` and `Task.detached`; `Task.yield()` and `Task.sleep`, and
/// `ContinuousClock` and `SuspendingClock` show virtual time. What does not: the main actor, threads and
/// queues of others, a process of another node, and any other clock (`Date`, the system's own). A
/// job that comes in from there is taken, is counted in ``Simulation/arrivals``, and is said on
/// stderr, since when it comes no seed decides. Nor does a seed decide on the order of a `Dictionary`
/// or `Set`, unless SWIFT_DETERMINISTIC_HASHING is in the environment.
///
/// Apple's SDK lacks what `Task.sleep` is caught with: there it is outside.
///
/// - Parameters:
///   - seed: decides on every choice, on the node's random numbers, and on `sim.random`.
///   - options: see ``SimulationOptions``.
/// - Returns: what the body returns.
/// - Throws: what the body throws, or ``SimulationError``: `deadlock` if nothing can ever run again,
///   `tooManySteps` if it goes round in circles. The seed is then printed on stderr.
@discardableResult
public func simulate<Value: Sendable>(
  seed: UInt64, options: SimulationOptions = SimulationOptions(),
  _ body: @escaping @Sendable (Simulation) async throws -> Value
) throws -> Value {
  let simulation = Simulation(seed: seed, options: options)
  let result = simulation.run(body)
  warnOfArrivals(simulation)
  if case .failure(let error) = result {
    complain(
      """
      seed \(seed) fails after \(simulation.trace.count) turns: \(error)
      Repeat it with simulate(seed: \(seed)).
      """)
  }
  return try result.get()
}

/// Runs the same code under many seeds, each in a simulation of its own, until one fails.
///
///     try simulate(seeds: 0..<500) { sim in
///       …
///       try #require(flag.writers <= 1)     // thrown, so that the seed is known to fail
///     }
///
/// State that the body shares with the test is shared by all runs: make it inside. With ARBOR_SEED in
/// the environment only that seed is run; with ARBOR_EFFORT, a percentage, only that share of them, for
/// runs under a sanitizer, which sees nothing new in another order on one thread, or above 100 so many
/// more.
///
/// - Throws: ``SimulationFailure``, which says the seed and what it did, and is printed on stderr.
public func simulate(
  seeds: Range<UInt64>, options: SimulationOptions = SimulationOptions(),
  _ body: @escaping @Sendable (Simulation) async throws -> Void
) throws {
  let share = seeds.lowerBound..<seeds.lowerBound + UInt64(effort(of: seeds.count))
  let seeds = chosenSeed.map { $0..<$0 + 1 } ?? share
  for seed in seeds {
    let simulation = Simulation(seed: seed, options: options)
    guard case .failure(let error) = simulation.run(body) else {
      warnOfArrivals(simulation)
      continue
    }
    let trace = simulation.trace
    let again = Simulation(seed: seed, options: options)
    let repeats =
      if case .failure(let other) = again.run(body) {
        again.trace == trace && "\(other)" == "\(error)"
      } else {
        false
      }
    let failure = SimulationFailure(seed: seed, error: error, trace: trace, repeats: repeats)
    warnOfArrivals(simulation)
    complain("\(failure)")
    throw failure
  }
}

/// The part of `count` runs, objects, rounds that ARBOR_EFFORT asks for, a percentage: at least one, all
/// if it is not set, and above 100 more.
package func effort(of count: Int) -> Int {
  let percent = getenv("ARBOR_EFFORT").flatMap { Int(String(cString: $0)) } ?? 100
  return count == 0 ? 0 : max(1, count * max(percent, 0) / 100)
}

/// The one seed that the environment asks for.
private var chosenSeed: UInt64? {
  getenv("ARBOR_SEED").flatMap { UInt64(String(cString: $0)) }
}

private func warnOfArrivals(_ simulation: Simulation) {
  let arrivals = simulation.arrivals
  if arrivals > 0 {
    complain(
      """
      seed \(simulation.seed) cannot be repeated exactly: \(arrivals) jobs came from threads outside \
      (the main actor, a queue, a real sleep)
      """)
  }
}

private func complain(_ text: String) {
  let line = "simulate: \(text)\n"
  _ = line.utf8.withContiguousStorageIfAvailable { write(2, $0.baseAddress, $0.count) }
}
