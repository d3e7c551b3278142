import ArborBehaviours
import ArborProcesses
import ArborTestKit
import Testing

/// A server that is kept busy for a second by each request.
private actor Slow: GenServer {
  enum Call: Sendable { case echo(Int, From<Int>) }
  enum Cast: Sendable { case work }

  let process = ProcessContext()

  func handleCall(_ call: Call) async throws {
    switch call {
    case .echo(let number, let from):
      try await process.sleep(for: .seconds(1))
      from.reply(number)
    }
  }

  func handleCast(_ cast: Cast) async throws { try await process.sleep(for: .seconds(1)) }
}

private enum Answer: Sendable, Equatable {
  case value(Int)
  case failure(CallError)
}

extension ServerRef<Slow> {
  fileprivate func echo(_ number: Int, timeout: Duration = .seconds(100)) async -> Answer {
    do throws(CallError) {
      return .value(try await call(timeout: timeout) { .echo(number, $0) })
    } catch {
      return .failure(error)
    }
  }
}

@Suite struct BoundedServerTests {
  @Test(
    "a call to a full mailbox fails overloaded at once",
    arguments: [MailboxOverflow.fail, .dropNewest, .dropOldest])
  func overloaded(overflow: MailboxOverflow) throws {
    try simulate(seeds: 0..<30) { sim in
      let slow = try await Slow.start(mailbox: .bounded(1, overflow)) { Slow() }
      slow.cast(.work)
      await sim.settle()
      slow.cast(.work)
      let before = sim.now
      let answer = await slow.echo(1)
      try #require(answer == .failure(.overloaded) && sim.now == before)
      if overflow == .dropOldest {
        try slow.tryCast(.work)
      } else {
        try #require(throws: SendError.full) { try slow.tryCast(.work) }
      }
      let missing = ServerRef<Slow>(named: "nobody")
      try #require(throws: SendError.noproc) { try missing.tryCast(.work) }
    }
  }

  @Test("with suspend every call waits its turn, within its timeout")
  func suspends() throws {
    try simulate(seeds: 0..<100) { sim in
      let slow = try await Slow.start(mailbox: .bounded(1, .suspend)) { Slow() }
      let answers = await withTaskGroup(of: (Int, Answer).self) { group in
        for number in 0..<5 { group.addTask { (number, await slow.echo(number)) } }
        group.addTask { (5, await slow.echo(5, timeout: .milliseconds(500))) }
        var answers = [Int: Answer]()
        for await (number, answer) in group { answers[number] = answer }
        return answers
      }
      for number in 0..<5 { try #require(answers[number] == .value(number)) }
      try #require(answers[5] == .failure(.timeout))
      let ledger = try #require(slow.mailbox)
      try #require(ledger.dropped == 0 && ledger.highWater == 1)
    }
  }

  @Test("a queued call that is dropped for a newer cast fails overloaded")
  func displaced() throws {
    try simulate(seeds: 0..<50) { sim in
      let slow = try await Slow.start(mailbox: .bounded(1, .dropOldest)) { Slow() }
      slow.cast(.work)
      await sim.settle()
      async let answer = slow.echo(1)
      await sim.settle()
      slow.cast(.work)
      let got = await answer
      try #require(got == .failure(.overloaded))
      try #require(sim.now == .zero)
    }
  }

  @Test("calls that wait for room hear the reason of a server that ends")
  func serverEnds() throws {
    try simulate(seeds: 0..<100) { sim in
      let slow = try await Slow.start(mailbox: .bounded(1, .suspend)) { Slow() }
      let pid = try #require(slow.pid)
      let calls = (0..<4).map { number in Task { await slow.echo(number) } }
      if sim.random(in: 0..<2) == 0 { await sim.settle() }
      pid.sendExit(.shutdown)
      for call in calls {
        let answer = await call.value
        try #require(answer == .failure(.exit(.shutdown)) || answer == .failure(.noproc))
      }
    }
  }

  @Test("castWaiting goes on as soon as the server has taken a message")
  func castWaiting() throws {
    try simulate(seeds: 0..<30) { sim in
      let slow = try await Slow.start(mailbox: .bounded(1, .fail)) { Slow() }
      for _ in 0..<4 { try await slow.castWaiting(.work) }
      // The first is being handled at once; the fourth gets in when the third is.
      try #require(sim.now == .seconds(2))
      let late = await #expect(throws: SendError.timeout) {
        try await slow.castWaiting(.work, timeout: .milliseconds(100))
      }
      try #require(late != nil)
    }
  }
}
