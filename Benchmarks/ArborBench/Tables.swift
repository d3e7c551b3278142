import Arbor

// Rows: lookup, lookup-2, insert, insert-2, update-counter.
//
// The keys are walked with a stride that is prime to their number, so that neighbours in time are
// not neighbours in memory.

enum Keys {
  static let count = 65_536

  static func start(_ index: Int) -> Int { index * (count / 2) }
  static func next(after key: Int) -> Int { (key + 40_503) & (count - 1) }
}

extension Bench {
  static let tables = [
    Bench("lookup", 1_000_000) { try await lookups(by: 1, $0) },
    Bench("lookup-2", 1_000_000) { try await lookups(by: 2, $0) },
    Bench("insert", 1_000_000) { try await inserts(by: 1, $0) },
    Bench("insert-2", 1_000_000) { try await inserts(by: 2, $0) },
    Bench("update-counter", 2_000_000) { count in
      try await inProcess { _ in
        let table = try filled()
        let watch = Stopwatch()
        for _ in 0..<count { try table.updateCounter(1) }
        let figure = watch.perOperation(count)
        guard try table.lookup(1) == 1 + count else { throw WrongAnswer("a count was lost") }
        return figure
      }
    },
  ]

  private static func lookups(by processes: Int, _ count: Int) async throws -> Double {
    try await inProcess { context in
      let table = try filled()
      return try await together(processes, count, context) { index, share in
        var key = Keys.start(index)
        for _ in 0..<share {
          guard try table.lookup(key) == key else { throw WrongAnswer("no row \(key)") }
          key = Keys.next(after: key)
        }
      }
    }
  }

  private static func inserts(by processes: Int, _ count: Int) async throws -> Double {
    try await inProcess { context in
      let table = try filled()
      return try await together(processes, count, context) { index, share in
        var key = Keys.start(index)
        for number in 0..<share {
          try table.insert(key, number)
          key = Keys.next(after: key)
        }
      }
    }
  }

  /// The table dies with the round's process.
  private static func filled() throws -> Table<Int, Int> {
    let table = try Table<Int, Int>(.set, access: .public)
    for key in 0..<Keys.count { try table.insert(key, key) }
    return table
  }
}
