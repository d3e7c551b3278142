import ArborProcesses
import ArborTables
import ArborTestKit
import Testing

/// Who gets a table: all ways in which heirs and owners live and end.
@Suite struct HeirTests {
  let node = Node(workers: 2)

  enum Tie: CaseIterable { case none, link, monitor }

  @Test("ETS:heir, whatever ties it to the founder", arguments: Kind.allCases, Tie.allCases)
  func inherits(kind: Kind, tie: Tie) async throws {
    try await withProcess(on: node) { context in
      let me = context.pid
      context.trapExit()
      let (founder, _) = context.spawnMonitor { context in
        let heir = try await context.receive(PID.self)
        let table = try Table<String, Int>(
          kind.of(), named: "foo", access: .private, heir: heir, heirData: [1, 2])
        try table.insert("key", 1)
        #expect(table.heir == heir && table.owner == context.pid)
        heir.send(table)
        try await awaitMessage("go", in: context)
      }
      let (heir, _) = context.spawnMonitor { context in
        context.trapExit()
        let table = try await context.receive(Table<String, Int>.self)
        let refused = TableError.notOwner("table foo", caller: context.pid)
        #expect(throws: refused) { try table.lookup("key") }
        switch tie {
        case .none: break
        case .link: try context.link(founder)
        case .monitor: _ = context.monitor(founder)
        }
        founder.send("go")
        // The first thing that is heard of the founder's end is the table.
        let first = try await context.receive()
        let transfer = try #require(first as? TableTransfer)
        #expect(transfer.from == founder && transfer.data as? [Int] == [1, 2])
        #expect(transfer.tableName == "foo")
        #expect(transfer.table(as: Table<String, Int>.self) == table)
        #expect(transfer.table(as: Table<String, String>.self) == nil)
        #expect(table.owner == context.pid && table.heir == context.pid)
        #expect(try table.lookup("key") == 1)
        try table.insert("other", 2)
        switch tie {
        case .none: break
        case .link: #expect(try await context.receive(Exit.self).pid == founder)
        case .monitor: #expect(try await context.receive(Down.self).pid == founder)
        }
        me.send(table)
      }
      founder.send(heir)
      let table = try await context.receive(Table<String, Int>.self)
      let down = try await context.receive(Down.self, where: { $0.pid == heir })
      #expect(down.reason == .normal)
      // Its own heir is no other one.
      #expect(!table.isAlive)
      #expect(throws: TableError.noSuchTable("foo")) { try Table<String, Int>.named("foo") }
    }
  }

  @Test("ETS:heir, one that ends before the founder", arguments: Kind.allCases)
  func deadHeir(kind: Kind) async throws {
    try await withProcess(on: node) { context in
      let me = context.pid
      let (heir, _) = context.spawnMonitor { context in _ = try await context.receive(Int.self) }
      let (founder, _) = context.spawnMonitor { context in
        let table = try Table<Int, Int>(kind.of(), named: "foo", heir: heir)
        me.send(table)
        _ = try await context.receive(Int.self)
      }
      let table = try await context.receive(Table<Int, Int>.self)
      for pid in [heir, founder] {
        pid.sendExit(.kill)
        _ = try await context.receive(Down.self, where: { $0.pid == pid })
        #expect(table.isAlive == (pid == heir))
      }
      #expect(TableCatalogue.of(node).nameCount == 0)
    }
  }

  @Test("an heir on another node is refused")
  func otherNode() async throws {
    let other = Node(workers: 1)
    try await withProcess(on: other) { stranger in
      let stranger = stranger.pid
      try await withTaskOf(node) { _ in
        #expect(throws: TableError.otherNode(stranger)) { try Table<Int, Int>(heir: stranger) }
        let table = try Table<Int, Int>()
        #expect(throws: TableError.otherNode(stranger)) { try table.setHeir(stranger) }
        #expect(throws: TableError.otherNode(stranger)) { try table.giveAway(to: stranger) }
        #expect(table.heir == nil && table.owner != stranger)
      }
    }
  }

  /// A process of that node, also where the caller is one of another.
  func withTaskOf(
    _ node: Node, _ body: @escaping @Sendable (ProcessContext) async throws -> Void
  ) async throws {
    try await Task.detached { try await withProcess(on: node, body) }.value
  }

  @Test("ETS:give_away, there and back, kept, and back by inheritance", arguments: Kind.allCases)
  func giveAway(kind: Kind) async throws {
    enum Then: Sendable, Equatable { case giveBack, end }
    try await withProcess(on: node) { context in
      let me = context.pid
      @Sendable func receiver(_ table: Table<String, Int>, _ then: Then) -> PID {
        context.spawnMonitor { context in
          let refused = TableError.notOwner("\(table)", caller: context.pid)
          #expect(throws: refused) { try table.lookup("key") }
          me.send("give me")
          let transfer = try await context.receive(TableTransfer.self)
          #expect(transfer.from == me && transfer.data as? String == "here you are")
          #expect(try table.take("key") == 1)
          try table.insert("key", 2)
          guard then == .giveBack else { return }
          try table.giveAway(to: me, data: "back again")
          #expect(throws: refused) { try table.lookup("key") }
        }.pid
      }
      for (then, heir) in [(Then.giveBack, nil), (.end, nil), (.end, me)] as [(Then, PID?)] {
        let table = try Table<String, Int>(
          kind.of(), named: "foo", access: .private, heir: heir, heirData: "inherited")
        try table.insert("key", 1)
        let pid = receiver(table, then)
        try await awaitMessage("give me", in: context)
        try table.giveAway(to: pid, data: "here you are")
        let refused = TableError.notOwner("table foo", caller: me)
        #expect(throws: refused) { try table.lookup("key") }
        if then == .giveBack || heir != nil {
          let transfer = try await context.receive(TableTransfer.self)
          #expect(transfer.from == pid)
          #expect(transfer.data as? String == (heir == nil ? "back again" : "inherited"))
          #expect(try table.lookupAll("key") == [2])
        }
        let down = try await context.receive(Down.self, where: { $0.pid == pid })
        #expect(down.reason == .normal)
        #expect(table.isAlive == (then == .giveBack || heir != nil))
        guard table.isAlive else { continue }
        #expect(throws: TableError.ownerGone(pid)) { try table.giveAway(to: pid) }
        #expect(throws: TableError.alreadyOwner(me)) { try table.giveAway(to: me) }
        try table.deleteTable()
        #expect(throws: TableError.dead("table foo")) { try table.giveAway(to: pid) }
      }
    }
  }

  @Test("ETS:exit_many_tables_owner, with an heir", arguments: Kind.allCases)
  func manyTables(kind: Kind) async throws {
    try await withProcess(on: node) { context in
      let me = context.pid
      let (owner, _) = context.spawnMonitor { context in
        for number in 0..<300 {
          let heir = number % 2 == 0 ? me : nil
          let table = try Table<Int, Int>(kind.of(), named: "many \(number)", heir: heir)
          for row in 0..<20 { try table.insert(row, number) }
        }
        me.send("made")
        _ = try await context.receive(Int.self)
      }
      try await awaitMessage("made", in: context)
      owner.sendExit(.kill)
      let down = try await context.receive(Down.self)
      #expect(down.pid == owner)
      // All have come before the DOWN, whole, and the others are gone.
      var names: Set<String> = []
      for _ in 0..<150 {
        let transfer = try await context.receive(TableTransfer.self, timeout: .zero)
        let table = try #require(transfer.table(as: Table<Int, Int>.self))
        #expect(try table.count == 20 && table.owner == me)
        names.insert(try #require(table.name))
      }
      #expect(names.count == 150 && node.tables.count == 150)
      #expect(Set(node.tables.compactMap(\.name)) == names)
    }
    #expect(node.tables.isEmpty && TableCatalogue.of(node).nameCount == 0)
  }

  // Owner and heir end in an order that the seed decides, while a stranger writes.
  @Test("owner and heir that end together leave a table with one owner or none")
  func together() throws {
    try simulate(seeds: 0..<500) { sim in
      try await withProcess(on: sim.node) { context in
        let me = context.pid
        let (heir, _) = context.spawnMonitor { context in
          let transfer = try await context.receive(TableTransfer.self)
          try transfer.table(as: Table<Int, Int>.self)?.insert(2, 2)
          _ = try await context.receive(Int.self)
        }
        let (owner, _) = context.spawnMonitor { context in
          let table = try Table<Int, Int>(.set, named: "both", access: .public, heir: heir)
          me.send(table)
          _ = try await context.receive(Int.self)
        }
        let table = try await context.receive(Table<Int, Int>.self)
        let (writer, _) = context.spawnMonitor { context in
          do {
            for number in 0..<5 {
              try table.insert(1, number)
              await Task.yield()
            }
          } catch TableError.dead {
          }
        }
        spawn(on: sim.node) { _ in heir.sendExit(.kill) }
        spawn(on: sim.node) { _ in owner.sendExit(.kill) }
        for pid in [owner, heir] {
          _ = try await context.receive(Down.self, where: { $0.pid == pid })
          // Whoever is gone does not own it: either the other does, or nobody.
          let isOwned = table.isAlive
          try #require(!isOwned || table.owner != pid)
        }
        try #require(!table.isAlive)
        let again = try Table<Int, Int>(.set, named: "both")
        try #require(try again.count == 0)
        let down = try await context.receive(Down.self, where: { $0.pid == writer })
        try #require(down.reason == .normal)
      }
    }
  }
}
