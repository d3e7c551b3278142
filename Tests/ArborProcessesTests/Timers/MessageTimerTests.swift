import ArborPrimitives
import ArborProcesses
import ArborTestKit
import Testing

private struct Tick: Sendable, Equatable { var number = 0 }

@Suite struct MessageTimerTests {
  @Test("a timer sends once, at its time; remaining and cancel say what is left")
  func once() throws {
    try simulate(seeds: 0..<50) { sim in
      try await withProcess { context in
        let timer = try context.send(Tick(), to: context.pid, after: .seconds(5))
        try #require(timer.remaining == .seconds(5))
        await sim.advance(by: .seconds(2))
        try #require(timer.remaining == .seconds(3))
        _ = try await context.receive(Tick.self)
        try #require(sim.now == .seconds(5) && timer.remaining == nil)
        let late = timer.cancel()
        try #require(late == nil)

        let other = try context.send(Tick(), to: context.pid, after: .seconds(5))
        await sim.advance(by: .seconds(1))
        let left = other.cancel()
        try #require(left == .seconds(4) && other.remaining == nil)
        let again = other.cancel()
        try #require(again == nil)
        await sim.advance(by: .seconds(10))
        try #require(context.mailbox.queued == 0)
      }
    }
  }

  @Test("a cancelled timer never fires: cancel says a time or the message is there, never both")
  func race() throws {
    try simulate(seeds: 0..<500) { sim in
      try await withProcess { context in
        let me = context.pid
        let timer = try context.send(Tick(), to: me, after: .milliseconds(2))
        let canceller = spawn { context in
          try await context.sleep(for: .milliseconds(2))
          me.send(timer.cancel() ?? .seconds(-1))
        }
        let left = try await context.receive(Duration.self)
        let ref = context.monitor(canceller)
        _ = try await context.receive(Down.self, where: { $0.ref == ref })
        await sim.advance(by: .seconds(1))
        let fired = context.mailbox.queued == 1
        try #require(fired == (left < .zero))
      }
    }
  }

  @Test("TIM:cleanup")
  func cleanup() throws {
    try simulate(seeds: 0..<500) { sim in
      try await withProcess { context in
        let target = spawn { context in _ = try await context.receive(String.self) }
        var timers = try (1...10).map { try context.send(Tick(), to: target, after: .seconds($0)) }
        timers.append(try context.send(Tick(), to: target, every: .seconds(1)))
        let other = try context.send(Tick(), to: context.pid, after: .seconds(1))
        try #require(timers.allSatisfy { $0.remaining != nil })
        let ref = context.monitor(target)
        if sim.random(in: 0..<2) == 0 { target.send("end") } else { target.sendExit(.kill) }
        _ = try await context.receive(Down.self, where: { $0.ref == ref })
        // Gone before its DOWN: they would keep what they are to send.
        try #require(timers.allSatisfy { $0.remaining == nil })
        try #require(timers.allSatisfy { $0.cancel() == nil })
        try #require(other.remaining == .seconds(1))
        let late = try context.send(Tick(), to: target, after: .seconds(1))
        try #require(late.remaining == nil && late.cancel() == nil)
        await sim.advance(by: .seconds(20))
        try #require(target.mailbox.sent <= 1)
      }
    }
  }

  @Test("a timer outlives who set it; one that an exiting process sets never fires")
  func setter() throws {
    try simulate(seeds: 0..<20) { sim in
      try await withProcess { context in
        let me = context.pid
        spawn { context in
          try context.send(Tick(number: 1), to: me, after: .seconds(1))
          context.pid.sendExit(.shutdown)
          try context.send(Tick(number: 2), to: me, after: .seconds(1))
        }
        await sim.advance(by: .seconds(2))
        let tick = try await context.receive(Tick.self, timeout: .zero)
        try #require(tick.number == 1 && context.mailbox.queued == 0)
      }
    }
  }

  @Test("to a name: whoever holds it by then, or nobody")
  func named() throws {
    try simulate(seed: 1) { sim in
      try await withProcess { context in
        try context.send(Tick(number: 1), to: "later", after: .seconds(1))
        let timer = try context.send(Tick(number: 2), to: "later", after: .seconds(3))
        await sim.advance(by: .seconds(2))
        try context.register("later")
        try #require(timer.remaining == .seconds(1))
        let tick = try await context.receive(Tick.self)
        try #require(tick.number == 2)
      }
    }
  }

  @Test("an interval does not drift, and stops for good")
  func interval() throws {
    try simulate(seeds: 0..<50) { sim in
      try await withProcess { context in
        let timer = try context.send(Tick(), to: context.pid, every: .seconds(1))
        for _ in 0..<3 { _ = try await context.receive(Tick.self) }
        try #require(sim.now == .seconds(3))
        await sim.advance(by: .milliseconds(500))
        let left = timer.cancel()
        try #require(left == .milliseconds(500))
        await sim.advance(by: .seconds(5))
        try #require(context.mailbox.queued == 0)
      }
    }
  }

  @Test("times that make no sense are refused")
  func badTimes() async throws {
    let node = Node(workers: 1)
    try await withProcess(on: node) { context in
      #expect(throws: TimerError.negativeTime(.seconds(-1))) {
        try context.send(Tick(), to: context.pid, after: .seconds(-1))
      }
      #expect(throws: TimerError.negativeTime(.nanoseconds(-1))) {
        try context.send(Tick(), to: "name", after: .nanoseconds(-1))
      }
      #expect(throws: TimerError.intervalNotPositive(.zero)) {
        try context.send(Tick(), to: context.pid, every: .zero)
      }
      try context.send(Tick(), to: context.pid, after: .zero)
      _ = try await context.receive(Tick.self)
    }
  }

  @Test("on real threads: nothing is lost when timers fire while others are cancelled")
  func threads() async throws {
    let node = Node(workers: 2)
    try await withProcess(on: node) { context in
      let me = context.pid
      let count = 1000
      for _ in 0..<2 {
        spawn(on: node) { context in
          var cancelled = 0
          for _ in 0..<count {
            let timer = try context.send(Tick(), to: me, after: .microseconds(100))
            if timer.cancel() != nil { cancelled += 1 }
            if timer.cancel() != nil { throw TimerError.negativeTime(.zero) }
          }
          me.send(cancelled)
        }
      }
      var expected = 2 * count
      for _ in 0..<2 { expected -= try await context.receive(Int.self) }
      for _ in 0..<expected { _ = try await context.receive(Tick.self) }
      try await context.sleep(for: .milliseconds(5))
      #expect(context.mailbox.queued == 0)
    }
  }

  @Test("many timers wait side by side, and go with their process")
  func many() async throws {
    let node = Node(workers: 2)
    try await withProcess(on: node) { context in
      let (pid, ref) = context.spawnMonitor { context in
        _ = try await context.receive(String.self)
      }
      var timers: [TimerRef] = []
      for number in 0..<100_000 {
        timers.append(try context.send(number, to: pid, after: .seconds(1000 + number)))
      }
      for timer in timers[..<50_000] { #expect(timer.cancel() != nil) }
      pid.sendExit(.kill)
      _ = try await context.receive(Down.self, where: { $0.ref == ref })
      #expect(timers.allSatisfy { $0.remaining == nil })
    }
  }
}
