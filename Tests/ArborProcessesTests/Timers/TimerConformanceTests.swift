import ArborProcesses
import ArborTestKit
import Testing

/// Timers: cases of timer_bif_SUITE.
@Suite struct TimerConformanceTests {
  @Test("TIM:send_after_1, cancel_timer_sync: those that are due come; the rest are taken back")
  func dueAndCancelled() throws {
    try simulate(seeds: 0..<500) { sim in
      try await withProcess { context in
        let me = context.pid
        let slow = try ["cling", "clong", "clang"].map {
          try context.send($0, to: me, after: .seconds(1))
        }
        let quick = try ["pling", "plong", "plang"].map {
          try context.send($0, to: me, after: .zero)
        }
        spawn { _ in me.send(slow.allSatisfy { ($0.cancel() ?? .zero) > .zero }) }
        let isTaken = try await context.receive(Bool.self)
        try #require(isTaken)
        for text in ["pling", "plong", "plang"] {
          _ = try await context.receive(String.self, where: { $0 == text })
        }
        try #require(quick.allSatisfy { $0.cancel() == nil })
        try #require(slow.allSatisfy { $0.cancel() == nil })
        await sim.advance(by: .seconds(2))
        try #require(context.mailbox.queued == 0)
      }
    }
  }

  @Test("TIM:read_timer, send_after_big: time goes by, and what was read is what cancel says")
  func readTimer() throws {
    try simulate(seed: 1) { sim in
      try await withProcess { context in
        let big = Duration.milliseconds(1 << 33)
        let timer = try context.send("hello", to: context.pid, after: big)
        try await context.sleep(for: .milliseconds(200))
        let left = try #require(timer.remaining)
        try #require(left == big - .milliseconds(200))
        try #require(timer.cancel() == left && timer.remaining == nil)
        let never = try context.send("never", to: context.pid, after: .seconds(Int64.max / 2))
        await sim.advance(by: .seconds(1_000_000))
        try #require((never.remaining ?? .zero) > .seconds(1_000_000_000))
        never.cancel()
        try #require(context.mailbox.sent == 0)
      }
    }
  }

  @Test("TIM:registered_process: the name is looked up when the time comes")
  func registered() throws {
    try simulate(seeds: 0..<100) { sim in
      try await withProcess { context in
        let cancelled = try context.send("hej", to: "later", after: .seconds(2))
        try #require(cancelled.remaining == .seconds(2) && cancelled.cancel() == .seconds(2))
        try #require(cancelled.remaining == nil)
        try context.send("first", to: "later", after: .seconds(2))
        let repeating = try context.send("again", to: "later", every: .seconds(2))
        try context.register("later")
        for _ in 0..<2 { _ = try await context.receive(String.self) }
        try #require(sim.now == .seconds(2))
        // Nobody holds it for a while, then another.
        try sim.node.unregister("later")
        await sim.advance(by: .seconds(3))
        try #require(context.mailbox.queued == 0 && repeating.remaining == .seconds(1))
        let (other, _) = context.spawnMonitor { inner in
          try inner.register("later")
          _ = try await inner.receive(String.self, where: { $0 == "again" })
        }
        let down = try await context.receive(Down.self)
        try #require(down.pid == other && down.reason == .normal && sim.now == .seconds(6))
        try #require(repeating.cancel() != nil)
      }
    }
  }

  @Test("TIM:same_time_yielding: many at one time all come, and not before it")
  func sameTime() throws {
    try simulate(seeds: 0..<20) { sim in
      try await withProcess { context in
        for number in 0..<1000 {
          try context.send(number, to: context.pid, after: .seconds(20))
        }
        var seen: Set<Int> = []
        for _ in 0..<1000 { seen.insert(try await context.receive(Int.self)) }
        try #require(seen == Set(0..<1000) && sim.now == .seconds(20))
      }
    }
  }

  @Test("TIM:same_time_yielding_with_cancel_other: each comes or is taken back, never both")
  func sameTimeWithCancel() throws {
    try simulate(seeds: 0..<500) { sim in
      try await withProcess { context in
        let me = context.pid
        let timers = try (0..<20).map { try context.send($0, to: me, after: .seconds(1)) }
        for half in 0..<2 {
          spawn { inner in
            try await inner.sleep(for: .seconds(1))
            let taken = (0..<10).map { 10 * half + $0 }.filter { timers[$0].cancel() != nil }
            me.send(taken)
          }
        }
        var cancelled: Set<Int> = []
        for _ in 0..<2 { cancelled.formUnion(try await context.receive([Int].self)) }
        await sim.advance(by: .seconds(1))
        var came: Set<Int> = []
        while let number = try? await context.receive(Int.self, timeout: .zero) {
          try #require(came.insert(number).inserted)
        }
        try #require(came.isDisjoint(with: cancelled))
        try #require(came.union(cancelled) == Set(0..<20))
      }
    }
  }

  @Test("TIM:auto_cancel_yielding: a process that ends takes all of very many timers along")
  func autoCancel() async throws {
    let node = Node(workers: 2)
    try await withProcess(on: node) { context in
      let (pid, ref) = context.spawnMonitor { inner in _ = try await inner.receive(String.self) }
      var timers: [TimerRef] = []
      for number in 0..<effort(of: 20_000) {
        timers.append(try context.send(number, to: pid, after: .seconds(1000 + number % 7)))
      }
      pid.sendExit(.kill)
      _ = try await context.receive(Down.self, where: { $0.ref == ref })
      #expect(timers.allSatisfy { $0.remaining == nil && $0.cancel() == nil })
    }
    node.shutdown()
  }

  @Test("TIM:multizero_timeout_in_timeout: one that is set when another fires, for at once, comes")
  func inTimeout() throws {
    try simulate(seeds: 0..<500) { sim in
      try await withProcess { context in
        try context.send(0, to: context.pid, after: .milliseconds(500))
        for expected in 0..<25 {
          let number = try await context.receive(Int.self)
          try #require(number == expected)
          try context.send(number + 1, to: context.pid, after: .zero)
        }
        try #require(sim.now == .milliseconds(500))
      }
    }
  }

  @Test("TIM:evil_timers: none is lost, whatever the receiver is doing")
  func evil() async throws {
    let node = Node(workers: 2)
    try await withProcess(on: node) { context in
      let me = context.pid
      for round in 0..<3 {
        let setter = round == 1 ? spawn { inner in try Self.set(200, inner, me) } : nil
        if setter == nil { try Self.set(200, context, me) }
        if round == 2 { try await context.sleep(for: .milliseconds(3)) }
        var seen: Set<Int> = []
        while seen.count < 200 { seen.insert(try await context.receive(Int.self)) }
        #expect(seen == Set(0..<200))
      }
    }
    node.shutdown()
  }

  @Sendable private static func set(
    _ count: Int, _ context: ProcessContext, _ reader: PID
  ) throws {
    for number in 0..<count {
      try context.send(number, to: reader, after: .microseconds(10 * number))
    }
  }
}
