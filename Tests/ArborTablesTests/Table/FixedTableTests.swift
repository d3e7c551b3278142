import ArborProcesses
import ArborTables
import Testing

/// Walking through a table while it changes.
@Suite struct FixedTableTests {
  let node = Node(workers: 2)

  @Test("ETS:fixtable_next")
  func next() async throws {
    try await withProcess(on: node) { _ in
      let table = try Table<Int, Int>()
      for number in 0..<500 { try table.insert(number, number) }
      var met: [Int] = []
      try table.withFixedTable {
        var key = try table.first()
        while let current = key {
          met.append(current)
          try table.delete(current)
          try table.insert(current + 1000, 0)
          try table.delete(current + 1000)
          key = try table.next(after: current)
        }
      }
      #expect(met.sorted() == Array(0..<500))
      #expect(try table.count == 0)
      try table.insert(1, 1)
      try table.delete(1)
      #expect(throws: TableError.noSuchKey("table #1")) { try table.next(after: 1) }
    }
  }
}
