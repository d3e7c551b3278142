import ArborPrimitives
import ArborProcesses
import ArborTables
import ArborTestKit
import Testing

/// The order of keys, pages of it, and what all kinds have in common.
@Suite struct OrderTests {
  let node = Node(workers: 2)

  @Test("ETS:ordered, foldl_ordered, t_select_replace_next_bug")
  func ordered() async throws {
    try await withProcess(on: node) { _ in
      let table = try Table<Int, String>(.orderedSet)
      let keys = [25, 26, 27, 28, 5, 6, 7, 8, 21, 22, 9, 10, 11, 12, 1, 2, 3, 4, 17, 18, 1 << 33]
      for key in keys { try table.insert(key, "\(key)") }
      let sorted = keys.sorted()
      #expect(try table.rows().map(\.key) == sorted)
      #expect(try table.fold([]) { keys, key, _ in keys + [key] } == sorted)
      #expect(try table.previous(before: 28) == 27 && table.previous(before: 1 << 33) == 28)
      #expect(try table.next(after: 1 << 33) == nil && table.previous(before: 1) == nil)
      #expect(try table.next(after: 0) == 1 && table.next(after: 12) == 17)
      #expect(try table.selectReplace { key, _ in key == 2 ? "new" : nil } == 1)
      #expect(try table.next(after: 1) == 2 && table.lookup(2) == "new")
    }
  }

  @Test("an order other than that of == decides which keys are one")
  func ownOrder() async throws {
    struct Caseless: Hashable, Comparable, Sendable {
      let text: String
      static func < (left: Caseless, right: Caseless) -> Bool {
        left.text.lowercased() < right.text.lowercased()
      }
    }
    try await withProcess(on: node) { _ in
      let table = try Table<Caseless, Int>(.orderedSet)
      try table.insert(Caseless(text: "Key"), 1)
      try table.insert(Caseless(text: "kEY"), 2)
      #expect(try table.count == 1 && table.lookup(Caseless(text: "KEY")) == 2)
      #expect(try table.first()?.text == "kEY")
    }
  }

  /// One history of operations gives the same answers in a set and in an ordered set.
  @Test("ETS:interface_equality, member, empty", arguments: 0..<10)
  func sets(seed: UInt64) async throws {
    try await withProcess(on: node) { _ in
      let set = try Table<Int, Int>(.set)
      let ordered = try Table<Int, Int>(.orderedSet)
      #expect(try !set.contains(1) && !ordered.contains(1))
      var random = SeededGenerator(seed: seed)
      func below(_ bound: Int) -> Int { Int(random.next() % UInt64(bound)) }
      func same<Result: Equatable>(
        _ operation: (Table<Int, Int>) throws -> Result
      ) throws {
        #expect(try operation(set) == operation(ordered))
      }
      for step in 0..<300 {
        let (key, other) = (below(40), below(40))
        switch below(14) {
        case 0: try same { try $0.insertNew(key, step) }
        case 1: try same { try $0.insertNew(contentsOf: [(key, step), (other, step)]) }
        case 2: try same { try $0.take(key) }
        case 3: try same { try $0.lookupAll(key) }
        case 4: try same { try $0.contains(key) }
        case 5: try same { try $0.update(key) { $0 += 1 } == nil }
        case 6: try same { try $0.updateCounter(key, default: 0) }
        case 7: try same { try $0.updateElement(key, \.self, to: step) }
        case 8: try same { try $0.selectCount { _, value in value % 3 == 0 } }
        case 9: try same { try $0.selectReplace { $0 == key ? $1 + 1 : nil } }
        case 10: try same { try $0.selectDelete { key, _ in key == other } }
        case 11:
          try same { table -> Int in
            try table.delete(key, step - 1)
            return try table.count
          }
        default:
          for table in [set, ordered] {
            try table.insert(contentsOf: [(key, step), (other, -step)])
          }
        }
        try same { try $0.sortedRows() }
      }
    }
  }

  @Test("a page as large as the table, and the same page asked for again", arguments: Kind.allCases)
  func pageSizes(kind: Kind) async throws {
    try await withProcess(on: node) { _ in
      let table = try Table<Int, Int>(kind.of())
      for key in 0..<12 { try table.insert(key, key) }
      for limit in 1...13 {
        // A continuation is a value: asked twice it gives the same rows, if nothing was changed.
        var page = try table.select(limit: limit) { _, _ in true }
        var met = page.rows.map(\.key)
        var pages = 1
        while let next = page.continuation {
          page = try table.select(next)
          let again = try table.select(next)
          #expect(page.rows.map(\.key) == again.rows.map(\.key))
          met += page.rows.map(\.key)
          pages += 1
          try #require(pages < 20)
        }
        #expect(met.sorted() == Array(0..<12))
        #expect(try met == table.rows().map(\.key))
      }
      // From a plain limit on a page holds what is there, not what was there at its start.
      let page = try table.select(limit: 6) { _, _ in true }
      let next = try #require(page.continuation)
      try table.deleteAll()
      let rest = try table.select(next)
      #expect(rest.rows.isEmpty && rest.continuation == nil)
    }
  }

  @Test("ETS:grow_shrink", arguments: Kind.allCases)
  func growShrink(kind: Kind) async throws {
    try await withProcess(on: node) { _ in
      let table = try Table<Int, Int>(kind.of())
      let empty = try table.memory
      for size in [10, 100, 1000, 10_000] {
        for key in 0..<size { try table.insert(key, key) }
        #expect(try table.count == size)
        for key in 0..<size { #expect(try table.lookup(key) == key) }
        let full = try table.memory
        for key in 0..<size { #expect(try table.take(key) == key) }
        #expect(try table.count == 0 && table.first() == nil)
        #expect(try table.memory - empty <= max((full - empty) / 2, 128 << 10))
      }
    }
  }

  @Test("ETS:match_object and select_delete, on keys of several parts", arguments: Kind.allCases)
  func compoundKeys(kind: Kind) async throws {
    struct Place: Hashable, Comparable, Sendable {
      var row: Int
      var column: Int
      static func < (left: Place, right: Place) -> Bool {
        (left.row, left.column) < (right.row, right.column)
      }
    }
    try await withProcess(on: node) { _ in
      let table = try Table<Place, String>(kind.of())
      for row in 0..<30 {
        for column in 0..<30 { try table.insert(Place(row: row, column: column), "\(row)") }
      }
      #expect(try table.select { key, _ in key.row == 7 }.count == 30)
      #expect(try table.selectDelete { key, _ in key.column == 7 } == 30)
      #expect(try table.selectCount { key, _ in key.row == 7 } == 29)
      #expect(try table.lookup(Place(row: 7, column: 7)) == nil)
      #expect(try table.lookup(Place(row: 7, column: 8)) == "7")
    }
  }
}
