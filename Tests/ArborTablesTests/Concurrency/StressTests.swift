import ArborPrimitives
import ArborProcesses
import ArborTables
import ArborTestKit
import Testing

/// Many processes on one table: nothing is lost, nothing is met twice, nothing is left behind.
@Suite struct StressTests {
  // A long grace: on a busy machine a killed process must not become a zombie that still writes.
  let node = Node(workers: 4, exitGrace: .seconds(600))

  /// Runs the bodies, each in a process of its own, and waits until all have ended well.
  func together(
    _ context: ProcessContext, _ count: Int, _ body: @escaping @Sendable (Int) throws -> Void
  ) async throws {
    var refs: Set<MonitorRef> = []
    for number in 0..<count { refs.insert(context.spawnMonitor { _ in try body(number) }.ref) }
    while !refs.isEmpty {
      let down = try await context.receive(Down.self)
      refs.remove(down.ref)
      #expect(down.reason == .normal)
    }
  }

  @Test("ETS:smp_insert", arguments: Kind.allCases)
  func insert(kind: Kind) async throws {
    try await withProcess(on: node) { context in
      let table = try Table<Int, Int>(kind.of(), access: .public)
      try await together(context, 4) { number in
        for step in 0..<effort(of: 2500) { try table.insert(step * 4 + number, step) }
      }
      #expect(try table.count == 4 * effort(of: 2500))
      for key in 0..<4 * effort(of: 2500) { #expect(try table.lookupAll(key) == [key / 4]) }
    }
  }

  @Test("no update is lost", arguments: Kind.sets)
  func updates(kind: Kind) async throws {
    try await withProcess(on: node) { context in
      let table = try Table<Int, Int>(kind.of(), access: .public)
      try await together(context, 4) { number in
        for step in 0..<effort(of: 1000) {
          try table.updateCounter(step % 3, default: 0)
          try table.update(step % 3, default: 0) { $0 += 1 }
        }
      }
      #expect(try table.fold(0) { $0 + $2 } == 8 * effort(of: 1000))
    }
  }

  @Test("ETS:smp_fixed_delete", arguments: Kind.allCases)
  func fixedDelete(kind: Kind) async throws {
    let share = effort(of: 2000)
    try await withProcess(on: node) { context in
      let table = try Table<Int, Int>(kind.of(), access: .public)
      for key in 0..<4 * share { try table.insert(key, key) }
      try await table.withFixedTable {
        try await together(context, 4) { number in
          for key in number * share..<number * share + share { try table.delete(key) }
        }
        #expect(try table.count == 0)
        #expect(try table.first() == nil)
      }
      #expect(try table.info.isFixed == false)
      let empty = try Table<Int, Int>(kind.of())
      for key in 0..<100 { try table.insert(key, key) }
      for key in 0..<100 { try empty.insert(key, key) }
      // The ghosts are gone: the table is as small as one that never had them.
      for key in 100..<4 * share { try table.insert(key, key) }
      for key in 100..<4 * share { try empty.insert(key, key) }
      #expect(try table.memory <= 2 * empty.memory)
    }
  }

  @Test("ETS:smp_unfix_fix, delete_unfix_race", arguments: Kind.allCases)
  func unfixFix(kind: Kind) async throws {
    try await withProcess(on: node) { context in
      let table = try Table<Int, Int>(kind.of(), access: .public)
      for key in 0..<1000 { try table.insert(key, 0) }
      try await together(context, 4) { number in
        switch number {
        case 0, 1:
          // Even keys stay, so each walk meets all of them once.
          for _ in 0..<effort(of: 40) {
            var met: [Int] = []
            try table.withFixedTable {
              var key = try table.first()
              while let current = key {
                met.append(current)
                key = try table.next(after: current)
              }
            }
            let lasting = met.filter { $0 % 2 == 0 && $0 < 1000 }.sorted()
            #expect(lasting == Array(stride(from: 0, to: 1000, by: 2)))
          }
        default:
          for step in 0..<effort(of: 5000) {
            let key = (step * 7 + number) % 500 * 2 + 1
            if step % 3 == 0 { try table.insert(key, step) } else { try table.delete(key) }
            if step % 11 == 0 { try table.insert(10_000 + step, 0) }
          }
        }
      }
      #expect(try table.info.isFixed == false)
    }
  }

  @Test("every lasting key is met exactly once, whatever is written", arguments: Kind.allCases)
  func traversals(kind: Kind) async throws {
    try await withProcess(on: node) { context in
      let table = try Table<Int, Int>(kind.of(), access: .public)
      let lasting = Array(stride(from: 0, to: 2000, by: 2))
      for key in lasting { try table.insert(key, 0) }
      try await together(context, 3) { number in
        if number == 0 {
          for _ in 0..<effort(of: 30) {
            var met: [Int] = []
            try table.visit { key, value in if key % 2 == 0 && value == 0 { met.append(key) } }
            #expect(met.sorted() == lasting)
            var page = try table.select(limit: 17) { key, value in key % 2 == 0 && value == 0 }
            met = page.rows.map(\.key)
            while let next = page.continuation {
              page = try table.select(next)
              met += page.rows.map(\.key)
            }
            #expect(met.sorted() == lasting)
          }
        } else {
          for step in 0..<effort(of: 8000) {
            let key = (step &* 31 + number) % 3000 * 2 + 1
            if step % 2 == 0 { try table.insert(key, step) } else { try table.delete(key) }
            if kind.isBag {
              try table.insert(key - 1, 7)
              try table.delete(key - 1, 7)
            }
          }
        }
      }
    }
  }

  @Test("ETS:smp_select_delete", arguments: Kind.allCases)
  func selectDelete(kind: Kind) async throws {
    let size = effort(of: 4000)
    try await withProcess(on: node) { context in
      let table = try Table<Int, Int>(kind.of(), access: .public)
      let deleted = Lock(0)
      for key in 0..<size { try table.insert(key, 0) }
      try await together(context, 4) { number in
        for round in 0..<5 {
          for key in stride(from: number, to: size, by: 4) { try table.delete(key) }
          for key in stride(from: number, to: size, by: 4) { try table.insert(key, round) }
          let count = try table.selectDelete { key, _ in key % 7 == number }
          deleted.withLock { $0 += count }
        }
      }
      _ = try table.selectDelete { key, _ in key % 7 < 4 }
      let left = try table.rows().map(\.key).sorted()
      #expect(left == (0..<size).filter { $0 % 7 >= 4 })
      #expect(try table.count == left.count)
    }
  }

  @Test("ETS:smp_select_replace", arguments: [Kind.set, .orderedSet, .duplicateBag])
  func selectReplace(kind: Kind) async throws {
    try await withProcess(on: node) { context in
      let table = try Table<Int, Int>(kind.of(), access: .public)
      for key in 0..<200 { try table.insert(key, 0) }
      let replaced = Lock(0)
      try await together(context, 4) { number in
        for _ in 0..<effort(of: 30) {
          let count = try table.selectReplace { key, value in
            key % 2 == number % 2 ? value + 1 : nil
          }
          replaced.withLock { $0 += count }
        }
      }
      // Each replacement that was counted took effect, on the value that it was made from.
      #expect(try table.fold(0) { $0 + $2 } == replaced.withLock { $0 })
      #expect(replaced.withLock { $0 } == 4 * effort(of: 30) * 100)
    }
  }

  @Test("ETS:t_insert_list_parallel", arguments: Kind.allCases)
  func insertListParallel(kind: Kind) async throws {
    try await withProcess(on: node) { context in
      let table = try Table<Int, Int>(kind.of(), access: .public)
      try await together(context, 4) { number in
        for round in 0..<effort(of: 50) {
          try table.insert(contentsOf: (0..<100).map { ($0 * 4 + number, round) })
        }
      }
      #expect(try table.count == (kind.isBag ? 400 * effort(of: 50) : 400))
    }
  }

  @Test("ETS:t_insert_list_kill_process", arguments: Kind.allCases, [false, true])
  func insertListKill(kind: Kind, isNew: Bool) async throws {
    // Long lists, so that the kill as a rule arrives inside one.
    let length = 500
    try await withProcess(on: node) { context in
      let me = context.pid
      for round in 0..<effort(of: 12) {
        let table = try Table<Int, Int>(kind.of(), access: .public)
        let (pid, _) = context.spawnMonitor { _ in
          for value in 0..<1_000_000 {
            if value == round % 5 { me.send("started") }
            let rows = (0..<length).map { (key: value * length + $0, value: value) }
            if isNew {
              #expect(try table.insertNew(contentsOf: rows))
            } else {
              try table.insert(contentsOf: rows)
            }
          }
        }
        try await awaitMessage("started", in: context)
        pid.sendExit(.kill)
        let down = try await context.receive(Down.self)
        #expect(down.reason == .killed)
        var perValue: [Int: Int] = [:]
        try table.visit { _, value in perValue[value, default: 0] += 1 }
        #expect(perValue.values.allSatisfy { $0 == length })
        // The lists went in one after the other, and after the DOWN none does.
        #expect(perValue.keys.sorted() == Array(0..<perValue.count))
        #expect(try table.count == perValue.count * length)
        try table.deleteTable()
      }
    }
  }

  @Test("ETS:t_insert_list_delete_parallel", arguments: Kind.allCases, [false, true])
  func insertListDeleteParallel(kind: Kind, isNew: Bool) async throws {
    try await withProcess(on: node) { context in
      let table = try Table<Int, Int>(kind.of(), access: .public)
      let inserted = Lock(0)
      let deleted = Lock(0)
      try await together(context, 4) { number in
        for round in 0..<effort(of: 40) {
          if number < 2 {
            let rows = (0..<100).map { (key: $0 * 2 + number, value: round) }
            if isNew {
              let isDone = try table.insertNew(contentsOf: rows)
              if isDone { inserted.withLock { $0 += rows.count } }
            } else {
              try table.insert(contentsOf: rows)
            }
          } else {
            for key in 0..<200 {
              let count = try table.takeAll(key).count
              deleted.withLock { $0 += count }
            }
          }
        }
      }
      // What went in and did not come out is there, and the count knows it.
      let left = try table.rows().count
      #expect(try table.count == left)
      if isNew { #expect(inserted.withLock { $0 } - deleted.withLock { $0 } == left) }
    }
  }

  @Test("ETS:smp_ordered_iteration", arguments: Kind.allCases)
  func iteration(kind: Kind) async throws {
    struct Key: Hashable, Comparable, Sendable {
      var number: Int
      var isStable: Bool
      static func < (left: Key, right: Key) -> Bool {
        (left.number, left.isStable ? 1 : 0) < (right.number, right.isStable ? 1 : 0)
      }
    }
    let stable = (0..<250).map { $0 * 4 }
    try await withProcess(on: node) { context in
      let table = try Table<Key, Int>(kind.of(), access: .public)
      for number in stable { try table.insert(Key(number: number, isStable: true), 0) }
      try await together(context, 3) { worker in
        guard worker > 0 else {
          for round in 0..<effort(of: 15) {
            #expect(try table.selectCount { key, _ in key.isStable } == stable.count)
            try table.withFixedTable {
              for isForward in [true, false] {
                var met: [Int] = []
                var key = isForward ? try table.first() : try table.last()
                while let current = key {
                  if current.isStable { met.append(current.number) }
                  key =
                    isForward
                    ? try table.next(after: current) : try table.previous(before: current)
                }
                if kind == .orderedSet { #expect(met == (isForward ? stable : stable.reversed())) }
                #expect(met.sorted() == stable)
              }
            }
            var page = try table.select(limit: 1 + round * 17) { key, _ in key.isStable }
            var count = page.rows.count
            while let next = page.continuation {
              page = try table.select(next)
              count += page.rows.count
            }
            #expect(count == stable.count)
          }
          return
        }
        var random = SeededGenerator(seed: UInt64(worker))
        for _ in 0..<effort(of: 8000) {
          let key = Key(number: Int(random.next() % 1000), isStable: false)
          switch random.next() % 22 {
          case 0..<10: try table.insert(key, 0)
          case 10..<19: try table.delete(key)
          case 19:
            if random.next() % 50 == 0 {
              try table.selectDelete { other, _ in
                !other.isStable && other.number / 10 == key.number / 10
              }
            }
          default: if !kind.isBag { try table.update(key) { $0 += 1 } }
          }
        }
      }
    }
  }

  @Test("readers that never pause keep no writer out", arguments: Kind.allCases)
  func writersGetIn(kind: Kind) async throws {
    try await withProcess(on: node) { context in
      let table = try Table<Int, Int>(kind.of(), access: .public)
      for key in 0..<500 { try table.insert(key, 0) }
      let isWritten = Lock(false)
      try await together(context, 4) { number in
        if number == 0 {
          for key in 500..<1500 { try table.insert(key, 1) }
          isWritten.withLock { $0 = true }
        } else {
          // They go on until the writer is done: if they kept it out this would not end.
          while !isWritten.withLock({ $0 }) {
            _ = try table.lookup(number)
            try table.visit { _, _ in }
          }
        }
      }
      #expect(try table.count == 1500)
    }
  }

  @Test("ETS:select_fixtab_owner_change", arguments: Kind.allCases)
  func ownerChange(kind: Kind) async throws {
    try await withProcess(on: node) { context in
      let me = context.pid
      let table = try Table<Int, Int>(kind.of())
      for key in 1...2000 { try table.insert(key, key & 7) }
      let (buddy, _) = context.spawnMonitor { context in
        for step in 0..<40 {
          _ = try await context.receive(TableTransfer.self)
          // It is given back in the middle of each of these.
          switch step % 4 {
          case 0:
            var isFirst = true
            let rows = try table.select { _, value in
              if isFirst { try table.giveAway(to: me) }
              isFirst = false
              return value == 7
            }
            #expect(rows.count == 250)
          case 1:
            var isFirst = true
            let count = try table.selectCount { _, _ in
              if isFirst { try table.giveAway(to: me) }
              isFirst = false
              return false
            }
            #expect(count == 0)
          case 2:
            let page = try table.select(limit: 1000) { _, value in value == 7 }
            try table.giveAway(to: me)
            #expect(page.rows.count == 250)
          default:
            let page = try table.select(limit: 100) { _, value in value == 7 }
            try table.giveAway(to: me)
            let next = try #require(page.continuation)
            #expect(try table.select(next).rows.count == 100)
          }
        }
      }
      for _ in 0..<40 {
        try table.giveAway(to: buddy)
        _ = try await context.receive(TableTransfer.self)
        #expect(table.owner == me)
      }
      let down = try await context.receive(Down.self)
      #expect(down.reason == .normal)
      #expect(try table.info.isFixed == false)
    }
  }

  @Test(
    "a table that dies under its users refuses them, and nothing else", arguments: Kind.allCases)
  func deathUnderUse(kind: Kind) async throws {
    try await withProcess(on: node) { context in
      for _ in 0..<effort(of: 30) {
        let table = try Table<OwnKey, Int>(kind.of(), access: .public)
        for key in 0..<200 { try table.insert(OwnKey(key), key) }
        let me = context.pid
        var users: [MonitorRef] = []
        for number in 0..<3 {
          let (_, ref) = context.spawnMonitor { _ in
            me.send("at work")
            do {
              while true {
                switch number {
                case 0: try table.insert(OwnKey(7), 7)
                case 1: _ = try table.rows()
                default:
                  try table.withFixedTable {
                    let key = try table.first()
                    if let key { try table.delete(key) }
                  }
                }
              }
            } catch TableError.dead {
            }
          }
          users.append(ref)
        }
        for _ in users { try await awaitMessage("at work", in: context) }
        try table.deleteTable()
        for _ in users {
          let down = try await context.receive(Down.self)
          #expect(down.reason == .normal)
        }
      }
    }
  }
}
