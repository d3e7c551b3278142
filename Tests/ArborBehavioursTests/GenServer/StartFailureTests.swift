import ArborBehaviours
import ArborProcesses
import ArborTestKit
import Testing

/// The ways in which a start ends: cases of gen_server_SUITE.
@Suite struct StartFailureTests {
  enum Way: CaseIterable, Sendable { case start, startLink, startMonitor }

  /// How a start fails, what its starter is told, and what the process ends with.
  enum Failure: CaseIterable, Sendable {
    case ignore, stop, stopQuietly, error, timeout

    var told: StartError {
      switch self {
      case .ignore: .ignored
      case .stop: .failed(.shutdown("stopped"))
      case .stopQuietly: .failed(.normal)
      case .error: .failed(.error(Boom()))
      case .timeout: .timeout
      }
    }

    /// Nil where the starter hears nothing.
    var exit: ExitReason? {
      switch self {
      case .ignore, .stopQuietly: .normal
      case .stop: .shutdown("stopped")
      case .error: .error(Boom())
      case .timeout: nil
      }
    }

    @Sendable func make() async throws -> Scripted {
      switch self {
      case .ignore: throw StartError.ignored
      case .stop: throw ExitReason.shutdown("stopped")
      case .stopQuietly: throw ExitReason.normal
      case .error: throw Boom()
      case .timeout:
        let server = Scripted()
        try await server.process.sleep(for: .seconds(1000))
        return server
      }
    }
  }

  private static func start(
    _ way: Way, _ make: @escaping @Sendable () async throws -> Scripted
  ) async throws(StartError) -> ServerRef<Scripted> {
    let timeout = Duration.seconds(1)
    switch way {
    case .start: return try await Scripted.start(named: "name", timeout: timeout, make)
    case .startLink: return try await Scripted.startLink(named: "name", timeout: timeout, make)
    case .startMonitor:
      return try await Scripted.startMonitor(named: "name", timeout: timeout, make).server
    }
  }

  @Test(
    "GS:loop_start_fail, otp_7669: what is told, what is left, and the name is free",
    arguments: Way.allCases, Failure.allCases)
  func fails(way: Way, failure: Failure) throws {
    try simulate(seeds: 0..<20) { sim in
      try await withProcess { context in
        context.trapExit()
        let before = sim.node.processCount
        for _ in 0..<5 {
          let error = await #expect(throws: StartError.self) {
            _ = try await Self.start(way, failure.make)
          }
          try #require(error == failure.told)
          try #require(sim.node.pid(named: "name") == nil)
          try #require(sim.node.processCount == before)
          if way == .startLink, let reason = failure.exit {
            let exit = try await context.receive(Exit.self, timeout: .zero)
            try #require(exit.reason == reason)
          }
        }
        let server = try await Self.start(way) { Scripted() }
        try await server.stop()
        if way == .startLink { _ = try await context.receive(Exit.self, timeout: .zero) }
        if way == .startMonitor { _ = try await context.receive(Down.self, timeout: .zero) }
        let rest = try? await context.receive(timeout: .zero)
        try #require(rest == nil)
      }
    }
  }

  @Test(
    "GS:start: a name that is taken; the starter lives on, also linked", arguments: Way.allCases)
  func taken(way: Way) throws {
    try simulate(seeds: 0..<100) { sim in
      try await withProcess { context in
        let first = try await Scripted.start(named: "name") { Scripted() }
        let pid = try #require(first.pid)
        let made = Heard<Int>()
        let (starter, ref) = context.spawnMonitor { inner in
          let error = await #expect(throws: StartError.alreadyStarted(pid)) {
            _ = try await Self.start(way) {
              made.add(1)
              return Scripted()
            }
          }
          try #require(error != nil)
          let mail = try? await inner.receive(timeout: .seconds(1))
          try #require(mail == nil)
        }
        let down = try await context.receive(Down.self, where: { $0.ref == ref })
        try #require(down.pid == starter && down.reason == .normal && made.all.isEmpty)
        try #require(first.pid == pid)
      }
    }
  }

  @Test("GS:start: linked, monitored, by name; the dead are noproc")
  func starts() throws {
    try simulate(seeds: 0..<100) { sim in
      try await withProcess { context in
        context.trapExit()
        let linked = try await Scripted.startLink(named: "name") { Scripted() }
        let pid = try #require(linked.pid)
        try await ServerRef<Scripted>(named: "name").stop(.shutdown("stopped"))
        let exit = try await context.receive(Exit.self)
        try #require(exit.pid == pid && exit.reason == .shutdown("stopped"))
        let gone = await #expect(throws: CallError.noproc) { _ = try await linked.notes }
        try #require(gone != nil)
        let (server, ref) = try await Scripted.startMonitor(named: "name") { Scripted() }
        try await server.stop(.shutdown("stopped"))
        let down = try await context.receive(Down.self)
        try #require(down.ref == ref && down.reason == .shutdown("stopped"))
        let nobody = await #expect(throws: CallError.noproc) {
          _ = try await ServerRef<Scripted>(named: "name").notes
        }
        try #require(nobody != nil)
      }
    }
  }

  private final class Gift: Sendable {}
  private struct Given {
    let server: ServerRef<Scripted>
    weak var gift: Gift?
  }

  private static func startWithGift(_ way: Way) async throws(StartError) -> Given {
    let gift = Gift()
    let server = try await start(way) { withExtendedLifetime(gift) { Scripted() } }
    return Given(server: server, gift: gift)
  }

  @Test("what only the start needed is let go of once the server serves", arguments: Way.allCases)
  func startIsLetGoOf(_ way: Way) throws {
    try simulate(seeds: 0..<20) { _ in
      let given = try await Self.startWithGift(way)
      _ = try await given.server.call(Scripted.Call.notes)
      try #require(given.gift == nil)
    }
  }

  @Test("startMonitor and startLink need a process")
  func outside() async {
    await #expect(throws: StartError.notInProcess) {
      _ = try await Scripted.startMonitor { Scripted() }
    }
    await #expect(throws: StartError.notInProcess) {
      _ = try await Scripted.startLink { Scripted() }
    }
  }
}
