import ArborPrimitives
import ArborTestKit
import Synchronization
import Testing

@testable import ArborProcesses

private struct Oops: Error {}

/// What a trace has told, in words.
private final class Notes: Sendable {
  private let lines = Lock<[String]>([])
  func add(_ event: MessageTrace.Event) { lines.withLock { $0.append("\(event.what)") } }
  var all: [String] { lines.withLock { $0 } }
  var count: Int { all.count }
}

@Suite struct MessageTraceTests {
  @Test("send, receive, link, exit and down of one process, and of no other")
  func events() throws {
    try simulate(seeds: 0..<20) { sim in
      let notes = Notes()
      try await withProcess { context in
        let me = context.pid
        let worker = spawn { context in
          _ = try await context.receive(String.self)
          me.send("answer")
          let (child, _) = context.spawnMonitor { _ in throw Oops() }
          _ = try await context.receive(Down.self, where: { $0.pid == child })
          context.link(to: me)
          throw ExitReason.shutdown
        }
        context.trapExit()
        let trace = sim.node.trace(.processes([worker])) { notes.add($0) }
        try #require(trace.isOn)
        worker.send("question")
        worker.sendExit(.normal)
        _ = try await context.receive(String.self)
        _ = try await context.receive(Exit.self)
        await sim.settle()
        let told = notes.all
        try #require(told.count == 5)
        try #require(told[0].hasPrefix("receive(\"question\""))
        try #require(told[1].hasPrefix("send(\"answer\", to: #PID"))
        try #require(told[2].hasPrefix("down("))
        try #require(told[3].hasPrefix("link(#PID"))
        try #require(told[4] == "exit(shutdown)")
        trace.stop()
      }
    }
  }

  @Test("it ends after its limit, exactly, and the flags are down again")
  func limit() throws {
    try simulate(seeds: 0..<50) { sim in
      let notes = Notes()
      let worker = spawn { context in while true { _ = try await context.receive(Int.self) } }
      let trace = sim.node.trace(.all, .receive, limit: 3) { notes.add($0) }
      let senders = (0..<3).map { _ in
        spawn { context in
          for number in 0..<3 {
            worker.send(number)
            try await context.sleep(for: .zero)
          }
        }
      }
      try await withProcess { context in
        for ref in senders.map({ context.monitor($0) }) {
          _ = try await context.receive(Down.self, where: { $0.ref == ref })
        }
      }
      try #require(notes.count == 3 && trace.told == 3 && !trace.isOn)
      try #require(worker.core.watch.load(ordering: .relaxed) == 0)
      try #require(sim.node.newWatch.load(ordering: .relaxed) == 0)
    }
  }

  @Test("it ends with its owner; an owner that has ended has none")
  func owner() throws {
    try simulate(seeds: 0..<20) { sim in
      let notes = Notes()
      try await withProcess { context in
        let worker = spawn { context in while true { _ = try await context.receive(Int.self) } }
        let owner = spawn { context in
          context.node.trace(.processes([worker])) { notes.add($0) }
          _ = try await context.receive(String.self)
        }
        await sim.settle()
        worker.send(1)
        try #require(notes.count == 1)
        let ref = context.monitor(owner)
        owner.send("end")
        _ = try await context.receive(Down.self, where: { $0.ref == ref })
        worker.send(2)
        try #require(notes.count == 1)
        try #require(worker.core.watch.load(ordering: .relaxed) == 0)
        let late = sim.node.trace(.all, owner: owner) { notes.add($0) }
        try #require(!late.isOn)
        worker.send(3)
        try #require(notes.count == 1)
      }
    }
  }

  @Test("new means those started afterwards")
  func new() throws {
    try simulate(seed: 1) { sim in
      let notes = Notes()
      let old = spawn { context in _ = try await context.receive(Int.self) }
      let trace = sim.node.trace(.new, [.exit]) { notes.add($0) }
      let young = spawn { context in _ = try await context.receive(Int.self) }
      old.send(1)
      young.send(1)
      await sim.settle()
      try #require(notes.all == ["exit(normal)"])
      trace.stop()
      let later = spawn { _ in }
      await sim.settle()
      try #require(notes.count == 1 && later.core.watch.load(ordering: .relaxed) == 0)
    }
  }

  @Test("no more than so many a second; a handler's own sends are not told")
  func rate() throws {
    try simulate(seed: 1) { sim in
      let notes = Notes()
      try await withProcess { context in
        let me = context.pid
        let trace = sim.node.trace(.all, [.send, .receive], perSecond: 4) { event in
          notes.add(event)
          me.send(0.5)
        }
        for _ in 0..<2 {
          for number in 0..<5 { me.send(number) }
          try #require(notes.count.isMultiple(of: 4))
          await sim.advance(by: .seconds(1))
        }
        try #require(trace.told == 8 && trace.leftOut == 12)
        trace.stop()
        me.send(7)
        try #require(trace.told == 8)
      }
    }
  }

  @Test("traces come and go while processes do, and leave no flag")
  func races() async throws {
    let node = Node(workers: 2)
    let told = Lock(0)
    try await withProcess(on: node) { context in
      let me = context.pid
      for _ in 0..<2 {
        spawn(on: node) { context in
          for number in 0..<200 {
            let trace = node.trace(number.isMultiple(of: 2) ? .new : .all, limit: 20) { _ in
              told.withLock { $0 += 1 }
            }
            let (pid, ref) = context.spawnMonitor { context in
              _ = try await context.receive(Int.self)
            }
            pid.send(number)
            _ = try await context.receive(Down.self, where: { $0.ref == ref })
            if number.isMultiple(of: 3) { trace.stop() }
          }
          me.send("done")
        }
      }
      for _ in 0..<2 { _ = try await context.receive(String.self) }
      for pid in node.allProcesses where pid != me {
        let ref = context.monitor(pid)
        _ = try await context.receive(Down.self, where: { $0.ref == ref })
      }
      #expect(told.withLock { $0 } > 400)
      #expect(node.newWatch.load(ordering: .relaxed) == 0)
      #expect(me.core.watch.load(ordering: .relaxed) == 0)
    }
  }

  @Test("the meter tells so many in all and so many a second")
  func meter() {
    var meter = TraceMeter(limit: 5, perSecond: 2)
    var told: [UInt64] = []
    for time in stride(from: UInt64(0), to: 4_000_000_000, by: 250_000_000) {
      switch meter.admit(at: time) {
      case .tell, .tellLast: told.append(time / 250_000_000)
      case .leaveOut: break
      }
    }
    #expect(told == [0, 1, 4, 5, 8])
    #expect(meter.told == 5 && meter.left == 0)
  }
}

extension ProcessContext {
  fileprivate func link(to pid: PID) { try? link(pid) }
}
