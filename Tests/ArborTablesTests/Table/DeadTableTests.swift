import ArborPrimitives
import ArborProcesses
import ArborTables
import ArborTestKit
import Foundation
import Testing

/// A table that is gone, and tables that come and go.
@Suite struct DeadTableTests {
  let node = Node(workers: 4)

  /// Everything that a handle offers.
  static func operations(
    on table: Table<Int, Int>, _ kind: Kind, _ other: PID
  ) -> [(String, () throws -> Void)] {
    var all: [(String, () throws -> Void)] = [
      ("lookup", { _ = try table.lookup(1) }),
      ("lookupAll", { _ = try table.lookupAll(1) }),
      ("contains", { _ = try table.contains(1) }),
      ("insert", { try table.insert(1, 1) }),
      ("insert list", { try table.insert(contentsOf: [(1, 1), (2, 2)]) }),
      ("insert empty list", { try table.insert(contentsOf: []) }),
      ("insertNew", { try table.insertNew(1, 1) }),
      ("insertNew list", { try table.insertNew(contentsOf: [(1, 1), (2, 2)]) }),
      ("take", { try table.take(1) }),
      ("takeAll", { try table.takeAll(1) }),
      ("delete", { try table.delete(1) }),
      ("delete object", { try table.delete(1, 1) }),
      ("deleteAll", { try table.deleteAll() }),
      ("first", { _ = try table.first() }),
      ("last", { _ = try table.last() }),
      ("next", { _ = try table.next(after: 1) }),
      ("previous", { _ = try table.previous(before: 1) }),
      ("withFixedTable", { try table.withFixedTable {} }),
      ("rows", { _ = try table.rows() }),
      ("fold", { _ = try table.fold(0) { $0 + $2 } }),
      ("visit", { try table.visit { _, _ in } }),
      ("select", { _ = try table.select { _, _ in true } }),
      ("select page", { _ = try table.select(limit: 1) { _, _ in true } }),
      ("selectCount", { _ = try table.selectCount { _, _ in true } }),
      ("selectDelete", { try table.selectDelete { _, _ in true } }),
      ("count", { _ = try table.count }),
      ("memory", { _ = try table.memory }),
      ("info", { _ = try table.info }),
      ("rename", { try table.rename(to: "other") }),
      ("giveAway", { try table.giveAway(to: other) }),
      ("setHeir", { try table.setHeir(other) }),
      ("deleteTable", { try table.deleteTable() }),
      ("save", { try table.save(to: NSTemporaryDirectory() + "arbor-never.table") }),
    ]
    if !kind.isBag {
      all += [
        ("update", { try table.update(1) { $0 += 1 } }),
        ("update default", { try table.update(1, default: 0) { $0 += 1 } }),
        ("updateElement", { try table.updateElement(1, \.self, to: 2) }),
        ("updateCounter", { try table.updateCounter(1) }),
        ("updateCounter default", { try table.updateCounter(1, default: 0) }),
        ("updateCounters", { try table.updateCounters(1, [CounterStep(\.self)]) }),
      ]
    }
    if kind != .bag { all.append(("selectReplace", { try table.selectReplace { $1 + 1 } })) }
    return all
  }

  @Test("ETS:bad_table", arguments: Kind.allCases)
  func badTable(kind: Kind) async throws {
    try await withProcess(on: node) { context in
      let (other, _) = context.spawnMonitor { context in _ = try await context.receive(Int.self) }
      let table = try Table<Int, Int>(kind.of(), named: "bad", access: .public)
      try table.insert(1, 1)
      try table.deleteTable()
      // Also when another table, of the same types, has taken the name.
      let again = try Table<Int, Int>(kind.of(), named: "bad", access: .public)
      try again.insert(1, 7)
      for (name, operation) in Self.operations(on: table, kind, other) {
        #expect(throws: TableError.dead("table bad"), "\(name)") { try operation() }
      }
      #expect(!table.isAlive)
      #expect(try again.sortedRows() == ["1:7"] && again.isAlive && again.name == "bad")
      other.sendExit(.kill)
    }
  }

  @Test("ETS:otp_9423", arguments: Kind.allCases)
  func comingAndGoing(kind: Kind) async throws {
    try await withProcess(on: node) { context in
      let me = context.pid
      let isOver = Lock(false)
      let readers = (0..<3).map { _ in
        context.spawnMonitor { _ in
          me.send("ready")
          while !isOver.withLock({ $0 }) {
            do {
              let value = try Table<Int, Int>.named("brief").lookup(1)
              #expect(value == nil)
            } catch TableError.noSuchTable("brief") {
            } catch TableError.dead("table brief") {
            }
          }
        }
      }
      for _ in readers { try await awaitMessage("ready", in: context) }
      for _ in 0..<effort(of: 1000) {
        try Table<Int, Int>(kind.of(), named: "brief", access: .public).deleteTable()
      }
      isOver.withLock { $0 = true }
      for reader in readers {
        let down = try await context.receive(Down.self, where: { $0.ref == reader.ref })
        #expect(down.reason == .normal)
      }
    }
  }

  @Test("ETS:ets_all, massive_ets_all")
  func all() async throws {
    try await withProcess(on: node) { context in
      let workers = (0..<4).map { _ in
        context.spawnMonitor { [node] _ in
          for _ in 0..<effort(of: 100) {
            let table = try Table<Int, Int>()
            #expect(node.tables.contains { $0.id == table.id })
            try table.deleteTable()
            #expect(!node.tables.contains { $0.id == table.id })
          }
        }
      }
      for worker in workers {
        let down = try await context.receive(Down.self, where: { $0.ref == worker.ref })
        #expect(down.reason == .normal)
      }
      #expect(node.tables.isEmpty)
    }
  }

  @Test("ETS:test_delete_table_while_size_snapshot", arguments: Kind.allCases)
  func sizeOfDying(kind: Kind) async throws {
    try await withProcess(on: node) { context in
      let me = context.pid
      for _ in 0..<effort(of: 50) {
        let table = try Table<Int, Int>(kind.of(), access: .public)
        for key in 0..<50 { try table.insert(key, key) }
        let askers = (0..<3).map { _ in
          context.spawnMonitor { _ in
            me.send("asking")
            do {
              // All of it or nothing: the table is emptied after it is dead.
              while true {
                let count = try table.count
                #expect(count == 50 || count == 0)
              }
            } catch TableError.dead {
            }
          }
        }
        for _ in askers { try await awaitMessage("asking", in: context) }
        try table.deleteTable()
        for asker in askers {
          let down = try await context.receive(Down.self, where: { $0.ref == asker.ref })
          #expect(down.reason == .normal)
        }
      }
    }
  }

  @Test("ETS:insert_trap_delete, insert_trap_rename", arguments: Kind.allCases, [false, true])
  func insertIntoDying(kind: Kind, isNew: Bool) async throws {
    try await withProcess(on: node) { context in
      let me = context.pid
      for round in 0..<effort(of: 20) {
        let table = try Table<Int, Int>(kind.of(), named: "trap", access: .public)
        let rows = (0..<500).map { (key: $0, value: round) }
        let (writer, _) = context.spawnMonitor { _ in
          me.send("writing")
          do {
            while true {
              if isNew { try table.insertNew(contentsOf: rows) }
              if !isNew { try table.insert(contentsOf: rows) }
              let count = try table.count
              #expect(count >= 500 || count == 0)
            }
          } catch TableError.dead {
          }
        }
        try await awaitMessage("writing", in: context)
        // Under another name it is the same table.
        try table.rename(to: "trapped")
        #expect(throws: TableError.noSuchTable("trap")) { try Table<Int, Int>.named("trap") }
        try table.deleteTable()
        let down = try await context.receive(Down.self, where: { $0.pid == writer })
        #expect(down.reason == .normal)
        #expect(TableCatalogue.of(node).nameCount == 0 && node.tables.isEmpty)
      }
    }
  }
}
