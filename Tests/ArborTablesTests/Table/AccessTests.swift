import ArborProcesses
import ArborTables
import Testing

/// Who may do what, and what names and information a table has.
@Suite struct AccessTests {
  let node = Node(workers: 2)

  /// What an operation is refused with; nil if it is not.
  func refusal(_ body: () throws -> Void) -> TableError? {
    do {
      try body()
      return nil
    } catch {
      return error as? TableError
    }
  }

  @Test("ETS:privacy", arguments: Kind.allCases, TableAccess.allCases)
  func privacy(kind: Kind, access: TableAccess) async throws {
    try await withProcess(on: node) { context in
      let me = context.pid
      let table = try Table<Int, Int>(kind.of(), access: access)
      try table.insert(1, 1)
      #expect(try table.lookup(1) == 1)
      let (stranger, _) = context.spawnMonitor { [self] context in
        let refused = TableError.notOwner("table #1", caller: context.pid)
        let read = access == .private ? refused : nil
        let write = access == .public ? nil : refused
        #expect(refusal { _ = try table.lookup(1) } == read)
        #expect(refusal { _ = try table.lookupAll(1) } == read)
        #expect(refusal { _ = try table.contains(1) } == read)
        #expect(refusal { _ = try table.rows() } == read)
        #expect(refusal { _ = try table.first() } == read)
        #expect(refusal { _ = try table.select(limit: 1) { _, _ in true } } == read)
        #expect(refusal { try table.withFixedTable {} } == read)
        #expect(refusal { try table.insert(2, 2) } == write)
        #expect(refusal { try table.insert(contentsOf: [(2, 2)]) } == write)
        #expect(refusal { try table.insertNew(3, 2) } == write)
        #expect(refusal { try table.insertNew(contentsOf: [(4, 2)]) } == write)
        #expect(refusal { try table.take(2) } == write)
        #expect(refusal { try table.delete(2) } == write)
        #expect(refusal { try table.delete(2, 2) } == write)
        #expect(refusal { try table.deleteAll() } == write)
        #expect(refusal { try table.selectDelete { _, _ in true } } == (read ?? write))
        if !kind.isBag {
          #expect(refusal { try table.update(1, default: 0) { $0 += 1 } } == write)
          #expect(refusal { try table.updateCounter(1, default: 0) } == write)
          #expect(refusal { try table.selectReplace { _, _ in nil } } == (read ?? write))
        }
        // Whatever the access, the table itself is its owner's.
        #expect(refusal { try table.giveAway(to: context.pid) } == refused)
        #expect(refusal { try table.setHeir(context.pid) } == refused)
        // And what there is to know about it is everyone's.
        let info = try table.info
        #expect(info.owner == me && info.access == access)
        _ = try table.count
        #expect(refusal { try table.deleteTable() } == write)
      }
      let down = try await context.receive(Down.self, where: { $0.pid == stranger })
      #expect(down.reason == .normal)
      #expect(table.isAlive == (access != .public))
      if table.isAlive { #expect(try table.sortedRows() == ["1:1"]) }
      let outside = try Table<Int, Int>(kind.of(), access: access)
      await Task.detached { [self] in
        let refused = TableError.notOwner("table #2", caller: nil)
        #expect(refusal { try outside.insert(1, 1) } == (access == .public ? nil : refused))
        #expect(refusal { _ = try outside.lookup(1) } == (access == .private ? refused : nil))
      }.value
    }
  }

  @Test("ETS:setopts")
  func setopts() async throws {
    try await withProcess(on: node) { context in
      let me = context.pid
      let table = try Table<Int, Int>(access: .public)
      #expect(table.heir == nil)
      let (other, _) = context.spawnMonitor { context in _ = try await context.receive(Int.self) }
      try table.setHeir(other, data: "data")
      #expect(table.heir == other)
      try table.setHeir(nil)
      #expect(table.heir == nil)
      try table.setHeir(me)
      #expect(table.heir == me)
      // An heir that ends later is still named, one that has ended is none.
      try table.setHeir(other)
      other.sendExit(.kill)
      _ = try await context.receive(Down.self)
      #expect(table.heir == other && table.owner == me)
      try table.setHeir(other)
      #expect(table.heir == nil)
      #expect(try Table<Int, Int>(heir: other).heir == nil)
      try table.deleteTable()
      #expect(throws: TableError.dead("table #1")) { try table.setHeir(me) }
      #expect(throws: TableError.dead("table #1")) { try table.giveAway(to: me) }
    }
  }

  @Test("ETS:named, whereis_table")
  func named() async throws {
    try await withProcess(on: node) { _ in
      let table = try Table<Int, Int>(named: "one")
      #expect(try Table<Int, Int>.named("one") == table)
      #expect(throws: TableError.nameTaken("one")) { try Table<Int, String>(named: "one") }
      #expect(throws: TableError.wrongType("one", found: "Table<Int, Int>")) {
        try Table<Int, String>.named("one")
      }
      #expect(throws: TableError.noSuchTable("two")) { try Table<Int, Int>.named("two") }
      try table.deleteTable()
      #expect(throws: TableError.noSuchTable("one")) { try Table<Int, Int>.named("one") }
      let again = try Table<Int, String>(named: "one")
      #expect(try Table<Int, String>.named("one") == again)
    }
    #expect(throws: TableError.noSuchTable("one")) { try Table<Int, String>.named("one", on: node) }
  }

  @Test("ETS:rename, rename_unnamed")
  func rename() async throws {
    try await withProcess(on: node) { _ in
      let table = try Table<Int, Int>(named: "old")
      let other = try Table<Int, Int>(named: "other")
      try table.insert(1, 1)
      try table.rename(to: "new")
      #expect(table.name == "new")
      #expect(try Table<Int, Int>.named("new") == table)
      #expect(throws: TableError.noSuchTable("old")) { try Table<Int, Int>.named("old") }
      #expect(throws: TableError.nameTaken("other")) { try table.rename(to: "other") }
      #expect(table.name == "new")
      #expect(try Table<Int, Int>.named("other") == other)
      try table.rename(to: "new")
      let unnamed = try Table<Int, Int>()
      try unnamed.rename(to: "name")
      #expect(unnamed.name == nil)
      #expect(throws: TableError.noSuchTable("name")) { try Table<Int, Int>.named("name") }
      #expect(try Table<Int, Int>(named: "old") != table)
    }
  }

  @Test("ETS:racy_rename")
  func racyRename() async throws {
    try await withProcess(on: node) { context in
      let table = try Table<Int, Int>(named: "racy", access: .public)
      for number in 0..<2 {
        _ = context.spawnMonitor { _ in
          for step in 0..<500 { try table.rename(to: "racy \(number) \(step)") }
        }
      }
      for _ in 0..<2 {
        let down = try await context.receive(Down.self)
        #expect(down.reason == .normal)
      }
      let name = try #require(table.name)
      #expect(try Table<Int, Int>.named(name) == table)
      try table.deleteTable()
      #expect(TableCatalogue.of(node).nameCount == 0)
    }
  }

  @Test("ETS:info", arguments: Kind.allCases)
  func info(kind: Kind) async throws {
    try await withProcess(on: node) { context in
      let table = try Table<Int, Int>(
        kind.of(), named: "known", access: .private, heir: context.pid)
      for number in 0..<100 { try table.insert(number, number) }
      let info = try table.info
      #expect(info.id == 1 && info.name == "known" && info.kind.rawValue == kind.rawValue)
      #expect(info.access == .private && info.owner == context.pid && info.heir == context.pid)
      #expect(info.count == 100 && !info.isFixed && !info.ownsRows)
      #expect(info.memory >= 100 * 16 && info.typeName == "Table<Int, Int>")
      let isFixed = try table.withFixedTable { try table.info.isFixed }
      #expect(isFixed)
      #expect(node.tables.map(\.id) == [1])
      try table.deleteTable()
      #expect(throws: TableError.dead("table known")) { try table.info }
      #expect(throws: TableError.dead("table known")) { try table.count }
      #expect(throws: TableError.dead("table known")) { try table.memory }
      #expect(node.tables.isEmpty)
    }
  }

  @Test("ETS:exit_many_tables_owner")
  func manyTables() async throws {
    try await withProcess(on: node) { context in
      let me = context.pid
      let (owner, _) = context.spawnMonitor { context in
        var tables: [Table<Int, Int>] = []
        for number in 0..<1000 {
          let table = try Table<Int, Int>(named: "many \(number)")
          for row in 0..<20 { try table.insert(row, row) }
          tables.append(table)
        }
        me.send(tables)
        _ = try await context.receive(Int.self)
      }
      let tables = try await context.receive([Table<Int, Int>].self)
      #expect(tables.count == 1000 && tables.allSatisfy(\.isAlive))
      owner.sendExit(.kill)
      _ = try await context.receive(Down.self)
      #expect(tables.allSatisfy { !$0.isAlive })
      #expect(node.tables.isEmpty && TableCatalogue.of(node).nameCount == 0)
    }
  }

  // One at a time, because an operator can only reach the table through a static variable.
  @Test(
    "an operator that uses a table is refused instead of hanging", .serialized,
    arguments: Kind.allCases)
  func reentry(kind: Kind) async throws {
    struct Meddler: Hashable, Comparable, Sendable {
      nonisolated(unsafe) static var table: Table<Meddler, Int>?
      nonisolated(unsafe) static var refusals: [TableError] = []
      let number: Int
      static func meddle() {
        do {
          _ = try table?.lookup(Meddler(number: 2))
        } catch {
          refusals.append(error)
        }
      }
      static func == (left: Meddler, right: Meddler) -> Bool {
        meddle()
        return left.number == right.number
      }
      static func < (left: Meddler, right: Meddler) -> Bool {
        meddle()
        return left.number < right.number
      }
      func hash(into hasher: inout Hasher) {}
    }
    try await withProcess(on: node) { _ in
      let table = try Table<Meddler, Int>(kind.of())
      try table.insert(Meddler(number: 1), 1)
      Meddler.table = table
      Meddler.refusals = []
      #expect(try table.lookup(Meddler(number: 1)) == 1)
      #expect(!Meddler.refusals.isEmpty)
      #expect(Meddler.refusals.allSatisfy { $0 == .reentered("table #1") })
      Meddler.table = nil
      #expect(try table.lookup(Meddler(number: 1)) == 1)
    }
  }
}
