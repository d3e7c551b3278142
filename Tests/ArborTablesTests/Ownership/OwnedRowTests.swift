import ArborPrimitives
import ArborProcesses
import ArborTables
import ArborTestKit
import Testing

/// Rows that belong to processes and die with them.
@Suite struct OwnedRowTests {
  struct Entry: Sendable, Equatable, CustomStringConvertible {
    var pid: PID?
    var number = 0
    var description: String { "\(number)" }
  }

  let node = Node(workers: 4)

  func table(_ kind: Kind) throws -> Table<String, Entry> {
    try Table(kind.of(), access: .public, rowOwner: { _, entry in entry.pid })
  }

  @Test("a process's rows are gone before its DOWN is seen, others stay", arguments: Kind.allCases)
  func reaped(kind: Kind) async throws {
    try await withProcess(on: node) { context in
      let me = context.pid
      let table = try table(kind)
      #expect(try table.info.ownsRows)
      let (pid, _) = context.spawnMonitor { context in
        let mine = Entry(pid: context.pid, number: 1)
        try table.insert("insert", mine)
        try table.insert(contentsOf: [("list", mine), ("other list", mine)])
        try table.insertNew("new", mine)
        try table.insertNew(contentsOf: [("new list", mine)])
        try table.insert("shared", mine)
        me.send("done")
        _ = try await context.receive(Int.self)
      }
      try await awaitMessage("done", in: context)
      try table.insertNew("new", Entry(pid: me, number: 2))
      try table.insert("shared", Entry(pid: me, number: 2))
      try table.insert("mine", Entry(pid: me, number: 3))
      try table.insert("nobody's", Entry(pid: nil, number: 4))
      #expect(try table.count == (kind.isBag ? 9 : 8))
      pid.sendExit(.kill)
      _ = try await context.receive(Down.self)
      #expect(try table.sortedRows() == ["mine:3", "nobody's:4", "shared:2"])
      #expect(try table.count == 3)
    }
  }

  @Test("a row of a process that has ended is refused", arguments: Kind.allCases)
  func refused(kind: Kind) async throws {
    try await withProcess(on: node) { context in
      let table = try table(kind)
      let (pid, _) = context.spawnMonitor { _ in }
      _ = try await context.receive(Down.self)
      let row = Entry(pid: pid)
      let gone = TableError.ownerGone(pid)
      #expect(throws: gone) { try table.insert("a", row) }
      #expect(throws: gone) { try table.insertNew("a", row) }
      let mine = Entry(pid: context.pid)
      #expect(throws: gone) { try table.insert(contentsOf: [("b", mine), ("a", row)]) }
      #expect(throws: gone) { try table.insertNew(contentsOf: [("b", mine), ("a", row)]) }
      #expect(try table.count == 0)
      guard !kind.isBag else { return }
      try table.insert("a", mine)
      #expect(throws: gone) { try table.updateElement("a", \.pid, to: pid) }
      #expect(try table.lookup("a") == mine)
    }
  }

  @Test("a row that changes hands dies with its last process", arguments: Kind.sets)
  func handedOver(kind: Kind) async throws {
    try await withProcess(on: node) { context in
      let table = try table(kind)
      let first = context.spawnMonitor { context in _ = try await context.receive(Int.self) }.pid
      let second = context.spawnMonitor { context in _ = try await context.receive(Int.self) }.pid
      for key in ["update", "insert", "replace", "take", "stay"] {
        try table.insert(key, Entry(pid: first))
      }
      try table.updateElement("update", \.pid, to: second)
      try table.insert("insert", Entry(pid: second))
      try table.selectReplace { key, _ in key == "replace" ? Entry(pid: second) : nil }
      let taken = try #require(try table.take("take"))
      try table.insert("take", Entry(pid: second, number: taken.number))
      try table.update("stay") { $0.number = 5 }
      first.sendExit(.kill)
      _ = try await context.receive(Down.self)
      #expect(try table.rows().map(\.key).sorted() == ["insert", "replace", "take", "update"])
      second.sendExit(.kill)
      _ = try await context.receive(Down.self)
      #expect(try table.count == 0)
    }
  }

  @Test(
    "rows that go by themselves leave nothing in their process's books", arguments: Kind.allCases)
  func books(kind: Kind) async throws {
    try await withProcess(on: node) { context in
      let table = try table(kind)
      let mine = Entry(pid: context.pid)
      for key in 0..<100 { try table.insert("\(key)", mine) }
      #expect(table.ownedKeyCount(of: context.pid) == 100)
      for key in 0..<20 { try table.delete("\(key)") }
      for key in 20..<40 { try table.take("\(key)") }
      for key in 40..<50 { try table.delete("\(key)", mine) }
      try table.selectDelete { key, _ in key < "7" }
      #expect(try table.ownedKeyCount(of: context.pid) == table.count)
      #expect(try table.insertNew(contentsOf: [("99", mine), ("new", mine)]) == false)
      #expect(try table.ownedKeyCount(of: context.pid) == table.count)
      try table.deleteAll()
      #expect(table.ownedKeyCount(of: context.pid) == 0)
      try table.insert("a", mine)
      try table.deleteTable()
      #expect(table.ownedKeyCount(of: context.pid) == 0)
    }
  }

  @Test("a table that dies inside a write leaves nothing in the books", arguments: Kind.allCases)
  func deathInside(kind: Kind) async throws {
    try await withProcess(on: node) { context in
      let me = context.pid
      let victim = Lock<Table<String, Entry>?>(nil)
      let table = try Table<String, Entry>(kind.of(), access: .public) { _, entry in
        try? victim.withLock { $0 }?.deleteTable()
        return entry.pid
      }
      victim.withLock { $0 = table }
      #expect(throws: TableError.dead("table #1")) { try table.insert("a", Entry(pid: me)) }
      #expect(table.ledgerCount == 0 && table.ownedKeyCount(of: me) == 0)
      victim.withLock { $0 = nil }
    }
  }

  @Test("whoever is killed while rows come and go leaves none", arguments: Kind.allCases)
  func race(kind: Kind) async throws {
    try await withProcess(on: node) { context in
      let me = context.pid
      let table = try table(kind)
      for round in 0..<effort(of: 60) {
        let victim = context.spawnMonitor { context in
          me.send("up")
          for number in 0..<1_000_000 {
            try table.insert("own \(number % 40)", Entry(pid: context.pid, number: number % 3))
            if number % 5 == 0 { try table.delete("own \(number % 40)") }
          }
        }.pid
        // Somebody else writes rows in its name: those must not come after its DOWN either.
        let helper = context.spawnMonitor { _ in
          for number in 0..<1_000_000 {
            do {
              try table.insert("help \(number % 40)", Entry(pid: victim, number: number % 3))
            } catch TableError.ownerGone(victim) {
              return
            }
          }
        }.pid
        try await awaitMessage("up", in: context)
        if round % 2 == 0 { await Task.yield() }
        victim.sendExit(.kill)
        _ = try await context.receive(Down.self, where: { $0.pid == victim })
        #expect(try table.count == 0)
        let down = try await context.receive(Down.self, where: { $0.pid == helper })
        #expect(down.reason == .normal)
        #expect(try table.count == 0)
      }
      #expect(table.ledgerCount == 0)
    }
  }
}
