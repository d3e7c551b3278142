import ArborProcesses
import ArborTables
import Testing

/// Several values under one key, and what tells the kinds apart.
@Suite struct BagTests {
  let node = Node(workers: 2)

  @Test("ETS:lookup_order, in every order of insertions and deletions", arguments: Kind.bags)
  func lookupOrder(kind: Kind) async throws {
    try await withProcess(on: node) { _ in
      func check(_ first: Int, _ second: [Int], _ third: [Int]) throws {
        let table = try Table<String, Int>(kind.of())
        var model: [Int] = []
        func insert(_ value: Int) throws {
          try table.insert("key", value)
          if kind == .duplicateBag || !model.contains(value) { model.append(value) }
          #expect(try table.lookupAll("key") == model && table.count == model.count)
        }
        func delete(_ value: Int) throws {
          try table.delete("key", value)
          model.removeAll { $0 == value }
          #expect(try table.lookupAll("key") == model && table.count == model.count)
        }
        for value in 1...3 { try insert(value) }
        try delete(first)
        for _ in 0..<2 { try insert(first) }
        for value in second { try delete(value) }
        try insert(second[0])
        for value in third { try delete(value) }
        let isNew = try table.insertNew("key", third[1])
        #expect(isNew == model.isEmpty)
        #expect(try table.lookupAll("key") == (isNew ? [third[1]] : model))
        try table.deleteTable()
      }
      let pairs = [[1, 2], [2, 1], [1, 3], [3, 1], [2, 3], [3, 2]]
      for first in 1...3 {
        for second in pairs { for third in pairs { try check(first, second, third) } }
      }
    }
  }

  @Test("ETS:setbag, lookup_element_mult", arguments: Kind.allCases)
  func setOrBag(kind: Kind) async throws {
    struct Host: Sendable, Equatable {
      var name: String
      var port: Int
    }
    try await withProcess(on: node) { _ in
      let table = try Table<String, Host>(kind.of())
      for port in [80, 443, 8080] { try table.insert("web", Host(name: "a", port: port)) }
      try table.insert("mail", Host(name: "b", port: 25))
      #expect(try table.lookupAll("web").map(\.port) == (kind.isBag ? [80, 443, 8080] : [8080]))
      #expect(try table.lookup("mail")?.port == 25)
      #expect(try table.lookup("news")?.port == nil)
      #expect(try table.lookupAll("news").map(\.port) == [])
    }
  }

  @Test("ETS:dups")
  func duplicates() async throws {
    try await withProcess(on: node) { _ in
      let table = try Table<Int, [Int]>(.duplicateBag)
      try table.insert(contentsOf: [(1, [2]), (1, [2])])
      #expect(try table.rows().count == 2)
      try table.delete(1)
      #expect(try table.lookupAll(1) == [])
      try table.insert(contentsOf: [[2, 2], [2, 4], [2, 2], [2, 2], [2, 4]].map { (1, $0) })
      #expect(try table.rows().count == 5)
      #expect(try table.selectCount { _, value in value[0] == value[1] } == 3)
      #expect(try table.selectDelete { _, value in value[0] == value[1] } == 3)
      #expect(try table.lookupAll(1) == [[2, 4], [2, 4]])
    }
  }

  @Test("ETS:t_insert_new, on a full table", arguments: Kind.allCases)
  func insertNew(kind: Kind) async throws {
    try await withProcess(on: node) { _ in
      let table = try Table<Int, String>(kind.of())
      for key in 1...1000 { try table.insert(key, "\(key)") }
      func isNew(_ keys: Int...) throws -> Bool {
        try table.insertNew(contentsOf: keys.map { ($0, "\($0)") })
      }
      #expect(try !table.insertNew(2, "2"))
      #expect(try table.insertNew(2002, "2002") && !table.insertNew(2002, "2002"))
      try table.insert(2002, "2002")
      let duplicates = kind == .duplicateBag ? 1 : 0
      #expect(try !isNew(2002) && !isNew(2002, 2003) && !isNew(2001, 2002, 2003))
      #expect(try !isNew(2001, 2002))
      #expect(try table.count == 1001 + duplicates)
      #expect(try isNew(2001, 2003))
      #expect(try !isNew(2001) && !isNew(2002) && !isNew(2003))
      #expect(try isNew(2004) && isNew(2000) && isNew(2005, 2006, 2007))
      try table.insert(2004, "2004-2")
      #expect(try !table.insertNew(2004, "2004-3"))
      #expect(try table.count == 1008 + duplicates + (kind.isBag ? 1 : 0))
      let rows = try table.rows()
      try table.deleteAll()
      #expect(try table.insertNew(contentsOf: rows) && !table.insertNew(contentsOf: rows))
      #expect(try table.count == rows.count)
    }
  }

  @Test("a bag compares its values by their own ==, a set its keys")
  func ownEquality() async throws {
    struct Loose: Hashable, Sendable {
      var number: Int
      var note: String
      static func == (left: Loose, right: Loose) -> Bool { left.number == right.number }
      func hash(into hasher: inout Hasher) { hasher.combine(number) }
    }
    try await withProcess(on: node) { _ in
      let bag = try Table<Int, Loose>(.bag)
      try bag.insert(1, Loose(number: 1, note: "first"))
      try bag.insert(1, Loose(number: 1, note: "second"))
      #expect(try bag.lookupAll(1).map(\.note) == ["first"])
      try bag.delete(1, Loose(number: 1, note: "any"))
      #expect(try bag.count == 0)
      let set = try Table<Loose, Int>(.set)
      try set.insert(Loose(number: 1, note: "first"), 1)
      try set.insert(Loose(number: 1, note: "second"), 2)
      #expect(try set.count == 1 && set.lookup(Loose(number: 1, note: "")) == 2)
    }
  }
}
