import ArborProcesses
import ArborTables
import Testing

/// Walking through a table while it changes.
@Suite struct FixedTableTests {
  let node = Node(workers: 2)

  /// The keys that a walk from `first` by `next` meets.
  func keys(of table: Table<Int, Int>) throws -> [Int] {
    var keys: [Int] = []
    var key = try table.first()
    while let current = key {
      keys.append(current)
      key = try table.next(after: current)
    }
    return keys
  }

  @Test("ETS:fixtable_next", arguments: Kind.allCases)
  func next(kind: Kind) async throws {
    try await withProcess(on: node) { _ in
      let table = try Table<Int, Int>(kind.of())
      for number in 0..<500 { try table.insert(number, number % 10) }
      try table.withFixedTable {
        let first = try #require(try table.first())
        try table.delete(first)
        let second = try table.next(after: first)
        #expect(second != nil && second != first)
        #expect(try table.first() == second)
        try table.selectDelete { _, _ in true }
        #expect(try table.next(after: first) == nil && table.previous(before: first) == nil)
        #expect(try table.info.isFixed)
      }
      #expect(try !table.info.isFixed)
    }
  }

  @Test("a walk that deletes what it meets meets everything", arguments: Kind.allCases)
  func deletingWalk(kind: Kind) async throws {
    try await withProcess(on: node) { _ in
      let table = try Table<Int, Int>(kind.of())
      for number in 0..<500 { try table.insert(number, number) }
      var met: [Int] = []
      try table.withFixedTable {
        var key = try table.first()
        while let current = key {
          met.append(current)
          try table.delete(current)
          // Behind the walk in any order, and gone again before it could get there.
          try table.insert(current - 1000, 0)
          try table.delete(current - 1000)
          key = try table.next(after: current)
        }
      }
      #expect(met.sorted() == Array(0..<500))
      #expect(try table.count == 0)
      try table.insert(1, 1)
      try table.delete(1)
      if kind == .orderedSet {
        #expect(try table.next(after: 1) == nil)
      } else {
        #expect(throws: TableError.noSuchKey("table #1")) { try table.next(after: 1) }
      }
    }
  }

  @Test("ETS:fixtable_insert", arguments: Kind.allCases)
  func insert(kind: Kind) async throws {
    try await withProcess(on: node) { _ in
      let table = try Table<Int, Int>(kind.of())
      for row in [(1, 1), (1, 2), (2, 1), (2, 2)] { try table.insert(row.0, row.1) }
      try table.withFixedTable {
        try table.delete(2, 1)
        let first = try #require(try table.first())
        let next = try #require(try table.next(after: first))
        #expect(Set([first, next]) == [1, 2])
        for value in [1, 2] {
          try table.delete(next)
          #expect(try table.next(after: first) == nil)
          try table.insert(next, value)
          #expect(try !table.insertNew(next, 1))
          #expect(try table.lookupAll(next) == [value])
          #expect(try keys(of: table) == [first, next])
        }
        try table.delete(first)
        #expect(try keys(of: table) == [next])
        try table.delete(next)
        #expect(try table.next(after: first) == nil && table.first() == nil)
        #expect(try table.insertNew(next, 1))
        #expect(try !table.insertNew(next, 2))
        #expect(try table.next(after: first) == next)
        try table.delete(next)
        #expect(try table.insertNew(contentsOf: [(next, 1)]))
        #expect(try table.lookupAll(next) == [1])
        try table.delete(next)
      }
      #expect(try table.count == 0)
    }
  }

  @Test("ETS:fixtable_iter_bag", arguments: Kind.bags)
  func bagValues(kind: Kind) async throws {
    /// All orders of all parts of the values.
    func orders(_ values: [Int]) -> [[Int]] {
      [[]] + values.flatMap { value in orders(values.filter { $0 != value }).map { [value] + $0 } }
    }
    try await withProcess(on: node) { _ in
      let table = try Table<String, Int>(kind.of())
      try table.withFixedTable {
        var left: [String: [Int]] = [:]
        for size in 1...4 {
          let values = Array(1...size)
          for deleted in orders(values) {
            let key = "\(size) \(deleted)"
            for value in values { try table.insert(key, value) }
            for value in deleted { try table.delete(key, value) }
            let rest = values.filter { !deleted.contains($0) }
            if !rest.isEmpty { left[key] = rest }
          }
        }
        var met: [String: [Int]] = [:]
        var key = try table.first()
        while let current = key {
          #expect(met[current] == nil)
          met[current] = try table.lookupAll(current)
          key = try table.next(after: current)
        }
        #expect(met == left)
        #expect(try table.selectCount { _, _ in true } == left.values.map(\.count).reduce(0, +))
        #expect(try table.count == left.values.map(\.count).reduce(0, +))
      }
    }
  }

  @Test("ETS:otp_7665", arguments: Kind.bags)
  func deleteObject(kind: Kind) async throws {
    try await withProcess(on: node) { _ in
      let table = try Table<Int, Int>(kind.of())
      for deleted in 0...10 {
        try table.insert(contentsOf: (0...10).map { (1, $0) })
        try table.withFixedTable {
          try table.delete(1, deleted)
          #expect(try table.lookupAll(1) == (0...10).filter { $0 != deleted })
          try table.delete(1)
          #expect(try table.lookupAll(1) == [])
        }
      }
      #expect(try table.count == 0)
    }
  }

  @Test("ETS:grow_pseudo_deleted, shrink_pseudo_deleted", arguments: Kind.allCases)
  func pseudoDeleted(kind: Kind) async throws {
    let size = 4000
    try await withProcess(on: node) { _ in
      let table = try Table<Int, Int>(kind.of())
      for key in 0..<size { try table.insert(key, key) }
      let full = try table.memory
      let lasting = Array(stride(from: 0, to: size, by: 8))
      try table.withFixedTable {
        let deleted = try table.selectDelete { key, _ in key % 8 != 0 }
        #expect(deleted == size * 7 / 8)
        #expect(try table.count == lasting.count)
        // It grows over its ghosts, and meets none of them.
        for key in size..<2 * size { try table.insert(key, key) }
        let met = try keys(of: table).sorted()
        #expect(met == lasting + Array(size..<2 * size))
        #expect(try table.count == met.count)
        try table.selectDelete { key, _ in key >= size }
        let left = try keys(of: table).sorted()
        #expect(left == lasting)
      }
      // A few more changes, and what the ghosts took is given back.
      for key in 0..<200 {
        try table.insert(10 * size + key, 0)
        try table.delete(10 * size + key)
      }
      #expect(try table.count == size / 8)
      #expect(try table.memory < full)
    }
  }

  @Test("ETS:safe_fixtable", arguments: Kind.allCases)
  func nested(kind: Kind) async throws {
    struct Stop: Error {}
    try await withProcess(on: node) { context in
      let me = context.pid
      let table = try Table<Int, Int>(kind.of(), access: .public)
      for key in 0..<100 { try table.insert(key, key) }
      // As often as it was fixed it has to be let go, by whatever way one leaves.
      #expect(throws: Stop.self) {
        try table.withFixedTable {
          try table.withFixedTable {}
          #expect(try table.info.isFixed)
          throw Stop()
        }
      }
      #expect(try !table.info.isFixed)
      // By a process that is killed while it waits in there, too.
      let (walker, _) = context.spawnMonitor { walker in
        try await table.withFixedTable {
          try table.delete(0)
          me.send("fixed")
          _ = try await walker.receive(Int.self)
        }
      }
      try await awaitMessage("fixed", in: context)
      #expect(try table.info.isFixed)
      walker.sendExit(.kill)
      _ = try await context.receive(Down.self)
      #expect(try !table.info.isFixed)
      #expect(try table.count == 99)
    }
  }

  @Test("ETS:evil_rename", arguments: Kind.allCases)
  func rename(kind: Kind) async throws {
    try await withProcess(on: node) { context in
      let table = try Table<Int, Int>(kind.of(), named: "old", access: .public)
      for key in 0..<100 { try table.insert(key, key) }
      let walkers = (0..<8).map { _ in
        context.spawnMonitor { _ in
          for _ in 0..<20 {
            let met = try table.withFixedTable { try self.keys(of: table) }
            #expect(met.count == 100)
          }
        }
      }
      for step in 0..<50 { try table.rename(to: "new \(step)") }
      for walker in walkers {
        let down = try await context.receive(Down.self, where: { $0.ref == walker.ref })
        #expect(down.reason == .normal)
      }
      #expect(try !table.info.isFixed)
      #expect(try Table<Int, Int>.named("new 49") == table)
    }
  }

  @Test("a table that is folded may be changed by the folding", arguments: Kind.allCases)
  func foldAndChange(kind: Kind) async throws {
    try await withProcess(on: node) { _ in
      let table = try Table<Int, Int>(kind.of())
      for key in 0..<1000 { try table.insert(key, 1) }
      let sum = try table.fold(0) { sum, key, value in
        // What is ahead and behind: those that stay are met once all the same.
        if key % 2 == 1 { try table.delete(key) }
        if key % 4 == 0, key < 1000 { try table.insert(key + 10_000, 0) }
        return key % 2 == 0 && key < 1000 ? sum + value : sum
      }
      #expect(sum == 500)
      #expect(try table.rows().filter { $0.key < 1000 }.count == 500)
    }
  }
}
