import ArborBehaviours
import ArborProcesses
import ArborTestKit
import Testing

/// Elixir's `task/supervisor_test.exs`.
@Suite struct TaskSupervisorTests {
  private typealias Tasks = ServerRef<TaskSupervisor>

  private func run(
    maxChildren: Int? = nil, _ body: @escaping @Sendable (Tasks, Simulation) async throws -> Void
  ) throws {
    try simulate(seed: 6) { sim in
      let tasks = try await TaskSupervisor.start(named: "tasks", maxChildren: maxChildren)
      try await body(tasks, sim)
      await sim.settle()
      #expect(sim.node.processCount <= 2)
      #expect(await sim.context.isClean())
    }
  }

  private func pids(_ tasks: Tasks) async throws -> [PID] {
    try await tasks.children.compactMap(\.pid)
  }

  @Test("ExTaskSupervisor async/1 spawns tasks under the supervisor, linked to both")
  func async() throws {
    try run { tasks, sim in
      expectEqual(try await pids(tasks), [])
      let task = try await tasks.async { try await onGo("done") }
      expectEqual(try await pids(tasks), [task.pid])
      #expect(task.owner == sim.context.pid && sim.context.core.bonds.links == 1)
      #expect(task.pid.core.bonds.links == 2)
      task.pid.send("go")
      let reply = try await sim.context.receive(AsyncTask<String>.Reply.self)
      let down = try await sim.context.receive(Down.self)
      #expect(reply.ref == task.ref && reply.value == "done")
      #expect(down.ref == task.ref && down.reason == .normal)
      let again = try await tasks.async { 5 }
      #expect(try await again.await() == 5)
    }
  }

  @Test("ExTaskSupervisor async_nolink/1 is linked to the supervisor alone")
  func noLink() throws {
    try run { tasks, sim in
      let task = try await tasks.asyncNoLink { try await onGo("done") }
      #expect(sim.context.core.bonds.links == 0 && task.pid.core.bonds.links == 1)
      task.pid.send("go")
      #expect(try await task.await() == "done")
      let failing = try await tasks.asyncNoLink { () throws -> Int in throw Oops() }
      #expect(try await failing.yield() == .failure(.error(Oops())))
      #expect(try #require(tasks.pid).isAlive)
    }
  }

  @Test("ExTaskSupervisor with custom shutdown: the supervisor's end is the tasks'")
  func shutdown() throws {
    try run { tasks, sim in
      sim.context.trapExit()
      let killed = try await tasks.async(shutdown: .brutalKill) { try await onGo(1) }
      let ended = try await tasks.asyncNoLink { try await onGo(1) }
      let child = try await tasks.startChild(shutdown: .brutalKill) { try await forever() }
      try await tasks.stop(.shutdown)
      #expect(try await killed.yield() == .failure(.killed))
      #expect(try await ended.yield() == .failure(.shutdown))
      #expect(child.fate?.reason == .killed)
      #expect(try await sim.context.receive(Exit.self).reason == .killed)
    }
  }

  @Test("ExTaskSupervisor raises when :max_children is reached")
  func maxChildren() throws {
    try run(maxChildren: 1) { tasks, sim in
      let first = try await tasks.async { try await forever() }
      await #expect(throws: TaskError.maxChildren) { _ = try await tasks.async { 1 } }
      await #expect(throws: TaskError.maxChildren) { _ = try await tasks.asyncNoLink { 1 } }
      await #expect(throws: TaskError.maxChildren) { try await tasks.startChild {} }
      try await first.shutdown()
      for stream in [
        tasks.stream(1...3, maxConcurrency: 2, timeout: nil) { _ in try await forever() },
        tasks.streamNoLink(1...3, maxConcurrency: 2, timeout: nil) { _ in try await forever() },
      ] {
        await #expect(throws: TaskError.maxChildren) { for try await _ in stream {} }
      }
    }
  }

  @Test("ExTaskSupervisor with $callers and $ancestors")
  func callers() throws {
    try run { tasks, sim in
      let grandparent = sim.context.pid
      let supervisor = try #require(tasks.pid)
      let check = { @Sendable (callers: [PID]) async throws in
        try await withProcess { context in
          try #require(context.callers == callers)
          try #require(context.ancestors.map(\.pid) == [supervisor, grandparent])
        }
      }
      try await tasks.async {
        let parent = await withProcess { $0.pid }
        try await check([grandparent])
        try await tasks.async { try await check([parent, grandparent]) }.await()
        let child = try await tasks.startChild { try await check([parent, grandparent]) }
        try await withProcess { try await $0.waitUntilDown(child) }
        try #require(child.fate?.reason == .normal)
        for try await result in tasks.stream([1], { _ in try await check([parent, grandparent]) }) {
          try result.get()
        }
      }.await()
    }
  }

  @Test("ExTaskSupervisor start_child/1: not linked to the caller; restart; terminate_child")
  func startChild() throws {
    try run { tasks, sim in
      let me = sim.context.pid
      let pid = try await tasks.startChild(restart: .permanent) {
        await withProcess { me.send($0.pid) }
        try await forever()
      }
      #expect(sim.context.core.bonds.links == 0)
      #expect(try await sim.context.receive(PID.self) == pid)
      pid.sendExit(.shutdown)
      let second = try await sim.context.receive(PID.self)
      #expect(second != pid)
      expectEqual(try await pids(tasks), [second])
      try await tasks.terminateChild(second)
      expectEqual(try await pids(tasks), [])
      await #expect(throws: SupervisorError.notAChild(second)) {
        try await tasks.terminateChild(second)
      }
      let outside = try await Task.detached { try await tasks.startChild { try await forever() } }
        .value
      try await tasks.terminateChild(outside)
    }
  }

  @Test("ExTaskSupervisor await/1: demonitors and unalias on timeout; exits on task error and exit")
  func await() throws {
    try run { tasks, sim in
      let slow = try await tasks.async { try await onGo("done") }
      await #expect(throws: TaskError.timeout) { try await slow.await(timeout: .zero) }
      slow.pid.send("go")
      try await sim.context.waitUntilDown(slow.pid)
      #expect(await sim.context.isClean())
      sim.context.trapExit()
      let failing = try await tasks.async { throw Oops() }
      await #expect(throws: TaskError.exit(.error(Oops()))) { try await failing.await() }
      _ = try await sim.context.receive(Exit.self)
    }
  }

  @Test("ExTaskSupervisor async_stream and async_stream_nolink", arguments: [true, false])
  func stream(linked: Bool) throws {
    try run { tasks, sim in
      let stream = { @Sendable (numbers: [Int]) in
        let body = { @Sendable (number: Int) async throws -> Int in
          if number < 0 { throw ExitReason.shutdown("\(number)") }
          try await withProcess { try await $0.sleep(for: .milliseconds(number)) }
          return number
        }
        return linked
          ? tasks.stream(numbers, maxConcurrency: 4, timeout: nil, body)
          : tasks.streamNoLink(numbers, maxConcurrency: 4, timeout: nil, body)
      }
      let collect = { @Sendable (numbers: [Int], limit: Int) async throws -> [Int] in
        var all: [Int] = []
        for try await result in stream(numbers) {
          if case .failure(let failure) = result {
            try #require(failure.reason == .shutdown("\(failure.input)"))
            all.append(failure.input)
          } else {
            all.append(try result.get())
          }
          if all.count == limit { break }
        }
        return all
      }
      expectEqual(try await collect([1, 2, 3, 4, 5], 9), [1, 2, 3, 4, 5])
      expectEqual(try await collect([4, 3, 2, 1], 9), [4, 3, 2, 1])
      expectEqual(try await collect([0, 90_000, 90_000, 90_000], 1), [0])
      #expect(sim.context.core.bonds == ProcessCore.Bonds())
      // Not trapping exits, its failure is the owner's, or one of the results.
      let (_, ref) = sim.context.spawnMonitor { _ in _ = try await collect([-1], 9) }
      let down = try await sim.context.receive(Down.self, where: { $0.ref == ref })
      #expect(down.reason == (linked ? .shutdown("-1") : .normal))
      if linked { sim.context.trapExit() }
      expectEqual(try await collect([-1, -2, 3, -4], 9), [-1, -2, 3, -4])
      expectEqual(try await pids(tasks), [])
    }
  }

  @Test(
    "ExTaskSupervisor can be supervised directly; a task under one that is not there does not start"
  )
  func supervised() throws {
    try simulate(seed: 1) { sim in
      let registry = Registry<String, Void>(.unique)
      let tree = try await Supervisor.start(.oneForOne) {
        Child(registry)
        Child("tasks", named: "tasks") { try TaskSupervisor() }
        Child("others", named: registry.via("tasks")) { try TaskSupervisor() }
      }
      for name in ["tasks", registry.via("tasks")] {
        let tasks = ServerRef<TaskSupervisor>(named: name)
        #expect(try await tasks.async { 1 }.await() == 1)
      }
      try await tree.stop(.shutdown)
      let tasks = ServerRef<TaskSupervisor>(named: "tasks")
      await #expect(throws: TaskError.notStarted(.noAnswer(.noproc))) {
        _ = try await tasks.async { 1 }
      }
      await #expect(throws: TaskError.notStarted(.noAnswer(.noproc))) {
        for try await _ in tasks.stream([1], { $0 }) {}
      }
      await Task.detached {
        _ = await #expect(throws: TaskError.notInProcess) { _ = try await tasks.async { 1 } }
      }.value
    }
  }

  @Test("an owner, a task or the supervisor is killed at any moment: nothing is left")
  func races() throws {
    try simulate(seeds: 0..<500) { sim in
      let tasks = try await TaskSupervisor.start()
      let linked = sim.random(in: 0..<2) == 0
      let streams = sim.random(in: 0..<2) == 0
      let (owner, ref) = sim.context.spawnMonitor { context in
        if streams {
          for try await _ in tasks.stream(
            1...4, maxConcurrency: 2,
            { _ in
              // Longer than is waited below: one that is left is still there then.
              try await withProcess { try await $0.sleep(for: .seconds(4)) }
            })
          {}
          return
        }
        let task =
          linked
          ? try await tasks.async { try await forever() }
          : try await tasks.asyncNoLink { try await forever() }
        try await task.await(timeout: .milliseconds(3))
      }
      for _ in 0..<sim.random(in: 0..<12) { await Task.yield() }
      switch sim.random(in: 0..<3) {
      case 0: owner.sendExit(.kill)
      case 1: try? await tasks.stop(.shutdown)
      default: break
      }
      _ = try await sim.context.receive(Down.self, where: { $0.ref == ref })
      await sim.advance(by: .seconds(2))
      if let pid = tasks.pid, pid.isAlive {
        // Tasks that are not linked to their owner live on, under the supervisor.
        let left = try await tasks.children.count
        try #require(left == 0 || (left == 1 && !linked && !streams))
        try await tasks.stop(.shutdown)
      }
      try #require(sim.node.processCount == 1)
    }
  }
}
