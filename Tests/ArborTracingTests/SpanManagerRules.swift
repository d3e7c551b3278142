import ArborBehaviours
import ArborPrimitives
import ArborProcesses
import ArborTables
import ArborTelemetry
import ArborTestKit
import Testing

@testable import ArborTracing

// The SpanManager's protocol, rule by rule. What can only be seen as a race is in SpanRaceTests.
//
// | rule | says | shown by |
// | ---- | ---- | -------- |
// | 1  | the first span inserts a row and casts; it never waits | `adopted`, `synchronous` |
// | 2  | one who is dead by then takes the row back himself | `deadAtFirstSpan` |
// | 3  | a start comes before the push, a stop after the removal | `startFirst` |
// | 4  | who is fenced opens and ends nothing | `fenced`, SpanRaceTests `straggler` |
// | 5  | by id; who removed it emits | `endedByTwo`, TraceFaceTests `ends` |
// | 6  | an emptied stack keeps row and monitor | `emptied`, `scope` |
// | 7  | a change of owner stops no writer; without a table spans run on | `writers`, `noTable` |
// | 8  | a new manager claims and scans before any mail; one monitor per PID | `scanned`, `oneMonitor` |
// | 9  | the heir stays, a new holder becomes it; both gone lose nothing | `heirs`, `bothGone` |
// | 10 | the row's reason is the process's, not the monitor's | `trueReason`, `monitoredInRelease` |
// | 11 | closing takes all spans, then emits; the batch stops between rows | `taken`, `killedInBatch` |
// | 12 | the manager's end closes nothing, the holder's does | `managerStops`, `shutdown` |
// | 13 | settle closes what the manager has not heard of | `settled`, SpanRaceTests `killed` |
// | 14 | a remote parent is nobody's to end | `remoteParent` |
// | 15 | other processes' stacks | SpanStackTests |
// | 16 | handlers in the manager may use its face, and may throw | `handlers` |
// | 17 | the manager's own spans | `ownSpans` |
// | 18 | PIDs are never reused | `stale` |
@Suite struct SpanManagerRules {
  private static let manager: ProcessName = "arbor.tracing.manager"
  private static let holder: ProcessName = "arbor.tracing.table"

  private struct Failed: Error { let what: String }

  /// Something that a process holds, and that has others look at the process while it is let go of.
  private final class Visitor: OwnedResource {
    let visit: @Sendable () -> Void
    init(_ visit: @escaping @Sendable () -> Void) { self.visit = visit }
    func ownerReleased(_ owner: PID, reason: ExitReason) { visit() }
  }

  private final class Answers: Sendable { let list = Lock<[Int]>([]) }

  /// A process with these spans open, outermost first.
  private static func client(_ names: [String], _ sim: Simulation) async throws -> PID {
    let me = sim.context.pid
    let pid = spawn(on: sim.node) { context in
      for name in names { Trace.startSpan(name) }
      me.send("open")
      _ = try await context.receive(Int.self)
    }
    _ = try await sim.context.receive(String.self)
    return pid
  }

  /// Ends a process and returns when its DOWN has come, which says nothing about the manager.
  private static func end(
    _ pid: PID, _ sim: Simulation, _ reason: ExitReason = .kill
  ) async throws {
    let ref = sim.context.monitor(pid)
    pid.sendExit(reason)
    _ = try await sim.context.receive(Down.self, where: { $0.ref == ref })
  }

  /// Waits until the tree is up, and the manager has the table.
  private static func ready(_ sim: Simulation) async throws -> PID {
    await sim.advance(by: .milliseconds(20))
    guard let pid = sim.node.pid(named: manager) else { throw Failed(what: "no manager") }
    return pid
  }

  // MARK: The first span, push and end

  @Test("RULE-1: the manager is told of a process at its first span, once")
  func adopted() throws {
    try simulate(seed: 1) { sim in
      Trace.startSpan("first")
      // Behind the cast in the manager's mailbox; it scans nothing.
      let first = try await SpanManager.watchedCount(on: sim.node)
      Trace.startSpan("second")
      let second = try await SpanManager.watchedCount(on: sim.node)
      #expect(first == 1 && second == 1)
      // It is up now, and scans no more: of others it has to be told.
      _ = try await Self.client(["another's"], sim)
      #expect(try await SpanManager.watchedCount(on: sim.node) == 2)
    }
  }

  @Test("RULE-1: a span waits for nobody, be the manager away or not yet there")
  func synchronous() throws {
    try simulate(seed: 2) { sim in
      let first = Trace.withSpan("no tree yet") { SpanManager.stack().map(\.name) }
      #expect(first == ["no tree yet"] && SpanManager.rowCount(on: sim.node) == 1)
      let manager = try await Self.ready(sim)
      manager.sendExit(.kill)
      // No suspension from here to there: it is away.
      Trace.withSpan("away") { #expect(SpanManager.stack().map(\.name) == ["away"]) }
      let (pid, _) = sim.context.spawnMonitor { _ in Trace.startSpan("opened meanwhile") }
      _ = try await sim.context.receive(Down.self)
      try await SpanManager.settle(pid)
      #expect(SpanManager.stack(of: pid).isEmpty)
    }
  }

  @Test("RULE-2: a row that comes after its process's death is taken back by who made it")
  func deadAtFirstSpan() throws {
    try simulate(seed: 3) { sim in
      let recorder = try SpanRecorder(node: sim.node)
      let core = ProcessCore(node: sim.node, parent: nil)
      let tracing = Tracing.of(sim.node)
      core.finish(.shutdown)
      // As a task of the process does that looked at the fence just before.
      let row = tracing.row(of: core)
      #expect(SpanManager.rowCount(on: sim.node) == 0)
      let span = TraceSpan("late")
      #expect(row.push(span, isScoped: false, at: nil) == span)
      #expect(recorder.spans.isEmpty)
    }
  }

  @Test("RULE-3: a start is heard before the span can be seen, a stop after")
  func startFirst() throws {
    try simulate(seed: 4) { sim in
      let seen = Lock<[String]>([])
      try sim.node.telemetry.attach("look", to: [.spanStart, .spanStop]) { event, _, metadata in
        let id = metadata["span_id", as: SpanID.self]
        let isThere = SpanManager.stack().contains { $0.id == id }
        seen.withLock { $0.append("\(event.parts[2]) \(isThere)") }
      }
      Trace.withSpan("a") {}
      Trace.startSpan("b")
      Trace.endSpan()
      SpanManager.push(TraceSpan("c"))
      SpanManager.pop()
      #expect(
        seen.withLock { $0 }
          == Array(repeating: ["start false", "stop false"], count: 3).flatMap(\.self))
    }
  }

  @Test("RULE-4: from an exit on a process's own pushes and ends are refused")
  func fenced() throws {
    try simulate(seed: 5) { sim in
      let recorder = try SpanRecorder(node: sim.node)
      let (pid, _) = sim.context.spawnMonitor { context in
        Trace.withSpan("outer") {
          let inner = Trace.startSpan("inner")
          context.sendExit(.kill, to: context.pid)
          #expect(!Trace.endSpan(inner) && !Trace.addAttributes(["late": true]))
          Trace.withSpan("refused") { #expect(SpanManager.stack().count == 2) }
        }
      }
      _ = try await sim.context.receive(Down.self)
      try await SpanManager.settle(pid)
      #expect(recorder.spans.map(\.name) == ["refused", "inner", "outer"])
      #expect(recorder.spans[0].status == .error("ownerDead") && recorder.startedCount == 3)
      #expect(recorder.records.dropFirst().allSatisfy { $0.reason == .killed })
      #expect(recorder.spans[1].metadata.isEmpty)
    }
  }

  @Test("RULE-5: of two who end a span one does")
  func endedByTwo() async throws {
    let node = Node(workers: 2)
    defer { node.shutdown() }
    let recorder = try SpanRecorder(node: node)
    let rounds = effort(of: 2_000)
    try await withProcess(on: node) { _ in
      for _ in 0..<rounds {
        let span = try #require(Trace.startSpan("contested"))
        async let one = Trace.endSpan(span)
        async let other = Trace.endSpan(span)
        let ends = await [one, other]
        try #require(ends.count(where: \.self) == 1)
      }
    }
    #expect(recorder.spans.count == rounds)
  }

  @Test("RULE-6: an emptied stack keeps row and monitor until its process ends")
  func emptied() throws {
    try simulate(seed: 6) { sim in
      let (pid, _) = sim.context.spawnMonitor { context in
        for _ in 0..<3 { Trace.withSpan("again") {} }
        #expect(SpanManager.rowCount(on: context.node) == 1)
        let watched = try await SpanManager.watchedCount(on: context.node)
        #expect(watched == 1)
        #expect(context.pid.info?.monitoredBy.count == 2)
      }
      _ = try await sim.context.receive(Down.self)
      try await SpanManager.settle(pid)
      #expect(SpanManager.rowCount(on: sim.node) == 0)
      #expect(try await SpanManager.watchedCount(on: sim.node) == 0)
    }
  }

  @Test("RULE-6: the end of a withProcess scope takes the row, and closes what is open in it")
  func scope() async throws {
    let node = Node(workers: 2)
    defer { node.shutdown() }
    let recorder = try SpanRecorder(node: node)
    await withProcess(on: node) { _ in
      Trace.startSpan("left open")
      #expect(SpanManager.rowCount(on: node) == 1)
    }
    #expect(SpanManager.rowCount(on: node) == 0)
    #expect(recorder.spans.map(\.status) == [.error("normal")])
  }

  @Test("RULE-7: a change of owner neither blocks nor fails a write")
  func writers() throws {
    try simulate(seed: 7) { sim in
      let recorder = try SpanRecorder(node: sim.node)
      Trace.startSpan("before")
      let manager = try await Self.ready(sim)
      let owner = Tracing.of(sim.node).table?.owner
      #expect(owner == manager)
      manager.sendExit(.kill)
      for turn in 0..<200 {
        Trace.withSpan("during \(turn)") {
          #expect(SpanManager.openSpans(on: sim.node).count == 2)
        }
        await Task.yield()
      }
      await sim.advance(by: .milliseconds(1))
      #expect(Tracing.of(sim.node).table?.owner == sim.node.pid(named: Self.manager))
      #expect(Tracing.of(sim.node).table?.owner != owner)
      #expect(Trace.endSpan() && recorder.spans.count == 201)
    }
  }

  @Test("RULE-7: without any table spans run on, unrecorded, and are counted")
  func noTable() throws {
    try simulate(seed: 8) { sim in
      let recorder = try SpanRecorder(node: sim.node)
      Trace.startSpan("before")
      _ = try await Self.ready(sim)
      // The whole tree at once: nobody starts it again.
      for pid in sim.node.allProcesses where pid != sim.context.pid { pid.sendExit(.kill) }
      await sim.settle()
      #expect(Tracing.of(sim.node).table == nil && Trace.currentSpan?.name == "before")
      Trace.withSpan("after") { #expect(Trace.currentSpan?.name == "after") }
      #expect(Trace.endSpan())
      let (_, _) = sim.context.spawnMonitor { _ in Trace.withSpan("new process") {} }
      _ = try await sim.context.receive(Down.self)
      #expect(recorder.spans.map(\.name) == ["after", "before", "new process"])
      #expect(recorder.spans.allSatisfy { $0.status == .ok })
      let (_, _) = sim.context.spawnMonitor { _ in Trace.startSpan("left open, to nobody") }
      _ = try await sim.context.receive(Down.self)
      let counts = SpanManager.counts(on: sim.node)
      #expect(counts.unrecorded == 2 && counts.lost == 1)
    }
  }

  // MARK: The manager's end and the hand-over

  @Test("RULE-8: a new manager finds who died meanwhile without being told")
  func scanned() throws {
    try simulate(seed: 9) { sim in
      let recorder = try SpanRecorder(node: sim.node)
      let pids = try await [Self.client(["a"], sim), Self.client(["b"], sim)]
      let manager = try await Self.ready(sim)
      manager.sendExit(.kill)
      pids[0].sendExit(.kill)
      await sim.advance(by: .milliseconds(20))
      #expect(recorder.spans.map(\.name) == ["a"] && SpanManager.rowCount(on: sim.node) == 1)
      // It watches the other again.
      pids[1].sendExit(.kill)
      await sim.advance(by: .milliseconds(20))
      #expect(recorder.spans.map(\.name) == ["a", "b"] && SpanManager.rowCount(on: sim.node) == 0)
    }
  }

  @Test("RULE-8: a process is watched once, however often the manager hears of it")
  func oneMonitor() throws {
    try simulate(seed: 10) { sim in
      let pid = try await Self.client(["a"], sim)
      _ = try await Self.ready(sim)
      for _ in 0..<3 {
        SpanManager.adopt(pid)
        try await SpanManager.settle(on: sim.node)  // which scans
      }
      #expect(pid.info?.monitoredBy.count == 1)
      sim.node.pid(named: Self.manager)?.sendExit(.kill)
      await sim.advance(by: .milliseconds(20))
      #expect(pid.info?.monitoredBy.count == 1)
    }
  }

  @Test("RULE-9: the heir stays the heir, and a new holder becomes it")
  func heirs() throws {
    try simulate(seed: 11) { sim in
      let lost = Lock(0)
      try sim.node.telemetry.attach("lost", to: .tableLost) { _, _, _ in lost.withLock { $0 += 1 } }
      let pid = try await Self.client(["a"], sim)
      _ = try await Self.ready(sim)
      // Each of them has to have been handed on by the one before.
      for name in [
        Self.manager, Self.holder, Self.manager, Self.manager, Self.holder, Self.holder,
        Self.manager,
      ] {
        sim.node.pid(named: name)?.sendExit(.kill)
        await sim.advance(by: .seconds(6))  // and the supervisor has forgotten it
      }
      #expect(lost.withLock { $0 } == 0 && SpanManager.stack(of: pid).count == 1)
      #expect(Tracing.of(sim.node).table?.heir == sim.node.pid(named: Self.holder))
      try await Self.end(pid, sim)
      try await SpanManager.settle(pid)
      #expect(SpanManager.rowCount(on: sim.node) == 0)
    }
  }

  @Test("RULE-9: both gone at once: a new table has the spans of the living and of the dead")
  func bothGone() throws {
    try simulate(seeds: 0..<500) { sim in
      let recorder = try SpanRecorder(node: sim.node)
      let heard = Lock<[TelemetryValues]>([])
      try sim.node.telemetry.attach("lost", to: .tableLost) { _, measurements, _ in
        heard.withLock { $0.append(measurements) }
      }
      let living = try await Self.client(["a", "b"], sim)
      func loseOne() async throws {
        let dead = try await Self.client(["c", "d", "e"], sim)
        _ = try await Self.ready(sim)
        for name in [Self.manager, Self.holder] {
          sim.node.pid(named: name)?.sendExit(.kill)
        }
        dead.sendExit(.kill)
        await sim.settle()
      }
      // Apart, so that nobody keeps the PID.
      try await loseOne()
      await sim.advance(by: .milliseconds(20))
      let recovered = heard.withLock { $0.map { $0["recovered", as: Int.self] } }
      // In some orders the third's spans were closed before, or the two were not gone at once.
      try #require([[2], [5], []].contains(recovered) && SpanManager.rowCount(on: sim.node) == 1)
      try #require(recorder.records.map(\.reason) == [.killed, .killed, .killed])
      try #require(SpanManager.counts(on: sim.node).lost == 0)
      try await Self.end(living, sim)
      try await SpanManager.settle(living)
      try #require(recorder.spans.count == 5 && SpanManager.rowCount(on: sim.node) == 0)
    }
  }

  @Test("RULE-10: a monitor that comes too late says noproc; the stop says the true reason")
  func trueReason() throws {
    try simulate(seed: 13) { sim in
      let recorder = try SpanRecorder(node: sim.node)
      let pid = try await Self.client(["a"], sim)
      let manager = try await Self.ready(sim)
      manager.sendExit(.kill)
      try await Self.end(pid, sim, .shutdown("true"))
      try await SpanManager.settle(pid)
      #expect(recorder.records.map(\.reason) == [.shutdown("true")])
      #expect(recorder.spans[0].endTime == pid.fate?.time)
      // Long after the death, too.
      let late = try await Self.client(["b"], sim)
      let fate = Fate(reason: .shutdown("told"), time: sim.node.clock.now())
      await sim.advance(by: .seconds(1))
      Tracing.of(sim.node).closeRow(of: late, fate)
      #expect(recorder.records.last?.reason == fate.reason)
      #expect(recorder.spans.last?.endTime == fate.time)
    }
  }

  @Test(
    "RULE-10: a monitor set between a death and its DOWN says noproc; the stop, the true reason")
  func monitoredInRelease() throws {
    try simulate(seed: 22) { sim in
      let recorder = try SpanRecorder(node: sim.node)
      Trace.startSpan("so that there is a manager")
      let manager = try await Self.ready(sim)
      // One that nobody told the manager of.
      let core = ProcessCore(node: sim.node, parent: nil)
      let row = SpanRow(seed: 1, Tracing.of(sim.node))
      let isFilled = core.slot.fill(row)
      #expect(isFilled)
      Tracing.of(sim.node).insert(row, of: core.pid)
      #expect(row.push(TraceSpan("left"), isScoped: false, at: nil) == nil)
      let wasDead = Lock(false)
      // As a manager does that saw it alive just before.
      let visitor = Visitor {
        wasDead.withLock { $0 = core.fate != nil }
        _ = ProcessContext(manager.core).monitor(core.pid)
        _ = sim.context.monitor(core.pid)
      }
      #expect(core.adopt(visitor))
      core.finish(.shutdown("true"))
      #expect(wasDead.withLock { $0 } && recorder.records.isEmpty)
      let down = try await sim.context.receive(Down.self)
      #expect(down.reason == .noproc)
      // Not by asking the manager to: it has heard of it.
      await sim.settle()
      #expect(recorder.records.map(\.reason) == [.shutdown("true")])
      #expect(recorder.spans.first?.endTime == core.fate?.time)
      #expect(SpanManager.rowCount(on: sim.node) == 1)
    }
  }

  @Test("RULE-11: closing takes all spans at once, then says so, innermost first")
  func taken() throws {
    try simulate(seed: 14) { sim in
      let left = Lock<[Int]>([])
      let recorder = try SpanRecorder(node: sim.node)
      let pid = try await Self.client(["a", "b", "c"], sim)
      try sim.node.telemetry.attach("look", to: .spanStop) { _, _, _ in
        left.withLock { $0.append(SpanManager.stack(of: pid).count) }
      }
      try await Self.end(pid, sim)
      try await SpanManager.settle(pid)
      #expect(left.withLock { $0 } == [0, 0, 0])
      #expect(recorder.spans.map(\.name) == ["c", "b", "a"])
    }
  }

  @Test("RULE-11: a manager that is killed in a batch finishes the row, and leaves the others")
  func killedInBatch() throws {
    try simulate(seeds: 0..<50) { sim in
      let recorder = try SpanRecorder(node: sim.node)
      var pids: [PID] = []
      for number in 0..<6 { pids.append(try await Self.client(["\(number)", "\(number)"], sim)) }
      // The next one finds them all dead, and closes them in one batch.
      try await Self.ready(sim).sendExit(.kill)
      let closers = Lock<[PID]>([])
      try sim.node.telemetry.attach("kill", to: .spanStop) { _, _, _ in
        guard let closer = ProcessCore.current?.pid else { return }
        let count = closers.withLock { closers in
          closers.append(closer)
          return closers.count
        }
        if count == 3 { closer.sendExit(.kill) }
      }
      let downs = pids.map { sim.context.monitor($0) }
      for pid in pids { pid.sendExit(.kill) }
      for ref in downs { _ = try await sim.context.receive(Down.self, where: { $0.ref == ref }) }
      try await SpanManager.settle(on: sim.node)
      let names = recorder.spans.map(\.name)
      try #require(names.count == 12)
      // Each row's two stops stand together, and are one manager's.
      let closed = closers.withLock { $0 }
      for first in stride(from: 0, to: 12, by: 2) {
        try #require(names[first] == names[first + 1] && closed[first] == closed[first + 1])
      }
      // The one that was killed at the third begins no other row.
      try #require(!closed[4...].contains(closed[2]) && !closed[2].isAlive)
      try #require(SpanManager.rowCount(on: sim.node) == 0)
    }
  }

  @Test("RULE-12: the manager's own end closes nothing")
  func managerStops() throws {
    try simulate(seed: 15) { sim in
      let recorder = try SpanRecorder(node: sim.node)
      let pid = try await Self.client(["a"], sim)
      let manager = try await Self.ready(sim)
      try await ServerRef<SpanManager>(manager).stop(.shutdown)
      #expect(recorder.spans.isEmpty && SpanManager.stack(of: pid).count == 1)
    }
  }

  @Test("RULE-12: at the tree's end what is open is closed with shutdown, and processes trace on")
  func shutdown() throws {
    try simulate(seed: 16) { sim in
      let recorder = try SpanRecorder(node: sim.node)
      Trace.startSpan("mine")
      let pid = try await Self.client(["a", "b"], sim)
      _ = try await Self.ready(sim)
      try await ServerRef<Supervisor>(named: "arbor.root").stop(.shutdown)
      #expect(Set(recorder.spans.map(\.name)) == ["mine", "a", "b"])
      #expect(recorder.records.allSatisfy { $0.reason == .shutdown } && pid.isAlive)
      #expect(Trace.currentSpan == nil)
      Trace.withSpan("after") { Trace.withSpan("in it") {} }
      #expect(recorder.spans.suffix(2).map(\.status) == [.ok, .ok])
      await #expect(throws: CallError.noproc) { try await SpanManager.settle(pid) }
    }
  }

  @Test("RULE-13: settle closes what the manager has not heard of yet", arguments: [true, false])
  func settled(onlyThis: Bool) throws {
    try simulate(seed: 21) { sim in
      let recorder = try SpanRecorder(node: sim.node)
      Trace.startSpan("so that there is a manager")
      _ = try await Self.ready(sim)
      // One whose cast and whose DOWN are on their way for as long as you like.
      let core = ProcessCore(node: sim.node, parent: nil)
      let row = SpanRow(seed: 1, Tracing.of(sim.node))
      #expect(row.push(TraceSpan("left"), isScoped: false, at: nil) == nil)
      Tracing.of(sim.node).insert(row, of: core.pid)
      core.finish(.shutdown)
      #expect(SpanManager.rowCount(on: sim.node) == 2)
      if onlyThis {
        try await SpanManager.settle(core.pid)
      } else {
        try await SpanManager.settle(on: sim.node)
      }
      #expect(recorder.records.map(\.reason) == [.shutdown])
      #expect(SpanManager.rowCount(on: sim.node) == 1)
    }
  }

  // MARK: Around it

  @Test("RULE-14: the sender's span is the handler's parent and not its to end, or to die with")
  func remoteParent() throws {
    try simulate(seed: 17) { sim in
      let recorder = try SpanRecorder(node: sim.node)
      try await Trace.withSpan("mine") {
        let (pid, _) = sim.context.spawnMonitor { context in
          #expect(Trace.currentSpan == nil && Trace.currentTraceID != nil)
          #expect(!Trace.endSpan() && SpanManager.pop() == nil && SpanManager.clear() == 0)
          Trace.startSpan("its own")
        }
        _ = try await sim.context.receive(Down.self)
        try await SpanManager.settle(pid)
        #expect(recorder.spans.map(\.name) == ["its own"])
        #expect(Trace.currentSpan?.name == "mine")
      }
      #expect(recorder.spans.map(\.status) == [.error("normal"), .ok])
      #expect(recorder.spans[0].parentID == recorder.spans[1].id)
    }
  }

  @Test("RULE-16: a handler in the manager may ask it everything, and may throw")
  func handlers() throws {
    try simulate(seed: 18) { sim in
      let recorder = try SpanRecorder(node: sim.node)
      let pids = try await [Self.client(["a", "b"], sim), Self.client(["c"], sim)]
      let answers = Answers()
      try sim.node.telemetry.attach("ask", to: .spanStop) { _, _, _ in
        let node = ProcessCore.current?.node ?? .shared
        let open = SpanManager.openSpans(on: node).count
        answers.list.withLock { $0.append(open) }
        Task {
          // In the manager's name, but not in its handler's stead.
          try await SpanManager.settle(on: node)
          for pid in pids { try await SpanManager.settle(pid) }
          let watched = try await SpanManager.watchedCount(on: node)
          answers.list.withLock { $0.append(100 + watched) }
        }
      }
      try sim.node.telemetry.attach("throw", to: .spanStop) { _, _, _ in throw Failed(what: "x") }
      for pid in pids { pid.sendExit(.kill) }
      await sim.settle()
      try await SpanManager.settle(on: sim.node)
      #expect(recorder.spans.count == 3 && SpanManager.rowCount(on: sim.node) == 0)
      await sim.settle()
      // Two rows: whether the second was closed when the first's stops came is the order's affair.
      #expect(answers.list.withLock { $0.count } == 6)
      #expect(sim.node.telemetry.handlers(withPrefix: .spanStop).map(\.id).contains("ask"))
    }
  }

  @Test("RULE-17: what the manager itself had open is closed by the next one")
  func ownSpans() throws {
    try simulate(seed: 19) { sim in
      let recorder = try SpanRecorder(node: sim.node)
      let pid = try await Self.client(["a"], sim)
      let manager = try await Self.ready(sim)
      try sim.node.telemetry.attach("trace", to: .spanStop) { _, _, metadata in
        if metadata["name"] as? String == "a" { Trace.startSpan("the manager's") }
      }
      try await Self.end(pid, sim)
      try await SpanManager.settle(pid)
      #expect(SpanManager.stack(of: manager).map(\.name) == ["the manager's"])
      #expect(try await SpanManager.watchedCount(on: sim.node) == 0)
      try await Self.end(manager, sim)
      try await SpanManager.settle(on: sim.node)
      #expect(recorder.spans.map(\.name) == ["a", "the manager's"])
      #expect(recorder.records.last?.reason == .killed && SpanManager.rowCount(on: sim.node) == 0)
    }
  }

  @Test("RULE-18: a PID that is kept is never another process")
  func stale() throws {
    try simulate(seed: 20) { sim in
      let old = try await Self.client(["old"], sim)
      try await Self.end(old, sim)
      try await SpanManager.settle(old)
      for _ in 0..<100 {
        let new = try await Self.client(["new"], sim)
        #expect(new != old && new.id > old.id)
      }
      #expect(SpanManager.stack(of: old).isEmpty && SpanManager.clear(of: old) == 0)
      #expect(SpanManager.openSpans(on: sim.node).count == 100)
    }
  }
}
