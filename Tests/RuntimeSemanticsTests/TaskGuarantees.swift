import ArborBehaviours
import ArborProcesses
import ArborTestKit
import Testing

/// Tasks, agents, registries, groups.
@Suite struct TaskGuarantees {
  let node = Node(workers: 2)

  /// A process that does nothing until it is killed.
  private func idle() -> PID { spawn { context in _ = try await context.receive(Int.self) } }

  @Test("TASK-1: awaited by its owner alone, and once")
  func owner() async throws {
    try await withProcess(on: node) { context in
      let me = context.pid
      let task = try AsyncTask.async { 1 }
      let (other, _) = context.spawnMonitor { inner in
        let own = inner.pid
        await #expect(throws: TaskError.notOwner(me, caller: own)) { try await task.await() }
      }
      _ = try await context.receive(Down.self, where: { $0.pid == other })
      let value = try await task.await()
      #expect(value == 1)
      await #expect(throws: TaskError.alreadyAwaited) { try await task.await() }
    }
  }

  @Test("TASK-2: nothing of a task arrives once it was awaited, shut down or let go of")
  func nothingLeft() throws {
    try simulate(seeds: 0..<500) { sim in
      let context = sim.context
      context.trapExit()
      let pause = Duration.microseconds(sim.random(in: 0..<3))
      let isLinked = sim.random(in: 0..<2) == 0
      let body = { @Sendable () async throws -> Int in
        try await withProcess { try await $0.sleep(for: pause) }
        return 1
      }
      let task = isLinked ? try AsyncTask.async(body) : try AsyncTask.asyncNoLink(body)
      for _ in 0..<sim.random(in: 0..<4) { await Task.yield() }
      switch sim.random(in: 0..<3) {
      case 0: _ = try? await task.await(timeout: .microseconds(1))
      case 1: _ = try await task.shutdown(sim.random(in: 0..<2) == 0 ? .brutalKill : .infinity)
      default: _ = try await task.ignore()
      }
      await sim.advance(by: .seconds(1))
      let rest = await context.drain().filter { !($0 is Exit) }
      try #require(rest.isEmpty && sim.node.processCount == 1)
    }
  }

  @Test("TASK-3: linked, or its failure a value")
  func links() async throws {
    try await withProcess(on: node) { context in
      let me = context.pid
      // The task's failure is the owner's.
      let (owner, _) = context.spawnMonitor { _ in
        try await AsyncTask.async { throw Boom() }.await()
      }
      let first = try await context.receive(Down.self)
      #expect(first.pid == owner && first.reason == .error(Boom()))
      // The owner's end is the task's.
      let (other, _) = context.spawnMonitor { inner in
        me.send(try AsyncTask.async { try await Task.sleep(for: .seconds(1000)) }.pid)
        _ = try await inner.receive(Int.self)
      }
      let task = try await context.receive(PID.self)
      other.sendExit(.shutdown)
      let reason = try await context.end(of: task)
      #expect(reason == .shutdown)
      let outcome = try await AsyncTask.asyncNoLink { () throws -> Int in throw Boom() }.yield()
      #expect(outcome == .failure(.error(Boom())))
    }
  }

  @Test("TASK-4: no task outlives its stream")
  func streams() throws {
    try simulate(seeds: 0..<500) { sim in
      let end = sim.random(in: 0..<4)
      let (owner, ref) = sim.context.spawnMonitor { context in
        let stream = AsyncTask.stream(
          0..<10, maxConcurrency: 3, timeout: end == 0 ? .microseconds(2) : nil
        ) { number in
          try await withProcess { try await $0.sleep(for: .microseconds(number)) }
          if end == 1, number == 5 { throw Boom() }
          return number
        }
        for try await result in stream where end == 2 && result == .success(4) { break }
      }
      for _ in 0..<sim.random(in: 0..<30) { await Task.yield() }
      if end == 3 { owner.sendExit(.kill) }
      _ = try await sim.context.receive(Down.self, where: { $0.ref == ref })
      await sim.settle()
      try #require(sim.node.processCount == 1)
    }
  }

  @Test("AGENT-1: an error that leaves its function ends an agent")
  func agent() async throws {
    try await withProcess(on: node) { context in
      let agent = try await Agent.start { 0 }
      let ref = context.monitor(try #require(agent.pid))
      await #expect(throws: CallError.exit(.error(Boom()))) {
        try await agent.update { _ in throw Boom() }
      }
      let down = try await context.receive(Down.self)
      #expect(down.ref == ref && down.reason == .error(Boom()))
    }
  }

  @Test("REG-1: a unique key is one's, and nobody's who is not alive")
  func unique() throws {
    try simulate(seeds: 0..<500) { sim in
      let registry = Registry<String, Int>(.unique)
      try await registry.start()
      let me = sim.context.pid
      let pids = (0..<3).map { number in
        spawn { context in
          me.send((try? registry.register("key", number)) != nil)
          _ = try await context.receive(Int.self)
        }
      }
      var winners = 0
      for _ in pids where try await sim.context.receive(Bool.self) { winners += 1 }
      try #require(winners == 1)
      let owner = try #require(registry.pid(for: "key"))
      owner.sendExit(.kill)
      // Its end is on the way, and no more.
      try registry.register("key", 9)
      try #require(registry.lookup("key").map(\.pid) == [me])
      await sim.settle()
      try #require(registry.lookup("key").map(\.pid) == [me])
      for pid in pids { pid.sendExit(.kill) }
    }
  }

  @Test("REG-2: who hears of an end finds the process in no registry")
  func cleaned() throws {
    try simulate(seeds: 0..<500) { sim in
      let registry = Registry<Int, Void>(.duplicate, partitions: 2)
      try await registry.start()
      let (pid, ref) = sim.context.spawnMonitor { context in
        for key in 0..<3 { try registry.register(key) }
        _ = try await context.receive(Int.self)
      }
      for _ in 0..<sim.random(in: 0..<6) { await Task.yield() }
      pid.sendExit(.kill)
      _ = try await sim.context.receive(Down.self, where: { $0.ref == ref })
      try #require(registry.keys(of: pid).isEmpty && registry.count == 0)
    }
  }

  @Test("REG-3: a lock is one's at a time, and given back by an end")
  func locks() throws {
    try simulate(seeds: 0..<500) { sim in
      let registry = Registry<String, Void>(.unique)
      let inside = Notes<PID>()
      let pids = (0..<3).map { _ in
        spawn { context in
          try await registry.lock("key") {
            // Nobody is in there with it who is still alive.
            if inside.all.contains(where: { $0 != context.pid && $0.fate == nil }) { throw Boom() }
            inside.add(context.pid)
            _ = try await context.receive(String.self)
          }
        }
      }
      await sim.settle()
      try #require(inside.all.count == 1)
      // One after the other, whoever is killed, waiting or inside.
      for _ in pids {
        for pid in pids where pid == inside.all.last || sim.random(in: 0..<4) == 0 {
          pid.sendExit(.kill)
        }
        await sim.settle()
      }
      try #require(pids.allSatisfy { $0.fate?.reason == .killed })
      try await registry.lock("key", timeout: .zero) {}
    }
  }

  @Test("GROUP-1: a member as often as it joined, until it has left as often or ends")
  func groups() async throws {
    try await withProcess(on: node) { context in
      let groups = Groups<String>()
      try await groups.start()
      let pid = idle()
      try await groups.join("group", [pid, pid])
      try await groups.leave("group", pid)
      #expect(groups.members(of: "group") == [pid])
      try await groups.leave("group", pid)
      #expect(groups.members(of: "group").isEmpty)
      try await groups.join("group", [pid, context.pid, pid])
      pid.sendExit(.kill)
      _ = try await context.end(of: pid)
      #expect(groups.members(of: "group") == [context.pid])
      try await groups.stop()
    }
  }

  @Test("GROUP-2: who watches a group can tell its members at every moment")
  func watching() throws {
    try simulate(seeds: 0..<200) { sim in
      let groups = Groups<String>()
      try await groups.start()
      let pids = (0..<3).map { _ in idle() }
      spawn { _ in
        for _ in 0..<4 {
          let pid = pids[sim.random(in: 0..<3)]
          switch sim.random(in: 0..<3) {
          case 0: try await groups.join("group", [pid, pid])
          case 1: try await groups.leave("group", pid)
          default: pid.sendExit(.kill)
          }
        }
      }
      for _ in 0..<sim.random(in: 0..<20) { await Task.yield() }
      var (ref, members) = try await groups.monitor("group")
      await sim.settle()
      while let event = try? await sim.context.receive(
        GroupEvent<String>.self, timeout: .zero)
      {
        try #require(event.ref == ref)
        for pid in event.pids {
          if event.kind == .join {
            members.append(pid)
          } else {
            members.remove(at: try #require(members.lastIndex(of: pid)))
          }
        }
      }
      try #require(groups.members(of: "group") == members)
      for pid in pids { pid.sendExit(.kill) }
    }
  }
}
