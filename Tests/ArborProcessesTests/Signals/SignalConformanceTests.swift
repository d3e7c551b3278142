import ArborProcesses
import ArborTestKit
import Testing

private struct Boom: Error, Equatable {}
private struct Numbered: Sendable, Equatable { var sender = 0, number = 0 }

/// Order of signals, and exits: cases of signal_SUITE and process_SUITE.
@Suite struct SignalConformanceTests {
  @Test("SIG:xm_sig_order")
  func mailAfterExit() throws {
    try simulate(seeds: 0..<500) { _ in
      try await withProcess { context in
        let me = context.pid
        let (receiver, _) = context.spawnMonitor { inner in
          while true { me.send(Numbered(number: try await inner.receive(Int.self))) }
        }
        spawn { _ in
          for number in 0..<3 {
            receiver.send(number)
            await Task.yield()
          }
          receiver.sendExit(.error(Boom()))
          receiver.send(99)
        }
        let down = try await context.receive(Down.self)
        try #require(down.reason == .error(Boom()))
        var seen: [Int] = []
        while let next = try? await context.receive(Numbered.self, timeout: .zero) {
          seen.append(next.number)
        }
        try #require(seen == Array(0..<seen.count) && seen.count <= 3)
      }
    }
  }

  @Test("SIG:monitor_order")
  func downAfterMail() throws {
    try simulate(seeds: 0..<500) { sim in
      try await withProcess { context in
        let me = context.pid
        let (worker, ref) = context.spawnMonitor { inner in
          for number in 0..<5 {
            me.send(number)
            await Task.yield()
          }
          _ = try await inner.receive(String.self, timeout: .milliseconds(1))
        }
        // More monitors, set while it sends.
        var refs = [ref]
        for _ in 0..<sim.random(in: 0..<4) {
          refs.append(context.monitor(worker))
          await Task.yield()
        }
        for number in 0..<5 {
          guard let next = try await context.receive() as? Int else {
            throw SimulationMismatch("a DOWN came before message \(number)")
          }
          try #require(next == number)
        }
        for _ in refs {
          let down = try await context.receive(Down.self)
          try #require(refs.contains(down.ref))
        }
      }
    }
  }

  @Test(
    "SIG:kill2killed",
    arguments: [
      // Sent by exit it is told on as killed; as one's own reason it is told on as it is.
      (isSent: true, told: ExitReason.killed), (isSent: false, told: .kill),
    ])
  func killAlongChain(isSent: Bool, told: ExitReason) throws {
    try simulate(seeds: 0..<500) { _ in
      try await withProcess { context in
        let me = context.pid
        let (head, ref) = context.spawnMonitor { inner in try await Self.link(10, inner, me) }
        let last = try await context.receive(PID.self)
        let (trapper, _) = context.spawnMonitor { inner in
          inner.trapExit()
          try inner.link(last)
          me.send("linked")
          let exit = try await inner.receive(Exit.self)
          throw exit.reason
        }
        _ = try await context.receive(String.self)
        if isSent { last.sendExit(.kill) } else { last.send("die") }
        let down = try await context.receive(Down.self, where: { $0.ref == ref })
        try #require(down.reason == told && down.pid == head)
        // Which came through a link and is trapped, kill or not.
        let trapped = try await context.receive(Down.self, where: { $0.pid == trapper })
        try #require(trapped.reason == told)
      }
    }
  }

  @Test("ARBOR:parallel_mail")
  func parallelMail() async throws {
    let senders = 8
    let each = 5000
    try await withProcess(on: Node(workers: 4)) { context in
      let me = context.pid
      for sender in 0..<senders {
        spawn { _ in
          for number in 0..<each { me.send(Numbered(sender: sender, number: number)) }
        }
      }
      var next = [Int](repeating: 0, count: senders)
      for _ in 0..<senders * each {
        let mail = try await context.receive(Numbered.self)
        try #require(mail.number == next[mail.sender])
        next[mail.sender] += 1
      }
      #expect(next == [Int](repeating: each, count: senders))
      #expect(context.core.ledger.queued == 0 && context.core.ledger.dropped == 0)
    }
  }

  @Test("ARBOR:parallel_mail, seeded")
  func parallelMailSeeded() throws {
    try simulate(seeds: 0..<500) { _ in
      try await withProcess { context in
        let me = context.pid
        for sender in 0..<4 {
          spawn { _ in
            for number in 0..<4 {
              me.send(Numbered(sender: sender, number: number))
              await Task.yield()
            }
          }
        }
        var next = [0, 0, 0, 0]
        for _ in 0..<16 {
          // The odd ones first if they are there: a selective receive keeps the order of the rest.
          let odd = try? await context.receive(Numbered.self, timeout: .zero) { $0.sender % 2 == 1 }
          let mail: Numbered
          if let odd { mail = odd } else { mail = try await context.receive(Numbered.self) }
          try #require(mail.number == next[mail.sender])
          next[mail.sender] += 1
        }
        try #require(next == [4, 4, 4, 4])
      }
    }
  }

  @Test("PR:exit_twice")
  func exitTwice() throws {
    try simulate(seeds: 0..<500) { _ in
      try await withProcess { context in
        let (pid, _) = context.spawnMonitor { inner in
          do {
            _ = try await inner.receive(Int.self)
          } catch {
            inner.sendExit(.shutdown("third"), to: inner.pid)
            await Task.yield()
            throw Boom()
          }
        }
        pid.sendExit(.shutdown("first"))
        pid.sendExit(.kill)
        let down = try await context.receive(Down.self)
        try #require(down.reason == .shutdown("first"))
      }
    }
  }

  @Test("PR:t_exit_2_catch")
  func catching() async throws {
    try await withProcess(on: Node(workers: 2)) { context in
      _ = context.spawnMonitor { inner in
        do {
          inner.sendExit(.error(Boom()), to: inner.pid)
          _ = try await inner.receive(Int.self)
        } catch {}
        throw ExitReason.shutdown("other")
      }
      let down = try await context.receive(Down.self)
      #expect(down.reason == .error(Boom()))
    }
  }

  @Test(
    "PR:self_exit, normal_suicide_exit",
    arguments: [
      // What is sent to oneself, whether it is trapped, and what becomes of it; nil: it is mail.
      (ExitReason.normal, false, ExitReason?.some(.normal)), (.normal, true, nil),
      (.shutdown, false, .shutdown), (.shutdown, true, nil),
      (.kill, false, .killed), (.kill, true, .killed),
      (.killed, false, .killed), (.killed, true, nil),
      (.error(Boom()), false, .error(Boom())), (.error(Boom()), true, nil),
    ])
  func toOneself(sent: ExitReason, traps: Bool, told: ExitReason?) async throws {
    try await withProcess(on: Node(workers: 2)) { context in
      _ = context.spawnMonitor { inner in
        inner.trapExit(traps)
        inner.pid.sendExit(sent)
        if let exit = try? await inner.receive(Exit.self, timeout: .zero) {
          throw ExitReason.error(Trapped(reason: exit.reason, isMine: exit.pid == inner.pid))
        }
        throw ExitReason.shutdown("survived")
      }
      let down = try await context.receive(Down.self)
      #expect(down.reason == told ?? .error(Trapped(reason: sent, isMine: true)))
    }
  }

  @Test("PR:no_pid_wrap")
  func pidsAreNotReused() async throws {
    let node = Node(workers: 2)
    try await withProcess(on: node) { context in
      var seen: Set<UInt64> = [context.pid.id]
      for _ in 0..<10_000 {
        let (pid, _) = context.spawnMonitor { _ in }
        #expect(seen.insert(pid.id).inserted)
        _ = try await context.receive(Down.self)
      }
    }
    #expect(node.processCount == 0)
  }

  @Sendable private static func link(
    _ left: Int, _ context: ProcessContext, _ reader: PID
  ) async throws {
    if left > 1 {
      context.spawnLink { inner in try await link(left - 1, inner, reader) }
    } else {
      reader.send(context.pid)
    }
    _ = try await context.receive(String.self)
    throw ExitReason.kill
  }
}

private struct Trapped: Error, Equatable { let reason: ExitReason, isMine: Bool }

private struct SimulationMismatch: Error, CustomStringConvertible {
  let description: String
  init(_ description: String) { self.description = description }
}
