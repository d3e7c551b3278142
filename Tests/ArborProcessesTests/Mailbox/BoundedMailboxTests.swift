import ArborProcesses
import ArborTestKit
import Testing

private struct Unbalanced: Error { let ledger: MailboxLedger }

extension PID {
  /// Its ledger, if the numbers add up.
  fileprivate func audited() throws -> MailboxLedger {
    let ledger = mailbox
    guard ledger.queued >= 0, ledger.sent == ledger.handled + ledger.queued + ledger.dropped else {
      throw Unbalanced(ledger: ledger)
    }
    return ledger
  }
}

/// Bounded mailboxes of real processes, in many orders.
@Suite struct BoundedMailboxTests {
  @Test("a sync send to a full mailbox never waits; trySend says that it was refused")
  func trySend() throws {
    try simulate(seeds: 0..<20) { _ in
      let lazy = spawn(mailbox: .bounded(2, .suspend)) { context in
        try await context.sleep(for: .seconds(1))
        for _ in 0..<2 { _ = try await context.receive(Int.self) }
        try await context.sleep(for: .seconds(1))
      }
      for number in 0..<5 { lazy.send(number) }
      try #require(throws: SendError.full) { try lazy.trySend(5) }
      let ledger = try lazy.audited()
      try #require(ledger.queued == 2 && ledger.refused == 4 && ledger.highWater == 2)
      try await withProcess { try await $0.sleep(for: .milliseconds(1500)) }
      try lazy.trySend(6)
      let refused = await #expect(throws: SendError.full) {
        try await withProcess { context in
          _ = context
          try lazy.trySend(7)
          try lazy.trySend(8)
        }
      }
      try #require(refused == .full)
      lazy.sendExit(.kill)
      try #require(throws: SendError.noproc) { try lazy.trySend(9) }
      try #require(try lazy.audited().queued == 0)
    }
  }

  @Test("sendWaiting loses nothing and keeps each sender's order, whoever runs first")
  func sendWaiting() throws {
    try simulate(seeds: 0..<500) { sim in
      let senders = 3
      let each = 8
      let capacity = sim.random(in: 1..<4)
      try await withProcess { context in
        let me = context.pid
        let receiver = spawn(mailbox: .bounded(capacity, .suspend)) { context in
          var last = [Int](repeating: -1, count: senders)
          for _ in 0..<senders * each {
            let number = try await context.receive(Int.self)
            let sender = number / 100
            try #require(number % 100 == last[sender] + 1)
            last[sender] += 1
            try #require(context.mailbox.queued <= capacity)
          }
          me.send("done")
        }
        for sender in 0..<senders {
          spawn { _ in
            for number in 0..<each { try await receiver.sendWaiting(sender * 100 + number) }
          }
        }
        let ref = context.monitor(receiver)
        let down = try await context.receive(Down.self, where: { $0.ref == ref })
        try #require(down.reason == .normal)
        _ = try await context.receive(String.self, timeout: .zero)
        let ledger = try receiver.audited()
        try #require(ledger.handled == senders * each && ledger.dropped == 0)
        try #require(ledger.highWater <= capacity)
      }
    }
  }

  @Test("who waits for room is told of the receiver's end, the timeout, its own exit: once")
  func endsOfWaiting() throws {
    try simulate(seeds: 0..<500) { sim in
      try await withProcess { context in
        let receiver = spawn(mailbox: .bounded(1, .suspend)) { context in
          try await context.sleep(for: .milliseconds(5))
          _ = try await context.receive(Int.self)
          try await context.sleep(for: .milliseconds(5))
        }
        receiver.send(0)
        let me = context.pid
        var senders: [PID] = []
        for number in 1...4 {
          senders.append(
            spawn { _ in
              do throws(SendError) {
                try await receiver.sendWaiting(number, timeout: .milliseconds(3 * number))
                me.send("sent")
              } catch {
                me.send(error)
              }
            })
        }
        let victim = senders[sim.random(in: 0..<4)]
        victim.sendExit(.kill)
        var sent = 0
        for ref in senders.map({ context.monitor($0) }) {
          _ = try await context.receive(Down.self, where: { $0.ref == ref })
        }
        while let answer = try? await context.receive(timeout: .zero) {
          if answer is String {
            sent += 1
          } else {
            let error = try #require(answer as? SendError)
            try #require(error == .timeout || error == .noproc)
          }
        }
        // One place came free; a victim may have had it, if it was quick enough.
        let ledger = try receiver.audited()
        try #require(sent <= 1 && ledger.sent <= 2 && ledger.sent >= 1 + sent)
        try #require(ledger.refused == 0)
      }
    }
  }

  @Test("a send that waits ends with its task's cancellation; to oneself it fails at once")
  func cancelled() throws {
    try simulate(seeds: 0..<100) { sim in
      let receiver = spawn(mailbox: .bounded(1, .fail)) { context in
        try await context.sleep(for: .seconds(100))
      }
      receiver.send(0)
      let task = Task {
        do throws(SendError) {
          try await receiver.sendWaiting(1)
          return SendError?.none
        } catch {
          return error
        }
      }
      if sim.seed.isMultiple(of: 2) { await sim.settle() }
      task.cancel()
      let error = await task.value
      try #require(error == .cancelled)
      let bad = await #expect(throws: SendError.badarg) {
        try await receiver.sendWaiting(1, timeout: .seconds(-1))
      }
      try #require(bad != nil)
      receiver.sendExit(.kill)

      try await withProcess { context in
        let (_, ref) = context.spawnMonitor(mailbox: .bounded(1, .suspend)) { context in
          context.pid.send(1)
          do throws(SendError) {
            try await context.pid.sendWaiting(2)
          } catch {
            throw error == .full ? .normal : ExitReason(error)
          }
        }
        let down = try await context.receive(Down.self, where: { $0.ref == ref })
        try #require(down.reason == .normal)
      }
    }
  }

  @Test(
    "the ledger is true while everybody sends, receives and dies",
    arguments: [
      MailboxOverflow.fail, .dropNewest, .dropOldest, .suspend,
    ])
  func ledger(overflow: MailboxOverflow) throws {
    try simulate(seeds: 0..<125) { sim in
      try await withProcess { context in
        let receiver = spawn(mailbox: .bounded(2, overflow)) { context in
          while true {
            _ = try await context.receive(Int.self, where: { !$0.isMultiple(of: 3) })
            if context.mailbox.handled > 6 { return }
          }
        }
        var senders: [PID] = []
        for sender in 0..<3 {
          senders.append(
            spawn { _ in
              for number in 0..<6 {
                receiver.send(sender * 6 + number)
                _ = try receiver.audited()
                try await receiver.sendWaiting(1, timeout: .milliseconds(1))
              }
            })
        }
        if sim.random(in: 0..<2) == 0 {
          try await context.sleep(for: .milliseconds(1))
          receiver.sendExit(.shutdown)
        }
        for ref in senders.map({ context.monitor($0) }) {
          let down = try await context.receive(Down.self, where: { $0.ref == ref })
          if case .error(let error) = down.reason { try #require(error is SendError) }
        }
        receiver.sendExit(.kill)
        let ledger = try receiver.audited()
        try #require(ledger.queued == 0)
      }
    }
  }
}
