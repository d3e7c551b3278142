import Arbor

// Rows: mix-50-50-0, mix-10-10-80, mix-1-1-98, mix-0-0-100, and each with -2 for two processes: of a
// hundred operations so many inserts, deletes and lookups, with keys drawn at random. Half of the
// keys are there, so half of the lookups and deletes find nothing.

struct Mix: Sendable {
  let inserts: Int
  let deletes: Int
  let name: String

  init(_ inserts: Int, _ deletes: Int, _ lookups: Int) {
    (self.inserts, self.deletes) = (inserts, deletes)
    name = "mix-\(inserts)-\(deletes)-\(lookups)"
  }

  static let all = [Mix(50, 50, 0), Mix(10, 10, 80), Mix(1, 1, 98), Mix(0, 0, 100)]

  /// The same draws as the peer's: 28 bits of a linear congruence, of which the upper are used.
  struct Draws {
    private var state: Int
    init(_ index: Int) { state = 12345 + index * 6_700_417 }

    mutating func next(below bound: Int) -> Int {
      state = (state &* 214_013 &+ 2_531_011) & 0xFFF_FFFF
      return (state >> 8) % bound
    }
  }

  @inline(__always)
  func run(
    _ index: Int, _ share: Int, insert: (Int) throws -> Void, delete: (Int) throws -> Void,
    lookup: (Int) throws -> Int?
  ) throws {
    var draws = Draws(index)
    var found = 0
    for _ in 0..<share {
      let key = draws.next(below: Keys.count)
      let choice = draws.next(below: 100)
      if choice < inserts {
        try insert(key)
      } else if choice < inserts + deletes {
        try delete(key)
      } else if try lookup(key) != nil {
        found += 1
      }
    }
    let lookups = 100 - inserts - deletes
    guard lookups == 0 || found > share * lookups / 400 else { throw WrongAnswer("no rows found") }
  }
}

extension Bench {
  static let mixes = Mix.all.flatMap { mix in
    [1, 2].map { processes in
      Bench(mix.name + (processes == 2 ? "-2" : ""), 1_000_000) { count in
        try await inProcess { context in
          let table = try Table<Int, Int>(.set, access: .public)
          for key in stride(from: 0, to: Keys.count, by: 2) { try table.insert(key, key) }
          return try await together(processes, count, context) { index, share in
            try mix.run(index, share) {
              try table.insert($0, $0)
            } delete: {
              try table.delete($0)
            } lookup: {
              try table.lookup($0)
            }
          }
        }
      }
    }
  }

  static let rawMixes = Mix.all.flatMap { mix in
    [1, 2].map { tasks in
      Bench("raw:" + mix.name + (tasks == 2 ? "-2" : ""), 1_000_000) { count in
        let table = RawTable()
        for key in stride(from: 1, to: Keys.count, by: 2) { table.delete(key) }
        return try await rawTogether(tasks, count) { index, share in
          try mix.run(index, share) {
            table.insert($0, $0)
          } delete: {
            table.delete($0)
          } lookup: {
            table.lookup($0)
          }
        }
      }
    }
  }
}
