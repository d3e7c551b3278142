import ArborBehaviours
import ArborProcesses
import ArborTestKit
import Testing

/// Not `Sendable`: what an agent keeps never leaves it.
private final class Ledger {
  var entries: [String] = []
}

/// Elixir's `agent_test.exs`, and what its documentation promises.
@Suite final class AgentTests {
  let node = Node(workers: 2)
  deinit { node.shutdown() }

  @Test("ExAgent start_link/2 workflow with unregistered name and anonymous functions")
  func unnamed() async throws {
    try await withProcess(on: node) { context in
      let agent = try await Agent.startLink { [String: String]() }
      #expect(context.core.bonds.links == 1)
      try await agent.update { $0["hello"] = "world" }
      #expect(try await agent.get(timeout: .seconds(3)) { $0["hello"] } == "world")
      #expect(try await agent.getAndUpdate { $0.removeValue(forKey: "hello") } == "world")
      #expect(try await agent.get { $0 } == [:])
      let pid = try #require(agent.pid)
      try await agent.stop()
      #expect(!pid.isAlive)
    }
  }

  @Test("ExAgent start/2 workflow with registered name")
  func named() async throws {
    let agent = try await Agent.start(named: "agent", on: node) { [Int]() }
    let named = ServerRef<Agent<[Int]>>(named: "agent", on: node)
    named.cast { $0.append(1) }
    #expect(try await named.get { $0 } == [1])
    let pid = try #require(agent.pid)
    await #expect(throws: StartError.alreadyStarted(pid)) {
      try await Agent.start(named: "agent", on: node) { [Int]() }
    }
    try await named.stop()
    #expect(node.pid(named: "agent") == nil)
    named.cast { $0.append(2) }  // to nobody
    await #expect(throws: CallError.noproc) { try await named.get { $0 } }
  }

  @Test("ExAgent can be supervised directly, and starts anew with its first state")
  func supervised() async throws {
    let tree = try await Supervisor.start(.oneForOne, on: node) {
      Child("hits", named: "hits") { Agent(["/": 1]) }
    }
    let hits = ServerRef<Agent<[String: Int]>>(named: "hits", on: node)
    try await hits.update { $0["/", default: 0] += 1 }
    #expect(try await hits.get { $0["/"] } == 2)
    try await withProcess(on: node) { context in
      let ref = context.monitor("hits")
      hits.cast { _ in throw Oops() }
      let down = try await context.receive(Down.self, where: { $0.ref == ref })
      #expect(down.reason == .error(Oops()))
      _ = try await tree.children  // which it answers when the agent is up again
    }
    #expect(try await hits.get { $0["/"] } == 1)
    try await tree.stop(.shutdown)
  }

  @Test("a function that throws ends the agent, and its caller hears why")
  func throwing() async throws {
    try await withProcess(on: node) { context in
      for ends: @Sendable (ServerRef<Agent<Int>>) async throws -> Void in [
        { _ = try await $0.get { (_: Int) throws -> Int in throw Oops() } },
        { try await $0.update { _ in throw Oops() } },
        { _ = try await $0.getAndUpdate { (_: inout Int) throws -> Int in throw Oops() } },
      ] {
        let agent = try await Agent.start { 0 }
        let ref = context.monitor(try #require(agent.pid))
        await #expect(throws: CallError.exit(.error(Oops()))) { try await ends(agent) }
        let down = try await context.receive(Down.self, where: { $0.ref == ref })
        #expect(down.reason == .error(Oops()))
      }
      await #expect(throws: StartError.failed(.error(Oops()))) {
        try await Agent<Int>.start { throw Oops() }
      }
    }
  }

  @Test("the state need not be Sendable; what changes it runs alone")
  func notSendable() async throws {
    let agent = try await Agent.start(on: node) { Ledger() }
    await withTaskGroup(of: Void.self) { group in
      for number in 0..<100 {
        group.addTask { try? await agent.update { $0.entries.append("\(number)") } }
      }
    }
    #expect(try await agent.get { Set($0.entries).count } == 100)
    try await agent.stop()
  }

  @Test("a call ends with its timeout, and what it asked for is done all the same")
  func timeout() throws {
    try simulate(seed: 1) { sim in
      let agent = try await Agent.start { 0 }
      let pid = try #require(agent.pid)
      // Nobody handles anything while the agent's own turn lasts: it is asked for nothing in time.
      await #expect(throws: CallError.badarg) { try await agent.get(timeout: .seconds(-1)) { $0 } }
      await #expect(throws: CallError.timeout) {
        try await agent.update(timeout: .zero) { $0 += 1 }
      }
      #expect(try await agent.get { $0 } == 1)
      #expect(pid.isAlive)
    }
  }
}
