import ArborProcesses
import ArborTables
import Testing

/// Who has a table, who gets it, and what happens to it when they end.
@Suite struct OwnershipTests {
  let node = Node(workers: 2)

  @Test("outside any process a table needs an owner")
  func notInProcess() async throws {
    #expect(throws: TableError.notInProcess) { try Table<Int, Int>() }
    try await withProcess(on: node) { context in
      let me = context.pid
      let table = try await Task.detached { try Table<Int, Int>(access: .public, owner: me) }.value
      #expect(table.owner == me)
      try table.insert(1, 2)
      #expect(try table.lookup(1) == 2)
    }
  }

  @Test("a table dies before the DOWN of its owner is seen; old handles say so")
  func death() async throws {
    try await withProcess(on: node) { context in
      let me = context.pid
      for _ in 0..<100 {
        let (pid, _) = context.spawnMonitor { context in
          let table = try Table<Int, Int>(named: "mortal")
          try table.insert(1, 1)
          me.send(table)
          _ = try await context.receive(Int.self)
        }
        let table = try await context.receive(Table<Int, Int>.self)
        #expect(try table.lookup(1) == 1)
        #expect(try Table<Int, Int>.named("mortal", on: node) == table)
        pid.sendExit(.kill)
        _ = try await context.receive(Down.self)
        #expect(!table.isAlive)
        let again = try Table<Int, Int>(named: "mortal")
        #expect(throws: TableError.dead("table mortal")) { try table.lookup(1) }
        #expect(throws: TableError.dead("table mortal")) { try table.insert(1, 1) }
        #expect(try again.lookup(1) == nil)
        try again.deleteTable()
      }
    }
  }

  @Test("ETS:heir")
  func heir() async throws {
    try await withProcess(on: node) { context in
      let me = context.pid
      let (pid, _) = context.spawnMonitor { context in
        let table = try Table<Int, Int>(heir: me, heirData: "take care")
        try table.insert(1, 1)
        me.send(table)
        _ = try await context.receive(Int.self)
      }
      let table = try await context.receive(Table<Int, Int>.self)
      #expect(table.owner == pid)
      pid.sendExit(.kill)
      _ = try await context.receive(Down.self)
      // The message came before the DOWN.
      let transfer = try await context.receive(TableTransfer.self, timeout: .zero)
      #expect(transfer.from == pid && transfer.data as? String == "take care")
      #expect(transfer.table(as: Table<Int, Int>.self) == table)
      #expect(table.owner == me && table.heir == me)
      #expect(try table.lookup(1) == 1)
      try table.insert(2, 2)
    }
    #expect(node.processCount == 0)
  }

  @Test("ETS:heir, when the heir is dead, exiting or nobody")
  func noHeir() async throws {
    try await withProcess(on: node) { context in
      let me = context.pid
      let (dead, _) = context.spawnMonitor { _ in }
      _ = try await context.receive(Down.self)
      let (pid, _) = context.spawnMonitor { context in
        let first = try Table<Int, Int>(heir: dead)
        let second = try Table<Int, Int>(heir: me)
        try second.setHeir(nil)
        me.send([first, second])
        _ = try await context.receive(Int.self)
      }
      let tables = try await context.receive([Table<Int, Int>].self)
      #expect(throws: TableError.notOwner("table #1", caller: me)) { try tables[0].setHeir(me) }
      pid.sendExit(.shutdown)
      _ = try await context.receive(Down.self)
      #expect(tables.allSatisfy { !$0.isAlive })
    }
  }

  @Test("ETS:give_away")
  func giveAway() async throws {
    try await withProcess(on: node) { context in
      let me = context.pid
      let (pid, _) = context.spawnMonitor { context in
        let transfer = try await context.receive(TableTransfer.self)
        let table = try #require(transfer.table(as: Table<Int, Int>.self))
        #expect(table.owner == context.pid && transfer.from == me && table.heir == me)
        try table.insert(2, 2)
        me.send("mine")
        _ = try await context.receive(Int.self)
      }
      let table = try Table<Int, Int>(heir: me, heirData: 7)
      #expect(throws: TableError.alreadyOwner(me)) { try table.giveAway(to: me) }
      try table.giveAway(to: pid, data: "a gift")
      _ = try await context.receive(String.self)
      #expect(try table.lookup(2) == 2)
      #expect(throws: TableError.notOwner("table #1", caller: me)) { try table.insert(1, 1) }
      #expect(throws: TableError.notOwner("table #1", caller: me)) { try table.giveAway(to: me) }
      pid.sendExit(.shutdown)
      let transfer = try await context.receive(TableTransfer.self)
      #expect(transfer.from == pid && transfer.data as? Int == 7)
      _ = try await context.receive(Down.self)
      try table.insert(1, 1)
      #expect(throws: TableError.ownerGone(pid)) { try table.giveAway(to: pid) }
      #expect(table.owner == me)
    }
  }

  @Test("a gift to a process that is being killed is refused, inherited or dies; never lost")
  func giftRace() async throws {
    try await withProcess(on: node) { context in
      for _ in 0..<300 {
        let (pid, _) = context.spawnMonitor { context in _ = try await context.receive(Int.self) }
        let table = try Table<Int, Int>()
        spawn(on: node) { _ in pid.sendExit(.kill) }
        do {
          try table.giveAway(to: pid)
          _ = try await context.receive(Down.self)
          #expect(!table.isAlive)
        } catch TableError.ownerGone(pid) {
          _ = try await context.receive(Down.self)
          #expect(table.isAlive && table.owner == context.pid)
          try table.deleteTable()
        }
      }
    }
  }

  @Test("a change of owner refuses no write of a public table")
  func writesDuringGifts() async throws {
    try await withProcess(on: node) { context in
      let table = try Table<Int, Int>(access: .public)
      let me = context.pid
      let (writer, _) = context.spawnMonitor { _ in
        for number in 0..<20_000 { try table.insert(number % 50, number) }
      }
      let other = spawn(on: node) { context in
        while true {
          let transfer = try await context.receive(TableTransfer.self)
          try transfer.table(as: Table<Int, Int>.self)?.giveAway(to: transfer.from)
        }
      }
      for _ in 0..<200 {
        try table.giveAway(to: other)
        _ = try await context.receive(TableTransfer.self)
        #expect(table.owner == me)
      }
      let down = try await context.receive(Down.self, where: { $0.pid == writer })
      #expect(down.reason == .normal)
      #expect(try table.count == 50)
      other.sendExit(.kill)
    }
  }

  @Test("an exiting process changes nothing any more")
  func fence() async throws {
    try await withProcess(on: node) { context in
      let me = context.pid
      let table = try Table<Int, String>(access: .public)
      let (pid, _) = context.spawnMonitor { _ in
        me.send("ready")
        while !Task.isCancelled { await Task.yield() }
        do {
          try table.insert(1, "too late")
        } catch {
          table.owner.core.deliver(Mail.make(.message, error, context: nil))
        }
      }
      _ = try await context.receive(String.self)
      pid.sendExit(.kill)
      let refusal = try await context.receive(TableError.self)
      #expect(refusal == .callerExiting)
      #expect(try table.lookup(1) == nil)
    }
  }

  @Test("a task that outlives its process changes nothing any more")
  func straggler() async throws {
    try await withProcess(on: node) { context in
      let me = context.pid
      let table = try Table<Int, Int>(access: .public)
      try table.insert(1, 1)
      // Held back until its process has ended.
      let gate = AsyncStream<Void>.makeStream()
      let (_, _) = context.spawnMonitor { _ in
        Task {
          for await _ in gate.stream { break }
          var refusals: [TableError?] = []
          for attempt in [
            { try table.insert(1, 2) }, { try table.insert(2, 2) }, { try table.delete(1) },
            { try table.deleteAll() }, { try table.updateCounter(1) },
            { try table.update(1) { $0 = 7 } }, { try table.selectDelete { _, _ in true } },
            { try table.deleteTable() }, { try table.rename(to: "mine") },
            { _ = try Table<Int, Int>(owner: me) },
          ] as [() throws -> Void] {
            do {
              try attempt()
              refusals.append(nil)
            } catch {
              refusals.append(error as? TableError)
            }
          }
          me.core.deliver(Mail.make(.message, refusals, context: nil))
        }
      }
      _ = try await context.receive(Down.self)
      gate.continuation.yield()
      let refusals = try await context.receive([TableError?].self)
      #expect(refusals.count == 10 && refusals.allSatisfy { $0 == .callerExiting })
      #expect(try table.rows().map(\.value) == [1])
      try table.insert(2, 2)
    }
  }
}
