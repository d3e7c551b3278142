import ArborBehaviours
import ArborProcesses
import ArborTestKit
import Testing

/// Random trees, random crashes, random requests: after each step the tree is what a small model of
/// OTP's rules says.
///
/// More runs than the suite's thousand: `ARBOR_EFFORT=10000 swift test --filter TreePropertyTests`.
@Suite struct TreePropertyTests {
  @Test("a tree is at every step what OTP's rules make of it")
  func trees() throws {
    try simulate(seeds: 0..<1000) { sim in
      var draw = RandomTree(sim)
      let spec = draw.group(3, below: .never, .temporary)
      let run = TreeRun(sim, spec)
      try await run.start()
      for _ in 0..<12 where run.model.root.incarnation != nil {
        try await run.step(&draw)
        try await run.compare()
        let pause = draw.pick([0, 0, 10, 400, 1100])
        await sim.advance(by: .milliseconds(pause))
        run.model.now += pause
      }
    }
  }
}

/// One tree, and its model beside it.
private final class TreeRun {
  let sim: Simulation
  let model: TreeModel
  private let nursery = Nursery()
  private let spec: Spec
  private var root: PID?
  /// The processes by the model's numbers.
  private var known: [Int: PID] = [:]
  private var story: [String] = []

  init(_ sim: Simulation, _ spec: Spec) {
    self.sim = sim
    self.spec = spec
    model = TreeModel(spec)
  }

  func start() async throws {
    let group = try #require(spec.group)
    root = try await Supervisor.start { [nursery] in try await group.make(nursery) }.pid
    try await compare()
  }

  func step(_ draw: inout RandomTree) async throws {
    let running = model.root.running
    let groups = running.filter { $0.spec.group != nil }
    // A few of the starts to come fail.
    if draw.oneIn(4) {
      let worker = "\(sim.random(in: 1..<12))"
      let times = sim.random(in: 1..<4)
      model.failures[worker] = times
      nursery.fail(worker, times)
      story.append("the next \(times) starts of \(worker) fail")
    }
    if draw.oneIn(2) {
      try await crash(draw.pick(running), draw.reason)
    } else {
      try await request(&draw, of: draw.pick(groups))
    }
    await sim.settle()
  }

  private func crash(_ node: ModelNode, _ reason: ExitReason) async throws {
    // A supervisor ends by itself or is killed.
    let reason = node.spec.group == nil ? reason : .kill
    story.append("\(node.spec.id) ends with \(reason)")
    let pid = try pid(of: node)
    model.crash(node, reason)
    try await sim.context.end(pid, reason)
  }

  private func request(_ draw: inout RandomTree, of node: ModelNode) async throws {
    let supervisor = ServerRef<Supervisor>(try pid(of: node))
    let id = node.children.isEmpty || draw.oneIn(6) ? "none" : draw.pick(node.children).spec.id
    let (expected, got): (Outcome, Outcome)
    switch sim.random(in: 0..<4) {
    case 0:
      var spec = draw.oneIn(3) ? draw.group(1, below: .never) : draw.worker(below: .never)
      if draw.oneIn(4) { spec.id = id }
      spec.isSignificant = draw.oneIn(3)
      story.append("start \(spec.id) below \(node.spec.id)")
      expected = model.startChild(spec, below: node)
      let child = spec.child(nursery)
      got = await outcome { () throws(SupervisorError) in try await supervisor.startChild(child) }
    case 1:
      story.append("terminate \(id) below \(node.spec.id)")
      expected = model.terminateChild(id, below: node)
      got = await outcome { () throws(SupervisorError) in try await supervisor.terminateChild(id) }
    case 2:
      story.append("restart \(id) below \(node.spec.id)")
      expected = model.restartChild(id, below: node)
      got = await outcome { () throws(SupervisorError) in try await supervisor.restartChild(id) }
    default:
      story.append("delete \(id) below \(node.spec.id)")
      expected = model.deleteChild(id, below: node)
      got = await outcome { () throws(SupervisorError) in try await supervisor.deleteChild(id) }
    }
    try #require(expected == got, "\(told)")
  }

  private func outcome<Answer>(
    _ body: () async throws(SupervisorError) -> Answer
  ) async -> Outcome {
    do {
      _ = try await body()
      return .done
    } catch {
      return Outcome(error)
    }
  }

  private func pid(of node: ModelNode) throws -> PID {
    try #require(node.incarnation.flatMap { known[$0] })
  }

  /// The seed's trees are found again by this, in a failure's message.
  private var told: String { story.joined(separator: "; ") + " of \(spec)" }

  func compare() async throws {
    if model.root.incarnation != nil { try await compare(model.root, try #require(root)) }
    let (expected, areInOrder) = model.takeNotes()
    let notes = nursery.takeNotes()
    if areInOrder {
      try #require(notes == expected, "\(told)")
    } else {
      try #require(notes.sorted() == expected.sorted(), "\(told)")
    }
    for (incarnation, reason) in model.ends {
      // Nil for one that started and ended within one step.
      guard let pid = known[incarnation] else { continue }
      try #require(pid.fate?.reason == reason, "\(told)")
    }
    try #require(sim.node.processCount == model.root.running.count + 1, "\(told)")
  }

  private func compare(_ node: ModelNode, _ pid: PID) async throws {
    let incarnation = try #require(node.incarnation)
    if let before = known[incarnation] {
      try #require(before == pid, "\(node.spec.id) was started again: \(told)")
    } else {
      try #require(!known.values.contains(pid), "\(node.spec.id) was not started again: \(told)")
      known[incarnation] = pid
    }
    guard node.spec.group != nil else { return }
    let children = try await ServerRef<Supervisor>(pid).children
    try #require(children.map(\.id) == node.children.map(\.spec.id), "\(told)")
    for (child, expected) in zip(children, node.children) {
      try #require(child.restarts == expected.restarts, "restarts of \(child.id): \(told)")
      try #require((child.state == .running) == (expected.incarnation != nil), "\(child): \(told)")
      if let pid = child.pid { try await compare(expected, pid) }
    }
  }
}
