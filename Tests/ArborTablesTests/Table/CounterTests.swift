import ArborPrimitives
import ArborProcesses
import ArborTables
import ArborTestKit
import Testing

/// Counters of rows, against what they should do.
@Suite struct CounterTests {
  let node = Node(workers: 2)

  struct Row: Sendable, Equatable {
    var parts = [0, 0, 0, 0]
    var first: Int {
      get { parts[0] }
      set { parts[0] = newValue }
    }
    var second: Int {
      get { parts[1] }
      set { parts[1] = newValue }
    }
    var third: Int {
      get { parts[2] }
      set { parts[2] = newValue }
    }
    var fourth: Int {
      get { parts[3] }
      set { parts[3] = newValue }
    }
  }

  @Test("ETS:update_counter, against a model, also in a fixed table", arguments: Kind.sets, 0..<10)
  func model(kind: Kind, seed: UInt64) async throws {
    try await withProcess(on: node) { _ in
      let table = try Table<String, Row>(kind.of())
      var random = SeededGenerator(seed: seed)
      func below(_ bound: Int) -> Int { Int(random.next() % UInt64(bound)) }
      let paths: [any WritableKeyPath<Row, Int> & Sendable] = [
        \.first, \.second, \.third, \.fourth,
      ]
      var model = Row()
      try table.insert("row", model)
      func round() throws {
        var steps: [CounterStep<Row>] = []
        var wanted: [Int] = []
        for _ in 0..<1 + below(5) {
          let part = below(4)
          let step = below(2001) - 1000
          let limit = below(2) == 0 ? nil : CounterLimit(threshold: below(900) - 450, reset: 7)
          steps.append(CounterStep(paths[part], by: step, limit: limit))
          var sum = model.parts[part] + step
          if let limit, step < 0 ? sum < limit.threshold : sum > limit.threshold {
            sum = limit.reset
          }
          model.parts[part] = sum
          wanted.append(sum)
        }
        let before = try table.lookup("row")!
        #expect(try table.updateCounters("row", steps) == wanted)
        #expect(try table.lookup("row") == model)
        // The same from a default, under another key, which is a ghost from the second round on.
        #expect(try table.updateCounters("other", steps, default: before) == wanted)
        #expect(try table.lookup("other") == model && table.count == 2)
        try table.delete("other")
      }
      for _ in 0..<100 { try round() }
      try table.withFixedTable { for _ in 0..<100 { try round() } }
      #expect(try table.count == 1)
    }
  }

  @Test("a step of 0 counts as one up", arguments: Kind.sets)
  func zero(kind: Kind) async throws {
    try await withProcess(on: node) { _ in
      let table = try Table<Int, Int>(kind.of())
      try table.insert(1, 50)
      #expect(try table.updateCounter(1, by: 0) == 50)
      let limit = CounterLimit(threshold: 10, reset: 3)
      #expect(try table.updateCounter(1, by: 0, limit: limit) == 3)
      #expect(try table.updateCounter(1, by: 0, limit: limit) == 3)
    }
  }

  @Test("ETS:update_counter_with_default", arguments: Kind.sets)
  func withDefault(kind: Kind) async throws {
    try await withProcess(on: node) { _ in
      let table = try Table<String, Int>(kind.of())
      for key in ["foo", "foo bar"] {
        #expect(try table.updateCounter(key, by: 2, default: 1) == 3)
        #expect(try table.updateCounter(key, by: 2, default: 100) == 5)
      }
      #expect(try table.count == 2)
      #expect(throws: TableError.overflow("table #1")) {
        try table.updateCounter("qux", by: .max, default: 1)
      }
      #expect(try table.count == 2 && !table.contains("qux"))
    }
  }

  @Test("ETS:update_counter_table_growth", arguments: Kind.sets)
  func growth(kind: Kind) async throws {
    try await withProcess(on: node) { _ in
      let table = try Table<Int, Int>(kind.of())
      for key in 1...5000 { #expect(try table.updateCounter(key, default: 0) == 1) }
      #expect(try table.count == 5000)
      #expect(try table.fold(0) { $0 + $2 } == 5000)
    }
  }

  @Test("a counter of one byte stays in its byte", arguments: Kind.sets)
  func narrow(kind: Kind) async throws {
    try await withProcess(on: node) { _ in
      let table = try Table<Int, UInt8>(kind.of())
      try table.insert(1, 250)
      let ring = CounterLimit<UInt8>(threshold: 254, reset: 0)
      #expect(try table.updateCounter(1, by: 4, limit: ring) == 254)
      #expect(try table.updateCounter(1, by: 1, limit: ring) == 0)
      try table.insert(1, 255)
      #expect(throws: TableError.overflow("table #1")) { try table.updateCounter(1) }
      #expect(try table.lookup(1) == 255)
      // With a limit, what does not fit is beyond it.
      #expect(try table.updateCounter(1, by: 10, limit: ring) == 0)
    }
  }
}
