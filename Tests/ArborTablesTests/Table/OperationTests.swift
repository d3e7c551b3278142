import ArborProcesses
import ArborTables
import Testing

/// What the operations on rows do, one after the other, over all kinds.
@Suite struct OperationTests {
  let node = Node(workers: 2)

  /// Runs the body in a process of this test's node.
  func inProcess(_ body: @Sendable (ProcessContext) async throws -> Void) async throws {
    try await withProcess(on: node, body)
    #expect(node.processCount == 0)
  }

  @Test("a row goes in, is found, and goes", arguments: Kind.allCases)
  func basics(kind: Kind) async throws {
    try await inProcess { _ in
      let table = try Table<String, Int>(kind.of())
      #expect(try table.lookup("a") == nil)
      #expect(try table.contains("a") == false)
      try table.insert("a", 1)
      try table.insert("b", 2)
      #expect(try table.lookup("a") == 1 && table.lookup("b") == 2)
      #expect(try table.contains("a"))
      #expect(try table.count == 2)
      try table.delete("a")
      try table.delete("a")
      #expect(try table.lookup("a") == nil && table.lookupAll("a") == [])
      #expect(try table.sortedRows() == ["b:2"])
    }
  }

  @Test("ETS:lookup_order", arguments: Kind.allCases)
  func lookupOrder(kind: Kind) async throws {
    try await inProcess { _ in
      let table = try Table<Int, Int>(kind.of())
      for value in [3, 1, 2, 1] { try table.insert(7, value) }
      try table.insert(contentsOf: [(7, 0), (8, 5), (7, 3)])
      switch kind {
      case .set, .orderedSet: #expect(try table.lookupAll(7) == [3])
      case .bag: #expect(try table.lookupAll(7) == [3, 1, 2, 0])
      case .duplicateBag: #expect(try table.lookupAll(7) == [3, 1, 2, 1, 0, 3])
      }
      #expect(try table.lookup(7) == 3)
      #expect(try table.count == table.lookupAll(7).count + 1)
    }
  }

  @Test("ETS:t_insert_new", arguments: Kind.allCases)
  func insertNew(kind: Kind) async throws {
    try await inProcess { _ in
      let table = try Table<Int, Int>(kind.of())
      #expect(try table.insertNew(1, 10))
      #expect(try !table.insertNew(1, 11))
      #expect(try table.lookupAll(1) == [10])
      // One key that is there, and none of the others goes in.
      #expect(try !table.insertNew(contentsOf: [(2, 20), (3, 30), (1, 12), (4, 40)]))
      #expect(try table.sortedRows() == ["1:10"])
      #expect(try table.insertNew(contentsOf: [(2, 20), (3, 30)]))
      #expect(try table.insertNew(contentsOf: []))
      // A key that is twice in the list is no obstacle to itself.
      #expect(try table.insertNew(contentsOf: [(5, 1), (5, 2), (5, 1)]))
      switch kind {
      case .set, .orderedSet: #expect(try table.lookupAll(5) == [1])
      case .bag: #expect(try table.lookupAll(5) == [1, 2])
      case .duplicateBag: #expect(try table.lookupAll(5) == [1, 2, 1])
      }
      try table.delete(1)
      #expect(try table.insertNew(1, 13))
      #expect(try table.lookup(1) == 13)
    }
  }

  @Test("ETS:t_insert_list", arguments: Kind.allCases)
  func insertList(kind: Kind) async throws {
    try await inProcess { _ in
      let table = try Table<Int, Int>(kind.of())
      let rows = (0..<3000).map { (key: $0, value: $0 * 2) }
      try table.insert(contentsOf: rows)
      #expect(try table.count == 3000)
      try table.insert(contentsOf: rows)
      #expect(try table.count == (kind == .duplicateBag ? 6000 : 3000))
      for row in rows { #expect(try table.lookup(row.key) == row.value) }
      try table.insert(contentsOf: [])
    }
  }

  @Test("ETS:take", arguments: Kind.allCases)
  func take(kind: Kind) async throws {
    try await inProcess { _ in
      let table = try Table<Int, String>(kind.of())
      #expect(try table.take(1) == nil && table.takeAll(1) == [])
      try table.insert(contentsOf: [(1, "a"), (2, "b"), (1, "c"), (1, "a")])
      switch kind {
      case .set, .orderedSet: #expect(try table.takeAll(1) == ["a"])
      case .bag: #expect(try table.takeAll(1) == ["a", "c"])
      case .duplicateBag: #expect(try table.takeAll(1) == ["a", "c", "a"])
      }
      #expect(try table.take(1) == nil)
      #expect(try table.take(2) == "b")
      #expect(try table.count == 0)
    }
  }

  @Test("ETS:t_delete_object", arguments: Kind.allCases)
  func deleteObject(kind: Kind) async throws {
    try await inProcess { _ in
      let table = try Table<Int, String>(kind.of())
      try table.insert(contentsOf: [(1, "a"), (1, "b"), (1, "a"), (2, "a")])
      try table.delete(2, "b")
      try table.delete(3, "a")
      #expect(try table.lookup(2) == "a")
      try table.delete(1, "a")
      #expect(try table.lookupAll(1) == (kind.isBag ? ["b"] : []))
      try table.delete(1, "b")
      #expect(try table.lookupAll(1) == [])
      #expect(try !table.contains(1) && table.count == 1)
    }
  }

  @Test("ETS:t_delete_all_objects", arguments: Kind.allCases)
  func deleteAll(kind: Kind) async throws {
    try await inProcess { _ in
      let table = try Table<Int, Int>(kind.of())
      for number in 0..<4000 { try table.insert(number, number) }
      let full = try table.memory
      try table.deleteAll()
      #expect(try table.count == 0 && table.rows().isEmpty && table.first() == nil)
      #expect(try table.memory < full / 4)
      try table.insert(1, 1)
      #expect(try table.lookup(1) == 1)
      try table.withFixedTable {
        try table.deleteAll()
        #expect(try table.count == 0 && table.next(after: 1) == nil)
        try table.insert(1, 2)
      }
      #expect(try table.lookupAll(1) == [2])
    }
  }

  @Test("ETS:update_element", arguments: Kind.allCases)
  func updateElement(kind: Kind) async throws {
    struct Row: Sendable, Equatable {
      var name: String
      var hits: Int
    }
    try await inProcess { _ in
      let table = try Table<Int, Row>(kind.of())
      try table.insert(1, Row(name: "a", hits: 1))
      guard !kind.isBag else {
        let refusal = TableError.wrongKind("table #1")
        #expect(throws: refusal) { try table.updateElement(1, \.name, to: "b") }
        #expect(throws: refusal) { try table.update(1) { $0.hits = 2 } }
        #expect(try table.lookup(1) == Row(name: "a", hits: 1))
        return
      }
      #expect(try table.updateElement(1, \.name, to: "b"))
      #expect(try !table.updateElement(2, \.name, to: "b"))
      let hits = try table.update(1) { row in
        row.hits += 4
        return row.hits
      }
      #expect(hits == 5)
      #expect(try table.lookup(1) == Row(name: "b", hits: 5))
      struct Failure: Error {}
      #expect(throws: Failure.self) {
        try table.update(1) { row in
          row.hits = 0
          throw Failure()
        }
      }
      #expect(try table.lookup(1) == Row(name: "b", hits: 5))
      try table.update(3, default: Row(name: "new", hits: 0)) { $0.hits += 1 }
      #expect(try table.lookup(3) == Row(name: "new", hits: 1))
    }
  }

  @Test("ETS:update_counter", arguments: Kind.allCases)
  func updateCounter(kind: Kind) async throws {
    try await inProcess { _ in
      let table = try Table<String, Int>(kind.of())
      try table.insert("a", 10)
      guard !kind.isBag else {
        #expect(throws: TableError.wrongKind("table #1")) { try table.updateCounter("a") }
        #expect(throws: TableError.wrongKind("table #1")) {
          try table.updateCounter("b", default: 1)
        }
        return
      }
      #expect(try table.updateCounter("a") == 11)
      #expect(try table.updateCounter("a", by: -20) == -9)
      #expect(try table.lookup("a") == -9)
      // Up: above the threshold it becomes the reset value, at it it stays.
      let up = CounterLimit(threshold: 0, reset: -100)
      #expect(try table.updateCounter("a", by: 9, limit: up) == 0)
      #expect(try table.updateCounter("a", by: 1, limit: up) == -100)
      let down = CounterLimit(threshold: -101, reset: 7)
      #expect(try table.updateCounter("a", by: -1, limit: down) == -101)
      #expect(try table.updateCounter("a", by: -1, limit: down) == 7)
      #expect(throws: TableError.noSuchKey("table #1")) { try table.updateCounter("b") }
      #expect(try !table.contains("b"))
      #expect(try table.updateCounter("b", by: 3, default: 5) == 8)
      #expect(try table.updateCounter("b", by: 3, default: 5) == 11)
      try table.insert("c", .max)
      #expect(throws: TableError.overflow("table #1")) { try table.updateCounter("c") }
      #expect(throws: TableError.overflow("table #1")) {
        try table.updateCounter("d", by: 1, default: .max)
      }
      #expect(try table.lookup("c") == .max && table.lookup("d") == nil)
    }
  }

  @Test("ETS:update_counter, several at once", arguments: Kind.sets)
  func updateCounters(kind: Kind) async throws {
    struct Row: Sendable, Equatable {
      var hits = 0
      var bytes = 0
    }
    try await inProcess { _ in
      let table = try Table<Int, Row>(kind.of())
      try table.insert(1, Row(hits: 10, bytes: 20))
      let sums = try table.updateCounters(
        1,
        [
          CounterStep(\.hits, by: -15, limit: CounterLimit(threshold: -3, reset: 100)),
          CounterStep(\.bytes), CounterStep(\.bytes, by: 0), CounterStep(\.bytes),
        ])
      #expect(sums == [100, 21, 21, 22])
      #expect(try table.lookup(1) == Row(hits: 100, bytes: 22))
      // The second fails: the first has no effect.
      #expect(throws: TableError.overflow("table #1")) {
        try table.updateCounters(1, [CounterStep(\.hits), CounterStep(\.bytes, by: .max)])
      }
      #expect(try table.lookup(1) == Row(hits: 100, bytes: 22))
      #expect(throws: TableError.noSuchKey("table #1")) {
        try table.updateCounters(2, [CounterStep(\.hits)])
      }
      #expect(try table.updateCounters(2, [CounterStep(\.hits)], default: Row()) == [1])
      #expect(try table.updateCounters(2, [CounterStep(\.hits)], default: Row()) == [2])
    }
  }

  @Test("ETS:firstnext", arguments: Kind.allCases)
  func firstNext(kind: Kind) async throws {
    try await inProcess { _ in
      let table = try Table<Int, Int>(kind.of())
      #expect(try table.first() == nil && table.last() == nil)
      for number in 0..<300 { try table.insert(number * 3 % 300, number) }
      var keys: [Int] = []
      var key = try table.first()
      while let current = key {
        keys.append(current)
        key = try table.next(after: current)
      }
      #expect(keys.sorted() == Set(try table.rows().map(\.key)).sorted())
      #expect(keys == (try table.rows().map(\.key)).uniqued())
      var backwards: [Int] = []
      key = try table.last()
      while let current = key {
        backwards.append(current)
        key = try table.previous(before: current)
      }
      #expect(backwards == keys.reversed())
      if kind == .orderedSet {
        #expect(keys == keys.sorted())
        #expect(try table.next(after: -5) == 0 && table.previous(before: -5) == nil)
        #expect(try table.next(after: 1000) == nil && table.previous(before: 1000) == 297)
      } else {
        #expect(throws: TableError.noSuchKey("table #1")) { try table.next(after: -5) }
        #expect(throws: TableError.noSuchKey("table #1")) { try table.previous(before: -5) }
      }
    }
  }

  @Test("ETS:foldl, tab2list, t_select", arguments: Kind.allCases)
  func select(kind: Kind) async throws {
    try await inProcess { _ in
      let table = try Table<Int, Int>(kind.of())
      for number in 0..<1000 { try table.insert(number, number % 10) }
      #expect(try table.fold(0) { $0 + $2 } == 4500)
      #expect(try table.rows().map(\.key).sorted() == Array(0..<1000))
      let selected = try table.select { key, value in value == 3 && key < 100 }
      #expect(selected.map(\.key).sorted() == [3, 13, 23, 33, 43, 53, 63, 73, 83, 93])
      #expect(try table.selectCount { _, value in value < 5 } == 500)
      if kind == .orderedSet { #expect(try table.rows().map(\.key) == Array(0..<1000)) }
      struct Stop: Error {}
      #expect(throws: Stop.self) { try table.visit { _, _ in throw Stop() } }
      #expect(try table.info.isFixed == false)
    }
  }

  @Test("ETS:t_select_delete", arguments: Kind.allCases)
  func selectDelete(kind: Kind) async throws {
    try await inProcess { _ in
      let table = try Table<Int, Int>(kind.of())
      for number in 0..<1000 { try table.insert(number / 2, number % 2) }
      let all = try table.count
      let victim = kind.isBag ? 0 : 1
      let deleted = try table.selectDelete { key, value in key % 2 == 0 && value == victim }
      #expect(deleted == 250)
      #expect(try table.count == all - 250)
      #expect(try table.lookupAll(2) == (kind.isBag ? [1] : []))
      #expect(try table.lookupAll(3) == (kind.isBag ? [0, 1] : [1]))
      #expect(try table.selectDelete { _, _ in true } == all - 250)
      #expect(try table.count == 0 && table.rows().isEmpty)
    }
  }

  @Test("ETS:t_select_replace", arguments: Kind.allCases)
  func selectReplace(kind: Kind) async throws {
    try await inProcess { _ in
      let table = try Table<Int, Int>(kind.of())
      for number in 0..<100 { try table.insert(number, number) }
      try table.insert(0, 50)
      guard kind != .bag else {
        #expect(throws: TableError.wrongKind("table #1")) { try table.selectReplace { _, _ in 0 } }
        return
      }
      let replaced = try table.selectReplace { _, value in value >= 50 ? value + 1000 : nil }
      #expect(replaced == 51)
      #expect(try table.lookup(99) == 1099 && table.lookup(49) == 49)
      #expect(try table.lookupAll(0) == (kind == .duplicateBag ? [0, 1050] : [1050]))
    }
  }

  @Test("pages of a selection", arguments: Kind.allCases, [1, 3, 7, 1000])
  func pages(kind: Kind, limit: Int) async throws {
    try await inProcess { _ in
      let table = try Table<Int, Int>(kind.of())
      for number in 0..<50 { for value in 0..<5 { try table.insert(number, value) } }
      let wanted = try table.select { _, value in value > 1 }
      var page = try table.select(limit: limit) { _, value in value > 1 }
      var met = page.rows
      while let next = page.continuation {
        #expect(page.rows.count == limit)
        page = try table.select(next)
        met += page.rows
      }
      #expect(met.map { "\($0)" } == wanted.map { "\($0)" })
      let empty = try table.select(limit: limit) { _, _ in false }
      #expect(empty.rows.isEmpty && empty.continuation == nil)
    }
  }

  @Test("ETS:t_bucket_disappears", arguments: Kind.allCases)
  func bucketDisappears(kind: Kind) async throws {
    try await inProcess { _ in
      let table = try Table<Int, Int>(kind.of())
      for number in 1...3 { try table.insert(number, number) }
      let page = try table.select(limit: 1) { _, _ in true }
      let next = try #require(page.continuation)
      let second = try table.select(next).rows[0]
      try table.delete(second.key)
      let rest = try table.select(next)
      #expect(rest.rows.count == 1)
      #expect(Set([page.rows[0].key, second.key, rest.rows[0].key]) == [1, 2, 3])
    }
  }

  @Test("ETS:t_named_select", arguments: Kind.allCases)
  func namedSelect(kind: Kind) async throws {
    try await inProcess { _ in
      let first = try Table<Int, Int>(kind.of(), named: "select")
      for number in 1...3 { try first.insert(number, 22) }
      let page = try first.select(limit: 1) { _, _ in true }
      let lost = try #require(page.continuation)
      try first.deleteTable()
      #expect(throws: TableError.dead("table select")) { try first.select(lost) }
      let second = try Table<Int, Int>(kind.of(), named: "select")
      #expect(throws: TableError.dead("table select")) { try second.select(lost) }
      for number in [1, 2, 4] { try second.insert(number, 22) }
      let start = try second.select(limit: 2) { _, _ in true }
      try second.rename(to: "other")
      let next = try #require(start.continuation)
      let rest = try second.select(next)
      #expect((start.rows + rest.rows).map(\.key).reduce(0, +) == 7 && rest.continuation == nil)
    }
  }
}

extension Array where Element: Equatable {
  /// Without repetitions that stand side by side.
  func uniqued() -> [Element] {
    reduce(into: []) { if $0.last != $1 { $0.append($1) } }
  }
}
