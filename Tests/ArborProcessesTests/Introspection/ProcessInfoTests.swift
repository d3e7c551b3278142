import ArborPrimitives
import ArborProcesses
import ArborTestKit
import Testing

private struct Work: Sendable {}

/// Resumes somebody at a time; no wait of Arbor's, which an exit would end.
private final class Resume: TimerEntry, @unchecked Sendable {
  // Unchecked: written once.
  private let continuation: UnsafeContinuation<Void, Never>
  init(_ continuation: UnsafeContinuation<Void, Never>) { self.continuation = continuation }
  override func fire() { continuation.resume() }
}

@Suite struct ProcessInfoTests {
  @Test("PR:process_info_label")
  func label() throws {
    try simulate(seed: 1) { sim in
      try await withProcess { context in
        let me = context.pid
        try #require(me.info?.label == nil)
        context.setLabel("first")
        try #require(me.info?.label == "first")
        let other = spawn { context in
          context.setLabel("worker 7")
          _ = try await context.receive(String.self)
          context.setLabel(nil)
          _ = try await context.receive(String.self)
        }
        await sim.settle()
        try #require(other.info?.label == "worker 7")
        other.send("on")
        await sim.settle()
        let info = try #require(other.info)
        try #require(info.label == nil)
        other.send("on")
        await sim.settle()
        try #require(other.info == nil)
      }
    }
  }

  @Test("PR:process_info_other_message_queue_len_signal_race")
  func queueLengthRace() throws {
    try simulate(seeds: 0..<500) { sim in
      try await withProcess { context in
        let senders = 4
        let each = 6
        let target = spawn { context in _ = try await context.receive(String.self) }
        let workers = (0..<senders).map { _ in
          spawn { context in
            for sent in 1...each {
              target.send(sent)
              // One's own messages are there, whatever the others do.
              let length = try #require(target.info).queueLength
              try #require(length >= sent && length <= senders * each)
              try await context.sleep(for: .zero)
            }
          }
        }
        for ref in workers.map({ context.monitor($0) }) {
          let down = try await context.receive(Down.self, where: { $0.ref == ref })
          try #require(down.reason == .normal)
        }
        try #require(target.info?.queueLength == senders * each)
        target.send("end")
        await sim.settle()
        try #require(target.info == nil)
      }
    }
  }

  @Test("the queue's length is true while threads race for it")
  func threads() async throws {
    let node = Node(workers: 2)
    try await withProcess(on: node) { context in
      let total = 2000
      let (target, ref) = context.spawnMonitor { context in
        for _ in 0..<total { _ = try await context.receive(Int.self) }
      }
      for _ in 0..<2 {
        spawn(on: node) { _ in for number in 0..<total / 2 { target.send(number) } }
      }
      var handled = 0
      while let info = target.info {
        #expect((0...total).contains(info.queueLength))
        #expect(info.messagesHandled >= handled)
        #expect(info.messagesHandled + info.queueLength <= total)
        handled = info.messagesHandled
        try await context.sleep(for: .zero)
      }
      let down = try await context.receive(Down.self, where: { $0.ref == ref })
      #expect(down.reason == .normal)
    }
  }

  @Test("links, monitors, names, parents: from both sides")
  func relations() throws {
    try simulate(seeds: 0..<20) { sim in
      try await withProcess { context in
        let me = context.pid
        let (outer, _) = context.spawnMonitor(as: "the outer one") { context in
          context.trapExit()
          let inner = context.spawnLink { context in _ = try await context.receive(String.self) }
          me.send(inner)
          try context.register("outer")
          _ = context.monitor(inner)
          _ = context.monitor(inner)
          _ = try await context.receive(String.self)
        }
        let inner = try await context.receive(PID.self)
        await sim.settle()
        let info = try #require(outer.info)
        try #require(info.links == [inner] && info.monitors == [inner, inner])
        try #require(info.monitoredBy == [me] && info.names == ["outer"])
        try #require(info.parent == me && info.initialCall == "the outer one" && info.trapsExit)
        try #require(info.status == .waiting && info.handling == nil)
        let other = try #require(inner.info)
        try #require(other.ancestors.prefix(2).map(\.pid) == [outer, me] && other.links == [outer])
        try #require(other.monitoredBy == [outer, outer] && !other.trapsExit)
        try #require(other.spawnTime >= info.spawnTime)
        inner.sendExit(.kill)
        await sim.settle()
        let after = try #require(outer.info)
        try #require(after.links.isEmpty && after.monitors.isEmpty && after.queueLength == 3)
      }
    }
  }

  @Test("what it is handling, and since when", arguments: [false, true])
  func handling(isTimed: Bool) throws {
    try simulate(seed: 3) { sim in
      sim.node.timesMessages = isTimed
      let worker = spawn { context in
        _ = try await context.receive(Work.self)
        try await context.sleep(for: .seconds(10))
        _ = try await context.receive(Work.self)
      }
      await sim.settle()
      let spawned = try #require(worker.info).spawnTime
      try #require(worker.info?.handling == nil)
      worker.send(Work())
      await sim.advance(by: .seconds(2))
      await sim.advance(by: .seconds(2))
      let handling = try #require(worker.info?.handling)
      try #require(handling.kind == .message && handling.type == "Work")
      // What was not timed is known from the first look on.
      let expected: UInt64 = isTimed ? 0 : 4_000_000_000
      try #require(handling.since - spawned == expected)
      await sim.advance(by: .seconds(2))
      try #require(worker.info?.handling == handling)
      await sim.advance(by: .seconds(5))
      try #require(worker.info?.handling == nil && worker.info?.messagesHandled == 1)
    }
  }

  @Test("running, runnable, waiting, exiting, ended")
  func status() throws {
    try simulate(seed: 5) { sim in
      try await withProcess { context in
        try #require(context.pid.info?.status == .running)
        let stuck = spawn { context in
          try #require(context.pid.info?.status == .running)
          await withUnsafeContinuation { (continuation: UnsafeContinuation<Void, Never>) in
            context.node.clock.schedule(
              Resume(continuation), at: context.node.clock.now() + 100_000_000)
          }
        }
        try #require(stuck.info?.status == .runnable)
        await sim.settle()
        try #require(stuck.info?.status == .waiting)
        stuck.sendExit(.kill)
        try #require(stuck.info?.status == .exiting)
        await sim.advance(by: .seconds(1))
        try #require(stuck.info == nil)
      }
    }
  }
}
