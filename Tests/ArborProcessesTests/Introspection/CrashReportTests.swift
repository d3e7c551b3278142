import ArborPrimitives
import ArborProcesses
import ArborTelemetry
import ArborTestKit
import Testing

private struct Boom: Error, Equatable {}

@Suite struct CrashReportTests {
  /// Every crash that the node tells of.
  private final class Reports: Sendable {
    private let reports = Lock<[CrashReport]>([])

    init(_ node: Node) throws {
      try node.telemetry.attach("reports", to: .processCrash) { [self] _, _, metadata in
        guard let report = metadata["report", as: CrashReport.self] else { return }
        reports.withLock { $0.append(report) }
      }
    }

    var all: [CrashReport] { reports.withLock { $0 } }
  }

  @Test("PL:crash: who, why, what it was to do, whence it came, and who goes with it")
  func contents() throws {
    try simulate(seeds: 0..<50) { sim in
      let reports = try Reports(sim.node)
      try await withProcess { context in
        let (crashed, _) = context.spawnMonitor(as: "sp2") { inner in
          inner.setLabel("the second")
          try inner.register("second")
          inner.spawnLink(as: "sp1") { child in _ = try await child.receive(String.self) }
          inner.spawnLink(as: "trapper") { child in
            child.trapExit()
            _ = try await child.receive(Exit.self)
          }
          inner.pid.send("left")
          _ = try await inner.receive(Int.self)
          throw Boom()
        }
        await sim.settle()
        crashed.send(1)
        _ = try await context.receive(Down.self)
        try #require(reports.all.count == 1)
        let report = reports.all[0]
        try #require(report.pid == crashed && report.reason == .error(Boom()))
        try #require(report.info.initialCall == "sp2" && report.info.label == "the second")
        try #require(report.info.names == ["second"] && report.info.queueLength == 1)
        try #require(report.info.ancestors.first?.pid == context.pid)
        try #require(report.info.handling?.type == "Int")
        try #require(report.neighbours.map(\.info.initialCall) == ["sp1"])
        try #require(report.neighbours[0].info.parent == crashed)
        let text = report.description
        try #require(text.hasPrefix("\(crashed) crashed: Boom()\n"))
        for part in ["names: second", "initial call: sp2", "messages left: 1", "sp1"] {
          try #require(text.contains(part))
        }
      }
    }
  }

  @Test(
    "PL:crash: no report of a quiet end, nor of one by a signal",
    arguments: [ExitReason.normal, .shutdown, .shutdown("why")])
  func quiet(reason: ExitReason) throws {
    try simulate(seed: 1) { sim in
      let reports = try Reports(sim.node)
      try await withProcess { context in
        _ = context.spawnMonitor { _ in throw reason }
        let (waiting, _) = context.spawnMonitor { inner in _ = try await inner.receive(Int.self) }
        let (peer, _) = context.spawnMonitor { inner in
          try inner.link(waiting)
          _ = try await inner.receive(Int.self)
        }
        await sim.settle()
        waiting.sendExit(.error(Boom()))
        for _ in 0..<3 { _ = try await context.receive(Down.self) }
        try #require(!peer.isAlive && reports.all.isEmpty)
      }
    }
  }

  @Test("it is told before anybody hears of the end")
  func first() throws {
    try simulate(seeds: 0..<100) { sim in
      let reports = try Reports(sim.node)
      try await withProcess { context in
        context.trapExit()
        context.spawnLink { _ in throw Boom() }
        _ = try await context.receive(Exit.self)
        try #require(reports.all.map(\.reason) == [.error(Boom())])
      }
    }
  }
}
