import Synchronization

// The floors of the table rows: a dictionary behind the standard library's lock.

final class RawTable: Sendable {
  private let rows = Mutex<[Int: Int]>([:])

  init() {
    rows.withLock { rows in
      for key in 0..<Keys.count { rows[key] = key }
    }
  }

  func lookup(_ key: Int) -> Int? { rows.withLock { $0[key] } }
  func insert(_ key: Int, _ value: Int) { rows.withLock { $0[key] = value } }
  func delete(_ key: Int) { rows.withLock { $0[key] = nil } }
  func count(_ key: Int) { rows.withLock { $0[key, default: 0] += 1 } }
}

extension Bench {
  static let rawTables = [
    Bench("raw:lookup", 1_000_000) { try await rawLookups(by: 1, $0) },
    Bench("raw:lookup-2", 1_000_000) { try await rawLookups(by: 2, $0) },
    Bench("raw:insert", 1_000_000) { try await rawInserts(by: 1, $0) },
    Bench("raw:insert-2", 1_000_000) { try await rawInserts(by: 2, $0) },
    Bench("raw:update-counter", 2_000_000) { count in
      try await inPlainTask {
        let table = RawTable()
        let watch = Stopwatch()
        for _ in 0..<count { table.count(1) }
        return watch.perOperation(count)
      }
    },
  ]

  private static func rawLookups(by tasks: Int, _ count: Int) async throws -> Double {
    let table = RawTable()
    return try await rawTogether(tasks, count) { index, share in
      var key = Keys.start(index)
      for _ in 0..<share {
        guard table.lookup(key) == key else { throw WrongAnswer("no row \(key)") }
        key = Keys.next(after: key)
      }
    }
  }

  private static func rawInserts(by tasks: Int, _ count: Int) async throws -> Double {
    let table = RawTable()
    return try await rawTogether(tasks, count) { index, share in
      var key = Keys.start(index)
      for number in 0..<share {
        table.insert(key, number)
        key = Keys.next(after: key)
      }
    }
  }

  static func rawTogether(
    _ tasks: Int, _ count: Int,
    _ work: @escaping @Sendable (_ index: Int, _ share: Int) throws -> Void
  ) async throws -> Double {
    try await inPlainTask {
      let watch = Stopwatch()
      try await withThrowingTaskGroup { group in
        for index in 0..<tasks { group.addTask { try work(index, count / tasks) } }
        try await group.waitForAll()
      }
      return watch.perOperation(count)
    }
  }
}
