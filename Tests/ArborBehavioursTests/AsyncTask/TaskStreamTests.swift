import ArborBehaviours
import ArborProcesses
import ArborTestKit
import Testing

/// Takes as many milliseconds as it says and returns them.
@Sendable private func sleep(_ milliseconds: Int) async throws -> Int {
  try await withProcess { try await $0.sleep(for: .milliseconds(milliseconds)) }
  return milliseconds
}

@Sendable private func fail(_ number: Int) async throws -> Int { throw Failed(number: number) }

private struct Failed: Error, Equatable { let number: Int }

extension TaskStream {
  fileprivate func collect(_ limit: Int = .max) async throws -> [Element] {
    var all: [Element] = []
    for try await element in self {
      all.append(element)
      if all.count == limit { break }
    }
    return all
  }
}

private func succeed(_ numbers: [Int]) -> [Result<Int, TaskFailure<Int>>] {
  numbers.map(Result.success)
}

private func failures(_ numbers: [Int]) -> [Result<Int, TaskFailure<Int>>] {
  numbers.map { .failure(TaskFailure(input: $0, reason: .error(Failed(number: $0)))) }
}

/// Elixir's `task_test.exs`: `async_stream`, under virtual time.
@Suite struct TaskStreamTests {
  /// Runs one case, and sees that it left no task and no message.
  private func run(
    trapping: Bool = false, _ body: @escaping @Sendable (Simulation) async throws -> Void
  ) throws {
    try simulate(seed: 11) { sim in
      sim.context.trapExit(trapping)
      try await body(sim)
      await sim.settle()
      #expect(sim.node.processCount == 1)
      #expect(await sim.context.isClean())
    }
  }

  @Test("ExTask async_stream ordered", arguments: [4, 2, 8])
  func ordered(concurrency: Int) throws {
    try run { _ in
      let rising = AsyncTask.stream(1...4, maxConcurrency: concurrency, sleep)
      expectEqual(try await rising.collect(), succeed([1, 2, 3, 4]))
      expectEqual(try await rising.collect(2), succeed([1, 2]))  // it can be iterated again
      let falling = AsyncTask.stream([4, 3, 2, 1], maxConcurrency: concurrency, sleep)
      expectEqual(try await falling.collect(), succeed([4, 3, 2, 1]))
      expectEqual(try await AsyncTask.stream([], maxConcurrency: concurrency, sleep).collect(), [])
    }
  }

  @Test("ExTask async_stream unordered")
  func unordered() throws {
    try run { sim in
      let one = AsyncTask.stream([4, 3, 2, 1], maxConcurrency: 1, ordered: false, sleep)
      expectEqual(try await one.collect(), succeed([4, 3, 2, 1]))
      #expect(sim.now == .milliseconds(10))
      let four = AsyncTask.stream([4, 3, 2, 1], maxConcurrency: 4, ordered: false, sleep)
      expectEqual(try await four.collect(), succeed([1, 2, 3, 4]))
      #expect(sim.now == .milliseconds(14))
    }
  }

  @Test(
    "ExTask async_stream with exits: failures are results for an owner that traps",
    arguments: [4, 2, 8])
  func exits(concurrency: Int) throws {
    try run(trapping: true) { _ in
      let stream = AsyncTask.stream(1...4, maxConcurrency: concurrency, fail)
      expectEqual(try await stream.collect(), failures([1, 2, 3, 4]))
      expectEqual(try await stream.collect(2), failures([1, 2]))
    }
  }

  @Test("an owner that does not trap ends with the first failure, and its other tasks with it")
  func exitsTakeAlong() throws {
    try run { sim in
      let (_, ref) = sim.context.spawnMonitor { _ in
        _ = try await AsyncTask.stream([50, -1], maxConcurrency: 4) { number in
          if number < 0 { throw Failed(number: number) }
          return try await sleep(number)
        }.collect()
      }
      let down = try await sim.context.receive(Down.self, where: { $0.ref == ref })
      #expect(down.reason == .error(Failed(number: -1)))
      #expect(sim.now == .zero)
    }
  }

  @Test("a stream of code outside any process: failures are results")
  func outside() async throws {
    let stream = AsyncTask.stream(1...3, maxConcurrency: 2, fail)
    expectEqual(try await stream.collect(), failures([1, 2, 3]))
  }

  @Test("ExTask async_stream timeout: the stream ends")
  func timeout() throws {
    try run { sim in
      let stream = AsyncTask.stream([1, 9, 2], maxConcurrency: 2, timeout: .milliseconds(5), sleep)
      var seen: [Int] = []
      await #expect(throws: TaskError.timeout) {
        for try await result in stream { seen.append(try result.get()) }
      }
      #expect(seen == [1] && sim.now == .milliseconds(5))
      let forever = AsyncTask.stream([90_000], timeout: nil, sleep)
      expectEqual(try await forever.collect(), succeed([90_000]))
    }
  }

  @Test("ExTask async_stream on_timeout kill_task", arguments: [4, 2, 8])
  func killTask(concurrency: Int) throws {
    try run { _ in
      let late = Result<Int, TaskFailure<Int>>.failure(
        TaskFailure(input: 100, reason: .error(TaskError.timeout)))
      let ordered = AsyncTask.stream(
        [100, 1, 100, 1], maxConcurrency: concurrency, timeout: .milliseconds(50),
        onTimeout: .killTask, sleep)
      expectEqual(try await ordered.collect(), [late, .success(1), late, .success(1)])
      let unordered = AsyncTask.stream(
        [100, 1, 100, 1], maxConcurrency: 4, ordered: false, timeout: .milliseconds(50),
        onTimeout: .killTask, sleep)
      expectEqual(try await unordered.collect(), [.success(1), .success(1), late, late])
    }
  }

  @Test(
    "ExTask async_stream early halt shuts down unused tasks, without leaking messages",
    arguments: [4, 2, 8])
  func earlyHalt(concurrency: Int) throws {
    try run { sim in
      let stream = AsyncTask.stream(
        [0, 90_000, 90_000, 90_000], maxConcurrency: concurrency, timeout: nil, sleep)
      expectEqual(try await stream.collect(1), succeed([0]))
      // At once: the tasks are fenced, and linked to nobody.
      #expect(sim.context.core.bonds == ProcessCore.Bonds())
      await #expect(throws: Oops.self) { for try await _ in stream { throw Oops() } }
      #expect(sim.context.core.bonds == ProcessCore.Bonds())
    }
  }

  @Test("ExTask async_stream with inner halt: no element is taken that is not asked for")
  func lazy() throws {
    try run { _ in
      let (first, rest) = (["foo"], ["bar", "baz"])
      let stream = AsyncTask.stream([first, rest].lazy.flatMap(\.self), maxConcurrency: 1) { $0 }
      var taken: [String] = []
      for try await result in stream { taken.append(try result.get()) }
      #expect(taken == ["foo", "bar", "baz"])
      let endless = AsyncTask.stream(1..., maxConcurrency: 3) { $0 }
      var squares: [Int] = []
      for try await result in endless {
        squares.append(try result.get())
        if squares.count == 5 { break }
      }
      #expect(squares == [1, 2, 3, 4, 5])
    }
  }

  @Test("ExTask async_stream is zippable: two iterations at a time, also by different processes")
  func zippable() throws {
    try run(trapping: true) { sim in
      for body in [sleep, fail] {
        let stream = AsyncTask.stream([4, 3, 2, 1], maxConcurrency: 4, body)
        var left = stream.makeAsyncIterator()
        var right = stream.makeAsyncIterator()
        while let element = try await left.next() { #expect(try await right.next() == element) }
        #expect(try await right.next() == nil)
        #expect(try await left.next() == nil)
      }
      let me = sim.context.pid
      let stream = AsyncTask.stream([1, 2, 3]) { number in me.send(number) }
      let consumer = AsyncTask.start { for try await result in stream { try result.get() } }
      try await sim.context.waitUntilDown(consumer)
      for number in 1...3 {
        _ = try await sim.context.receive(Int.self, timeout: .zero, where: { $0 == number })
      }
    }
  }

  @Test("arguments that make no sense are refused before anything is taken")
  func badArguments() throws {
    try run { sim in
      for stream in [
        AsyncTask.stream([1], maxConcurrency: 0, sleep),
        AsyncTask.stream([1], maxConcurrency: -1, sleep),
        AsyncTask.stream([1], timeout: .seconds(-1), sleep),
      ] {
        await #expect(throws: TaskError.badarg) { try await stream.collect() }
      }
    }
  }

  @Test("a task that is killed from outside is a failure too")
  func killedTask() throws {
    try run(trapping: true) { sim in
      let me = sim.context.pid
      let stream = AsyncTask.stream([1, 2], maxConcurrency: 2, timeout: nil) { number in
        await withProcess { me.send(($0.pid, number)) }
        if number == 1 { try await forever() }
        return number
      }
      var iterator = stream.makeAsyncIterator()
      async let first = iterator.next()
      let (pid, _) = try await sim.context.receive((PID, Int).self, where: { $0.1 == 1 })
      pid.sendExit(.kill)
      #expect(try await first == .failure(TaskFailure(input: 1, reason: .killed)))
      _ = try await sim.context.receive((PID, Int).self)
    }
  }

  @Test("whose linked task fails is told of what, while it is on its own way out")
  func ownFailure() throws {
    try run { sim in
      let heard = Heard<TaskError>()
      let (_, ref) = sim.context.spawnMonitor { _ in
        do {
          for try await _ in AsyncTask.stream([1, 2], fail) {}
        } catch let error as TaskError {
          heard.add(error)
        }
      }
      let down = try await sim.context.receive(Down.self, where: { $0.ref == ref })
      #expect(heard.all == [.exit(down.reason)])
      guard case .error(let error) = down.reason else { throw Oops() }
      #expect(error is Failed)
    }
  }

  @Test("what a killed task returns all the same is no result")
  func fencedTask() throws {
    try run(trapping: true) { sim in
      let me = sim.context.pid
      let stream = AsyncTask.stream([1], timeout: nil) { number in
        await withProcess { me.send($0.pid) }
        try? await forever()
        return number
      }
      var iterator = stream.makeAsyncIterator()
      async let first = iterator.next()
      try await sim.context.receive(PID.self).sendExit(.kill)
      #expect(try await first == .failure(TaskFailure(input: 1, reason: .killed)))
    }
  }

  @Test(
    "a process that is exiting starts no tasks, in none of its Swift tasks",
    arguments: [true, false])
  func exitingOwner(trapping: Bool) throws {
    try run { sim in
      let me = sim.context.pid
      let (owner, ref) = sim.context.spawnMonitor { context in
        context.trapExit(trapping)
        context.sendExit(.kill, to: context.pid)
        // Not the process's own task, which is cancelled.
        await Task {
          _ = await #expect(throws: TaskError.cancelled) {
            try await AsyncTask.stream([1, 2], timeout: nil) { me.send($0) }
              .collect().count
          }
        }.value
      }
      let down = try await sim.context.receive(Down.self, where: { $0.ref == ref })
      #expect(down.pid == owner && down.reason == .killed)
      await sim.settle()
      #expect(sim.context.mailbox.queued == 0 && sim.node.processCount == 1)
    }
  }

  @Test("the iterating task is cancelled, or its process told to exit: no task is left")
  func cancelled() throws {
    try run { sim in
      let plain = Task {
        try await AsyncTask.stream(1...9, maxConcurrency: 3, timeout: nil) { _ in
          try await forever()
        }
        .collect().count
      }
      await sim.settle()
      plain.cancel()
      await #expect(throws: TaskError.cancelled) { try await plain.value }
      for trapping in [true, false] {
        let (owner, ref) = sim.context.spawnMonitor { context in
          context.trapExit(trapping)
          _ = try await AsyncTask.stream(1...9, maxConcurrency: 3, timeout: nil) { _ in
            try await forever()
          }
          .collect()
        }
        await sim.settle()
        owner.sendExit(.kill)
        _ = try await sim.context.receive(Down.self, where: { $0.ref == ref })
      }
    }
  }

  @Test("ExTask no task outlives its stream, whatever ends it and when")
  func races() throws {
    try simulate(seeds: 0..<500) { sim in
      let context = sim.context
      let trapping = sim.random(in: 0..<2) == 0
      let ordered = sim.random(in: 0..<2) == 0
      let onTimeout = sim.random(in: 0..<2) == 0 ? StreamTimeout.killTask : .endStream
      let concurrency = sim.random(in: 1..<4)
      let limit = sim.random(in: 1..<9)
      let numbers = (0..<6).map { _ in sim.random(in: -1..<6) }
      let killAfter = sim.random(in: 0..<12)
      let me = context.pid
      let (owner, ref) = context.spawnMonitor { context in
        context.trapExit(trapping)
        let stream = AsyncTask.stream(
          numbers, maxConcurrency: concurrency, ordered: ordered, timeout: .milliseconds(4),
          onTimeout: onTimeout
        ) { number in
          if number < 0 { throw Failed(number: number) }
          return try await sleep(number)
        }
        var seen: [Int] = []
        for try await result in stream {
          switch result {
          case .success(let number): seen.append(number)
          case .failure(let failure): seen.append(failure.input)
          }
          if seen.count == limit { break }
        }
        let mail = await context.flush()
        try #require(mail.isEmpty && context.core.bonds.links == 0)
        me.send(seen)
      }
      await sim.advance(by: .milliseconds(killAfter))
      if killAfter < 10 { owner.sendExit(.kill) }
      _ = try await context.receive(Down.self, where: { $0.ref == ref })
      await sim.advance(by: .seconds(2))
      try #require(sim.node.processCount == 1)
      if let seen = try? await context.receive([Int].self, timeout: .zero) {
        let expected = numbers.prefix(limit)
        if ordered {
          try #require(seen == Array(expected))
        } else {
          try #require(seen.count == expected.count)
        }
      }
    }
  }
}

/// The machine itself, without tasks.
@Suite struct TaskStreamMachineTests {
  private typealias Machine = TaskStreamMachine<String, Int>

  private func describe(_ step: Machine.Step) -> String {
    switch step {
    case .start(let position): "start \(position)"
    case .deliver(.success(let value)): "\(value)"
    case .deliver(.failure(let failure)): "\(failure.input): \(failure.reason)"
    case .wait: "wait"
    case .finished: "finished"
    case .failed(let error): "failed \(error == .timeout)"
    }
  }

  private func expect(
    _ machine: inout Machine, _ expected: [String], at place: SourceLocation = #_sourceLocation
  ) {
    let found = expected.map { _ in
      let step = machine.next()
      if case .start = step { machine.started("e") }
      return describe(step)
    }
    #expect(found == expected, sourceLocation: place)
  }

  @Test("starts go before results, results in order, an end after the last")
  func order() {
    var machine = Machine(maxConcurrency: 2, isOrdered: true, onTimeout: .killTask)
    expect(&machine, ["start 0", "start 1", "wait"])
    machine.replied(1, 11)
    expect(&machine, ["wait"])  // a value counts when its task has ended
    machine.ended(1, .normal)
    expect(&machine, ["start 2", "wait"])
    machine.replied(0, 10)
    machine.ended(0, .normal)
    expect(&machine, ["start 3", "10", "11", "wait"])
    machine.inputEnded()
    machine.replied(3, 13)
    machine.ended(3, .normal)
    expect(&machine, ["wait"])
    machine.ended(2, .killed)
    expect(&machine, ["e: killed", "13"])
    expect(&machine, ["finished", "finished"])
  }

  @Test("a timeout counts unless the value was there, and once")
  func timeouts() {
    var machine = Machine(maxConcurrency: 2, isOrdered: false, onTimeout: .killTask)
    expect(&machine, ["start 0", "start 1"])
    machine.inputEnded()
    machine.replied(0, 10)
    let late = [machine.timedOut(0), machine.timedOut(1), machine.timedOut(1)]
    #expect(late == [false, true, false])
    machine.replied(1, 11)
    machine.ended(1, .killed)
    machine.ended(1, .killed)
    machine.ended(0, .killed)
    expect(&machine, ["e: \(TaskError.timeout)", "10", "finished"])
    var ending = Machine(maxConcurrency: 1, isOrdered: true, onTimeout: .endStream)
    expect(&ending, ["start 0"])
    let isLate = ending.timedOut(0)
    #expect(isLate)
    expect(&ending, ["failed true", "failed true"])
  }
}
