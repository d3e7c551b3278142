import ArborPrimitives
import ArborProcesses
import ArborTestKit
import Testing

private struct Boom: Error, Equatable {}

/// Plain code as a process.
@Suite struct WithProcessTests {
  let node = Node(workers: 2)

  @Test("it returns what the body returns, throws what it throws, and leaves nothing")
  func results() async throws {
    let fates = Lock<[PID]>([])
    let value = await withProcess(on: node) { context in
      fates.withLock { $0.append(context.pid) }
      return 7
    }
    #expect(value == 7)
    await #expect(throws: Boom()) {
      try await withProcess(on: node) { context in
        fates.withLock { $0.append(context.pid) }
        throw Boom()
      }
    }
    let typed: ReceiveError?
    do throws(ReceiveError) {
      try await withProcess(on: node) { context throws(ReceiveError) in
        _ = try await context.receive(Int.self, timeout: .zero)
      }
      typed = nil
    } catch {
      typed = error
    }
    #expect(typed == .timeout)
    #expect(fates.withLock { $0 }.map { $0.fate?.reason } == [.normal, .error(Boom())])
    #expect(node.processCount == 0)
  }

  @Test("inside a process it is that process")
  func nested() async throws {
    await withProcess(on: node) { outer in
      await withProcess { inner in #expect(inner.pid == outer.pid) }
      await withProcess(on: Node.shared) { inner in #expect(inner.pid == outer.pid) }
      #expect(outer.pid.isAlive && node.processCount == 1)
    }
  }

  @Test("others hear of its end: links, monitors, names")
  func ends() async throws {
    let told = Lock<[ExitReason]>([])
    let watcher = spawn(on: node) { watcher in
      watcher.trapExit()
      let pid = try await watcher.receive(PID.self)
      try watcher.link(pid)
      _ = watcher.monitor(pid)
      pid.send("watched")
      let exit = try await watcher.receive(Exit.self)
      let down = try await watcher.receive(Down.self)
      told.withLock { $0 = [exit.reason, down.reason] }
    }
    await #expect(throws: Boom()) {
      try await withProcess(on: node) { context in
        try context.register("scope")
        watcher.send(context.pid)
        _ = try await context.receive(String.self)
        throw Boom()
      }
    }
    #expect(node.pid(named: "scope") == nil)
    await withProcess(on: node) { context in
      let ref = context.monitor(watcher)
      _ = try? await context.receive(Down.self, where: { $0.ref == ref })
    }
    #expect(told.withLock { $0 } == [.error(Boom()), .error(Boom())])
  }

  @Test("an exit signal ends its waits and fences it; the task goes on")
  func signalled() throws {
    try simulate(seeds: 0..<100) { sim in
      let node = sim.node
      let outside = Task.detached {
        await withProcess(on: node) { context in
          let me = context.pid
          spawn { _ in me.sendExit(.shutdown) }
          var errors: [ReceiveError] = []
          do throws(ReceiveError) { try await context.sleep(for: .seconds(1000)) } catch {
            errors.append(error)
          }
          do throws(ReceiveError) { _ = try await context.receive(Int.self) } catch {
            errors.append(error)
          }
          return (errors, context.pid, Task.isCancelled)
        }
      }
      let (errors, pid, isCancelled) = await outside.value
      try #require(errors == [.exiting, .exiting] && !isCancelled)
      try #require(pid.fate?.reason == .shutdown && sim.now < .seconds(1000))
      try #require(sim.node.zombies.isEmpty)
    }
  }

  @Test("its task's cancellation ends its waits")
  func cancelled() throws {
    try simulate(seeds: 0..<100) { sim in
      let node = sim.node
      let task = Task.detached {
        await withProcess(on: node) { context in
          do throws(ReceiveError) {
            _ = try await context.receive(Int.self)
            return ReceiveError?.none
          } catch {
            return error
          }
        }
      }
      for _ in 0..<sim.random(in: 0..<4) { await Task.yield() }
      task.cancel()
      let error = await task.value
      try #require(error == .cancelled)
    }
  }

  @Test("one that has been told to exit and computes on is a zombie, until it ends")
  func zombie() throws {
    try simulate(seed: 1) { sim in
      let node = sim.node
      let (gate, opening) = AsyncStream<Void>.makeStream()
      let pids = Lock<PID?>(nil)
      let scope = Task.detached {
        await withProcess(on: node) { context in
          pids.withLock { $0 = context.pid }
          await Task.detached { for await _ in gate { break } }.value
        }
      }
      await sim.settle()
      let pid = try #require(pids.withLock { $0 })
      pid.sendExit(.kill)
      await sim.advance(by: .seconds(2))
      try #require(node.zombies == [pid] && pid.fate?.reason == .killed)
      opening.yield()
      await scope.value
      try #require(node.zombies.isEmpty)
    }
  }

  @Test("in an actor it stays in that actor")
  func isolated() async throws {
    actor Host {
      var count = 0
      func run(on node: Node) async -> Int {
        await withProcess(on: node) { context in
          count += 1
          context.pid.send(5)
          count += (try? await context.receive(Int.self)) ?? 0
        }
        return count
      }
    }
    let count = await Host().run(on: node)
    #expect(count == 6)
  }
}
