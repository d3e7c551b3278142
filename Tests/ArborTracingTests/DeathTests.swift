import ArborBehaviours
import ArborProcesses
import ArborTestKit
import ArborTracing
import Testing

private struct Leak: Error, Equatable {}

/// What is known of a process that died with spans open: the reason, the causes, the log.
@Suite final class DeathTests {
  let node = Node(workers: 2)
  deinit { node.shutdown() }

  /// A process with a span open that waits for a message, then throws.
  @Sendable private static func body(_ context: ProcessContext) async throws {
    Trace.startSpan("open in \(context.pid)")
    _ = try await context.receive(String.self)
    throw Leak()
  }

  @Test(
    "a death that came through links names each of them, back to what failed first",
    arguments: 0..<20)
  func links(_: Int) async throws {
    try await withProcess(on: node) { context in
      // first <- second <- third, each linked to the one before.
      let first = spawn(on: node, Self.body)
      let second = spawn(on: node) { context in
        try context.link(first)
        try await Self.body(context)
      }
      let third = spawn(on: node) { context in
        try context.link(second)
        try await Self.body(context)
      }
      let ref = context.monitor(third)
      for pid in [first, second, third] {
        while SpanManager.stack(of: pid).isEmpty { try await context.sleep(for: .microseconds(50)) }
      }
      first.send("fail")
      _ = try await context.receive(Down.self, where: { $0.ref == ref })
      try await SpanManager.settle(on: node)
      let causes = try #require(third.fate?.causes)
      #expect(causes.map(\.processID) == [second.id, first.id])
      #expect(causes.allSatisfy { $0.route == .link && $0.reason == .error(Leak()) })
      #expect(first.fate?.causes.isEmpty == true)
      let death = try #require(SpanManager.death(of: third))
      #expect(death.causes == causes && death.reason == .error(Leak()))
      #expect(death.spans.map(\.name) == ["open in \(third)"] && death.time == third.fate?.time)
      #expect(Set(SpanManager.deaths(on: node).map(\.process)) == [first, second, third])
      let trace = try #require(death.spans.first?.traceID)
      #expect(SpanManager.deaths(in: trace, on: node).map(\.process) == [third])
    }
  }

  @Test("a long chain keeps what is near and what was first")
  func longChain() async throws {
    try await withProcess(on: node) { context in
      let first = spawn(on: node, Self.body)
      var last = first
      let me = context.pid
      for _ in 0..<40 {
        let previous = last
        let (pid, ref) = context.spawnMonitor { context in
          try context.link(previous)
          context.send("linked", to: me)
          _ = try await context.receive(Int.self)
        }
        _ = ref
        _ = try await context.receive(String.self)
        last = pid
      }
      first.send("fail")
      for _ in 0..<40 { _ = try await context.receive(Down.self) }
      let causes = try #require(last.fate?.causes)
      #expect(causes.count == 16 && causes.last?.processID == first.id)
      #expect(causes.first?.processID == last.id - 1)
    }
  }

  @Test("an exit signal is a cause too, and by whom it was sent")
  func signals() async throws {
    try await withProcess(on: node) { context in
      let (pid, ref) = context.spawnMonitor(Self.body)
      context.sendExit(.kill, to: pid)
      _ = try await context.receive(Down.self, where: { $0.ref == ref })
      #expect(
        pid.fate?.causes.map(\.description) == ["by an exit signal of \(context.pid): kill"])
    }
    // From nobody.
    let pid = spawn(on: node, Self.body)
    await Task { pid.sendExit(.kill) }.value
    try await SpanManager.settle(on: node)
    while pid.fate == nil { await Task.yield() }
    #expect(pid.fate?.causes == [])
  }

  /// A server that ends with a linked one, by its own hand, and takes a third along.
  private actor Middle: GenServer {
    enum Call: Sendable { case watch(PID, alsoEnd: PID, From<Void>) }
    let process = ProcessContext()
    private var other: PID?
    init() { process.trapExit() }
    func handleCall(_ call: Call) throws {
      switch call {
      case .watch(let pid, let other, let from):
        try process.link(pid)
        self.other = other
        from.reply()
      }
    }
    func handleInfo(_ info: Info) throws {
      guard case .exit(let exit) = info, let other else { return }
      process.sendExit(.shutdown, to: other)
      throw exit.reason
    }
  }

  @Test("a server that ends because a linked one did, or ends others for it, passes the cause on")
  func throughAServer() async throws {
    try await withProcess(on: node) { context in
      let first = spawn(on: node, Self.body)
      let (other, otherDown) = context.spawnMonitor(Self.body)
      let middle = try await Middle.start { Middle() }
      let pid = try #require(middle.pid)
      try await middle.call(timeout: nil) { .watch(first, alsoEnd: other, $0) }
      let down = context.monitor(pid)
      first.send("fail")
      for ref in [otherDown, down] {
        _ = try await context.receive(Down.self, where: { $0.ref == ref })
      }
      #expect(pid.fate?.causes.map(\.processID) == [first.id])
      #expect(other.fate?.causes.map(\.processID) == [pid.id, first.id])
      #expect(other.fate?.causes.map(\.route) == [.signal, .link])
      #expect(other.fate?.causes.last?.reason == .error(Leak()))
    }
  }

  @Test("so does a raw process that traps exits, until it takes its next message")
  func throughARawProcess() async throws {
    try await withProcess(on: node) { context in
      func end(readsOn: Bool) async throws -> (first: PID, pid: PID) {
        let first = spawn(on: node, Self.body)
        let (pid, ref) = context.spawnMonitor { context in
          context.trapExit()
          try context.link(first)
          context.send("more", to: context.pid)
          let exit = try await context.receive(Exit.self)
          if readsOn { _ = try await context.receive(String.self) }
          throw exit.reason
        }
        while pid.info?.links.contains(first) != true { await Task.yield() }
        first.send("fail")
        _ = try await context.receive(Down.self, where: { $0.ref == ref })
        return (first, pid)
      }
      let (first, pid) = try await end(readsOn: false)
      #expect(pid.fate?.causes.map(\.processID) == [first.id] && pid.fate?.reason == .error(Leak()))
      #expect(pid.fate?.causes.map(\.route) == [.link])
      #expect(try await end(readsOn: true).pid.fate?.causes == [])
    }
  }

  @Test("the log keeps the last so many")
  func bounded() async throws {
    node.traceSettings.deathLogCapacity = 3
    func die(_ count: Int) async throws {
      try await withProcess(on: node) { context in
        for _ in 0..<count {
          let (pid, ref) = context.spawnMonitor { context in
            Trace.startSpan("outer")
            Trace.startSpan("inner")
          }
          _ = try await context.receive(Down.self, where: { $0.ref == ref })
          try await SpanManager.settle(pid)
        }
      }
    }
    try await die(5)
    var deaths = SpanManager.deaths(on: node)
    #expect(deaths.count == 3 && deaths.map(\.process) == deaths.map(\.process).sorted())
    #expect(deaths.allSatisfy { $0.spans.map(\.name) == ["inner", "outer"] })
    #expect(deaths.allSatisfy { $0.reason == .normal && $0.causes.isEmpty })
    let latest = deaths[2].process
    node.traceSettings.deathLogCapacity = 1
    try await die(1)
    deaths = SpanManager.deaths(on: node)
    #expect(deaths.count == 1 && deaths[0].process > latest)
    node.traceSettings.deathLogCapacity = 4
    try await die(2)
    deaths = SpanManager.deaths(on: node)
    #expect(deaths.count == 3 && deaths.map(\.process) == deaths.map(\.process).sorted())
  }
}
