import ArborBehaviours
import ArborProcesses
import ArborTestKit

/// Draws trees, from the seed.
struct RandomTree {
  let sim: Simulation
  private var count = 0

  init(_ sim: Simulation) { self.sim = sim }

  func oneIn(_ number: Int) -> Bool { sim.random(in: 0..<number) == 0 }
  func pick<Choice>(_ choices: [Choice]) -> Choice { sim.pick(choices) }

  var reason: ExitReason { pick([.normal, .shutdown, .shutdown("x"), .error(Boom()), .kill]) }

  /// A supervisor, with children `depth` levels deep.
  mutating func group(_ depth: Int, below parent: AutoShutdown, _ restart: Restart? = nil) -> Spec {
    let autoShutdown = pick([AutoShutdown.never, .never, .anySignificant, .allSignificant])
    let children = (0..<sim.random(in: 0..<4)).map { _ in
      depth > 1 && oneIn(2)
        ? group(depth - 1, below: autoShutdown) : worker(below: autoShutdown)
    }
    var spec = worker(below: parent)
    spec.id = "group \(spec.id)"
    if let restart { spec.restart = restart }
    spec.manner = .plain
    spec.group = Spec.Group(
      strategy: pick([.oneForOne, .oneForAll, .restForOne]), maxRestarts: sim.random(in: 0..<5),
      period: pick([500, 1000, 3000]), autoShutdown: autoShutdown, children: children)
    return spec
  }

  mutating func worker(below parent: AutoShutdown) -> Spec {
    count += 1
    let restart = pick([Restart.permanent, .permanent, .transient, .temporary])
    return Spec(
      id: "\(count)", restart: restart,
      isSignificant: parent != .never && restart != .permanent && oneIn(2), isKilled: oneIn(5),
      manner: pick([.plain, .plain, .polite, .ending(.normal), .ending(.error(Boom()))]))
  }
}

extension Spec {
  func child(_ nursery: Nursery) -> Child {
    guard let group else {
      return nursery.child(
        id, restart, significant: isSignificant, shutdown: isKilled ? .brutalKill : nil, manner)
    }
    return Child(
      id, restart: restart, significant: isSignificant, shutdown: isKilled ? .brutalKill : nil
    ) { try await group.make(nursery) }
  }
}

extension Spec.Group {
  func make(_ nursery: Nursery) async throws -> Supervisor {
    try await Supervisor(
      strategy, maxRestarts: maxRestarts, within: .milliseconds(period),
      autoShutdown: autoShutdown
    ) { for spec in children { spec.child(nursery) } }
  }
}
