import ArborBehaviours
import ArborProcesses
import ArborTables
import ArborTelemetry
import ArborTestKit
import Testing

/// Time, order, tables and telemetry.
@Suite struct PlatformGuarantees {
  let node = Node(workers: 2)

  @Test("TIME-1: all waiting goes through the node's clock")
  func virtualTime() throws {
    let clock = ContinuousClock()
    let begin = clock.now
    try simulate(seed: 3) { sim in
      try await withProcess { context in
        try await context.sleep(for: .seconds(86_400))
        _ = try? await context.receive(Int.self, timeout: .seconds(86_400))
        try #require(sim.now == .seconds(172_800))
      }
    }
    #expect(clock.now - begin < .seconds(86_400))
  }

  @Test("TIME-2: the same seed gives the same order")
  func sameOrder() throws {
    func run(_ seed: UInt64) throws -> [Int] {
      try simulate(seed: seed) { _ in
        try await withProcess { context in
          let me = context.pid
          for sender in 0..<12 {
            // More links than a small map holds: their order is the runtime's to keep.
            let hub = spawn { inner in _ = try await inner.receive(String.self) }
            for _ in 0..<12 {
              spawn { inner in
                inner.trapExit()
                try? inner.link(hub)
                _ = try? await inner.receive(Exit.self, timeout: .seconds(1))
                me.send(sender)
              }
            }
            hub.sendExit(.kill)
          }
          var order: [Int] = []
          for _ in 0..<144 { order.append(try await context.receive(Int.self)) }
          return order
        }
      }
    }
    let first = try run(1)
    let again = try run(1)
    let other = try run(2)
    #expect(first == again && first != other)
  }

  @Test("TIME-3: cancel says a time, or the message is there, never both")
  func cancelledTimer() throws {
    try simulate(seeds: 0..<500) { sim in
      try await withProcess { context in
        let timer = try context.send("tick", to: context.pid, after: .seconds(1))
        let me = context.pid
        spawn { inner in
          try await inner.sleep(for: .seconds(1))
          me.send(timer.cancel() != nil)
        }
        let isTaken = try await context.receive(Bool.self)
        try #require(context.mailbox.queued == (isTaken ? 0 : 1))
        await sim.advance(by: .seconds(5))
        try #require(context.mailbox.queued == (isTaken ? 0 : 1) && timer.cancel() == nil)
      }
    }
  }

  @Test("TIME-4: a timer dies with its destination, not with its setter")
  func timerAndDestination() throws {
    try simulate(seeds: 0..<100) { sim in
      try await withProcess { context in
        let me = context.pid
        let (setter, _) = context.spawnMonitor { inner in
          try inner.send("tick", to: me, after: .seconds(1))
        }
        let target = spawn { inner in _ = try await inner.receive(String.self) }
        let toTarget = try context.send("tick", to: target, after: .seconds(1))
        target.sendExit(.kill)
        _ = try await context.receive(Down.self)
        try #require(!setter.isAlive)
        let tick = try await context.receive(String.self)
        try #require(tick == "tick" && sim.now == .seconds(1))
        try #require(toTarget.remaining == nil && toTarget.cancel() == nil)
      }
    }
  }

  @Test(
    "TIME-5: nobody is left behind by who never finds the mailbox empty",
    arguments: ProcessPriority.allCases)
  func fairness(priority: ProcessPriority) async throws {
    let node = Node(workers: 1)
    try await withProcess(on: node) { context in
      let me = context.pid
      let server = try await Script.start { Script(reader: me) }
      let pid = try #require(server.pid)
      // A server and a raw process, each of which always has mail.
      @Sendable func again(_ own: ProcessContext) { server.act { again($0) } }
      server.act { again($0) }
      let raw = spawn { inner in
        inner.pid.send(0)
        while true { inner.pid.send(try await inner.receive(Int.self)) }
      }
      spawn(priority: priority) { inner in
        for number in 0..<10 {
          me.send(number)
          try await inner.sleep(for: .zero)
        }
      }
      for expected in 0..<10 {
        let number = try await context.receive(Int.self)
        #expect(number == expected)
      }
      for pid in [pid, raw] { pid.sendExit(.kill) }
    }
  }

  @Test("TIME-5: two who have much mail take turns at it", arguments: [false, true])
  func turns(areServers: Bool) throws {
    // Each time any of those that can run: of who is next by rank, some may be left behind for long.
    try simulate(seeds: 0..<8, options: SimulationOptions(policy: .random)) { _ in
      try await withProcess { context in
        let me = context.pid
        let notes = Notes<Int>()
        let count = 1000
        if areServers {
          var servers: [ServerRef<Script>] = []
          for _ in 0..<2 { servers.append(try await Script.start { Script(reader: me) }) }
          for (one, server) in servers.enumerated() {
            for _ in 0..<count { server.act { _ in notes.add(one) } }
            server.act { _ in me.send(one) }
          }
        } else {
          for one in 0..<2 {
            let pid = spawn { inner in
              for _ in 0..<count { notes.add(try await inner.receive(Int.self)) }
              me.send(one)
            }
            for _ in 0..<count { pid.send(one) }
          }
        }
        for _ in 0..<2 { _ = try await context.receive(Int.self) }
        let all = notes.all
        try #require(all.count == 2 * count)
        let first = all[0]
        let (end, begin) = (all.lastIndex(of: first), all.firstIndex { $0 != first })
        try #require(try #require(begin) < #require(end))
      }
    }
  }

  @Test("TAB-1: a table dies with its owner, unless it has an heir")
  func owner() async throws {
    try await withProcess(on: node) { context in
      let me = context.pid
      _ = context.spawnMonitor { _ in
        let mortal = try Table<Int, Int>()
        let inherited = try Table<Int, Int>(heir: me)
        try inherited.insert(1, 2)
        me.send([mortal, inherited])
      }
      let tables = try await context.receive([Table<Int, Int>].self)
      _ = try await context.receive(Down.self)
      #expect(!tables[0].isAlive && tables[1].owner == me)
      let kept = try tables[1].lookup(1)
      #expect(kept == 2)
    }
  }

  @Test("TAB-2: a read does not wait for the owner")
  func reads() async throws {
    try await withProcess(on: node) { context in
      let me = context.pid
      let latch = Latch()
      let owner = spawn { _ in
        let table = try Table<Int, Int>()
        try table.insert(1, 2)
        me.send(table)
        await latch.pass()
      }
      let table = try await context.receive(Table<Int, Int>.self)
      let two = try table.lookup(1)
      #expect(two == 2 && owner.core.ledger.sent == 0)
      latch.open()
    }
  }

  @Test("TAB-3: insertNew is all or nothing")
  func insertNew() async throws {
    try await withProcess(on: node) { _ in
      let table = try Table<Int, Int>()
      try table.insert(2, 0)
      let isInserted = try table.insertNew(contentsOf: [(1, 1), (2, 1), (3, 1)])
      let count = try (1...3).count { try table.lookup($0) != nil }
      #expect(!isInserted && count == 1)
    }
  }

  @Test("TEL-3: without a handler nothing is made of what it would carry")
  func unheard() throws {
    let made = Notes<String>()
    func value(_ name: String) -> TelemetryValues {
      made.add(name)
      return [:]
    }
    node.telemetry.execute(.probe, value("measurements"), value("metadata"))
    #expect(made.all.isEmpty)
    try node.telemetry.attach("a", to: .probe) { _, _, _ in }
    try node.telemetry.attach("b", to: .probe) { _, _, _ in }
    node.telemetry.execute(.probe, value("measurements"), value("metadata"))
    #expect(made.all == ["measurements", "metadata"])  // once for both
  }

  @Test("TEL-1: handlers run in the caller")
  func inCaller() async throws {
    try await withProcess(on: node) { context in
      let seen = Notes<PID?>()
      try node.telemetry.attach("who", to: .probe) { _, _, _ in seen.add(ProcessCore.current?.pid) }
      node.telemetry.execute(.probe)
      #expect(seen.all == [context.pid])
    }
  }

  @Test("TEL-2: a handler that throws leaves; the failure is told; the rest run")
  func failing() throws {
    let seen = Notes<String>()
    try node.telemetry.attach("bad", to: [.probe, .other]) { _, _, _ in throw Boom() }
    try node.telemetry.attach("good", to: .probe) { _, _, _ in seen.add("good") }
    try node.telemetry.attach("watch", to: .handlerFailure) { _, _, _ in seen.add("failure") }
    node.telemetry.execute(.probe)
    #expect(seen.all == ["failure", "good"])
    #expect(!node.telemetry.hasHandlers(for: .other))
  }
}

extension TelemetryEvent {
  fileprivate static let probe = TelemetryEvent("semantics", "probe")
  fileprivate static let other = TelemetryEvent("semantics", "other")
}
