import ArborProcesses
import ArborTestKit
import Testing

@testable import ArborBehaviours

/// Elixir's `task_test.exs`: `await_many`, `yield_many`, `shutdown`.
@Suite final class ManyTasksTests {
  let node = Node(workers: 2)
  deinit { node.shutdown() }

  @Test("ExTask await_many/2 returns replies in input order ignoring response order")
  func awaitMany() async throws {
    try await withProcess(on: node) { context in
      #expect(try await AsyncTask<Int>.awaitMany([]) == [])
      let tasks = try [1, 3, 9].map { number in try AsyncTask.async { try await onGo(number) } }
      for task in tasks.reversed() {
        task.pid.send("go")
        try await context.waitUntilDown(task.pid)
      }
      // Messages of others are left where they are.
      context.pid.send("other")
      #expect(try await AsyncTask.awaitMany(tasks) == [1, 3, 9])
      #expect(try await context.receive(String.self) == "other")
      #expect(await context.isClean())
    }
  }

  @Test(
    "ExTask await_many/2 exits immediately when any task exits, and clears up",
    arguments: [ExitReason.normal, .shutdown, .error(Oops())])
  func awaitManyFails(reason: ExitReason) async throws {
    try await withProcess(on: node) { context in
      context.trapExit()
      let slow = try AsyncTask.async { try await forever() }
      let failing = try AsyncTask.async { throw reason }
      await #expect(throws: TaskError.exit(reason)) {
        try await AsyncTask.awaitMany([slow, failing], timeout: nil)
      }
      slow.pid.sendExit(.kill)
      let exits = [try await context.receive(Exit.self), try await context.receive(Exit.self)]
      #expect(exits.contains { $0.reason == .killed } && exits.contains { $0.reason == reason })
      #expect(await context.isClean())
    }
  }

  @Test("ExTask await_many/2 exits on timeout, for all tasks together")
  func awaitManyTimesOut() throws {
    try simulate(seed: 2) { sim in
      let tasks = try [1, 2, 3].map { seconds in
        try AsyncTask.asyncNoLink {
          try await withProcess { try await $0.sleep(for: .seconds(seconds)) }
        }
      }
      await #expect(throws: TaskError.timeout) {
        try await AsyncTask.awaitMany(tasks, timeout: .milliseconds(2500))
      }
      #expect(sim.now == .milliseconds(2500))
      await #expect(throws: TaskError.alreadyAwaited) {
        try await AsyncTask.awaitMany(tasks, timeout: nil)
      }
      try await sim.context.sleep(for: .seconds(1))
      #expect(await sim.context.isClean())
    }
  }

  @Test("ExTask yield_many/2: results, nil on timeout, exits; what came late can be asked for")
  func yieldMany() throws {
    try simulate(seed: 3) { sim in
      let one = try AsyncTask.async { 1 }
      let slow = try AsyncTask.async {
        try await withProcess { try await $0.sleep(for: .seconds(9)) }
        return 2
      }
      let exited = try AsyncTask<Int>.async { throw ExitReason.normal }
      let outcomes = try await AsyncTask.yieldMany([one, slow, exited])
      #expect(outcomes.map(\.outcome) == [.success(1), nil, .failure(.normal)])
      #expect(outcomes.map(\.task.ref) == [one.ref, slow.ref, exited.ref])
      #expect(sim.now == .seconds(5))
      let again = try await AsyncTask.yieldMany([one, slow], timeout: nil)
      #expect(again.map(\.outcome) == [nil, .success(2)])
      #expect(await sim.context.isClean())
      await #expect(throws: TaskError.badarg) { _ = try await AsyncTask.yieldMany([one], limit: 0) }
      await #expect(throws: TaskError.badarg) {
        _ = try await AsyncTask.yieldMany([one], timeout: .seconds(-1))
      }
    }
  }

  @Test(
    "ExTask yield_many/2 with limit: as many as are asked for, or all; on_timeout only on timeout")
  func yieldManyLimit() async throws {
    try await withProcess(on: node) { context in
      context.trapExit()
      let slow = try AsyncTask.async {
        try await forever()
        return 0
      }
      let done = try AsyncTask.async { 1 }
      let first = try await AsyncTask.yieldMany(
        [slow, done], timeout: nil, limit: 1, onTimeout: .killTask)
      #expect(first.map(\.outcome) == [nil, .success(1)] && slow.pid.isAlive)
      let second = try await AsyncTask.yieldMany([slow], timeout: .zero, onTimeout: .killTask)
      #expect(second.map(\.outcome) == [nil] && slow.pid.fate?.reason == .killed)
      let more = try await AsyncTask.yieldMany([try AsyncTask.async { 2 }], timeout: nil, limit: 2)
      #expect(more.map(\.outcome) == [.success(2)])
      let ignored = try AsyncTask.async { try await onGo(3) }
      let third = try await AsyncTask.yieldMany([ignored], timeout: .zero, onTimeout: .ignore)
      #expect(third.map(\.outcome) == [nil] && ignored.pid.isAlive)
      ignored.pid.send("go")
      try await context.waitUntilDown(ignored.pid)
      #expect(try await ignored.yield(timeout: .zero) == nil)
      _ = try await context.receive(Exit.self)  // of `done`, and of the other that was linked
      _ = try await context.receive(Exit.self)
      #expect(await context.isClean())
    }
  }

  /// What `shutdown` returns for a task that had ended of a reason before.
  @Test(
    "ExTask shutdown/2: reply, or exit, when they are in the queue",
    arguments: [Shutdown.timeout(.seconds(5)), .infinity, .brutalKill],
    [ExitReason.normal, .shutdown, .killed, .error(Oops())])
  func shutdownOfEnded(shutdown: Shutdown, reason: ExitReason) async throws {
    try await withProcess(on: node) { context in
      let replied = try AsyncTask.async { 1 }
      let failed = try AsyncTask.asyncNoLink { throw reason }
      try await context.waitUntilDown(replied.pid)
      try await context.waitUntilDown(failed.pid)
      #expect(try await replied.shutdown(shutdown) == .success(1))
      let isAsAsked = shutdown == .brutalKill ? reason == .killed : reason == .shutdown
      let outcome = try await failed.shutdown(shutdown)
      switch outcome {
      case nil: #expect(isAsAsked)
      case .failure(let found): #expect(found == reason && !isAsAsked)
      case .success: Issue.record("no value was to come")
      }
      // Handled: it is nobody any more.
      #expect(try await replied.shutdown(shutdown) == .failure(.noproc))
      #expect(await context.isClean())
    }
  }

  @Test(
    "ExTask shutdown/2, yield/2, await/2: the reply counts, when an abnormal DOWN is in the queue too",
    arguments: [ExitReason.shutdown, .kill, .error(Oops())])
  func replyAndDown(reason: ExitReason) async throws {
    typealias Take = @Sendable (AsyncTask<Int>) async throws -> AsyncTask<Int>.Outcome?
    let takes: [Take] = [
      { try await $0.shutdown() }, { try await $0.shutdown(.brutalKill) }, { try await $0.yield() },
      { try await $0.ignore() }, { .success(try await $0.await()) },
      { .success(try await AsyncTask.awaitMany([$0])[0]) },
      { try await AsyncTask.yieldMany([$0])[0].outcome },
    ]
    try await withProcess(on: node) { context in
      for take in takes {
        let task = try AsyncTask.asyncNoLink { () async throws -> Int in
          try await forever()
          return 2
        }
        context.pid.send(AsyncTask<Int>.Reply(ref: task.ref, value: 1))
        task.pid.sendExit(reason)
        try await context.waitUntilDown(task.pid)
        #expect(try await take(task) == .success(1))
        #expect(await context.isClean())
      }
    }
  }

  @Test("ExTask default :logger reporter logs a terminated task, with its label and its owner")
  func logs() throws {
    try simulate(seed: 1) { sim in
      let logger = Collector()
      sim.node.logger = logger
      try sim.context.register("owner")
      for reason in [ExitReason.normal, .shutdown, .error(Oops())] {
        let task = try AsyncTask.asyncNoLink { () async throws -> Int in
          await withProcess { $0.setLabel("thumbnails") }
          throw reason
        }
        try await sim.context.waitUntilDown(task.pid)
        try #require(logger.reports.map(\.pid) == (reason.isQuiet ? [] : [task.pid]))
        try await task.ignore()
      }
      let report = try #require(logger.reports.first)
      try #require(report.reason == .error(Oops()) && report.info.label == "thumbnails")
      try #require(report.info.ancestors.first?.name == "owner")
      try #require(report.info.callers == [sim.context.pid])
      try #require("\(report)".contains("label: thumbnails"))
    }
  }

  @Test("ExTask shutdown/2 returns nil on shutting down and on killing; the owner lives on")
  func shutdown() async throws {
    try await withProcess(on: node) { context in
      for shutdown in [Shutdown.timeout(.seconds(5)), .infinity, .brutalKill] {
        let task = try AsyncTask.async {
          try await forever()
          return 1
        }
        #expect(try await task.shutdown(shutdown) == nil)
        #expect(task.pid.fate?.reason == (shutdown == .brutalKill ? .killed : .shutdown))
      }
      #expect(await context.isClean())
      let task = try AsyncTask.async { try await onGo(1) }
      await #expect(throws: TaskError.badarg) { try await task.shutdown(.timeout(.seconds(-1))) }
      task.pid.send("go")
      #expect(try await task.await() == 1)
    }
  }

  @Test("ExTask shutdown/2 returns exit on killing task after shutdown timeout")
  func shutdownTimesOut() throws {
    try simulate(seed: 4) { sim in
      let task = try AsyncTask.async {
        try await withProcess { context in
          context.trapExit()
          _ = try await context.receive(Nothing.self)
          return 1
        }
      }
      await sim.settle()
      #expect(try await task.shutdown(.timeout(.milliseconds(10))) == .failure(.killed))
      #expect(sim.now == .milliseconds(10))
      #expect(await sim.context.isClean())
    }
  }

  @Test("a reply, a DOWN, a timeout and a shutdown race: one answer, and nothing arrives later")
  func races() throws {
    try simulate(seeds: 0..<500) { sim in
      let context = sim.context
      context.trapExit()
      let work = sim.random(in: 0..<4)
      let task = try AsyncTask.async {
        try await withProcess { try await $0.sleep(for: .microseconds(work)) }
        return work
      }
      let wait = Duration.microseconds(sim.random(in: 0..<4))
      switch sim.random(in: 0..<5) {
      case 0: if let value = try? await task.await(timeout: wait) { try #require(value == work) }
      case 1:
        if case .failure(let reason) = try await task.yield(timeout: wait) {
          throw TaskError.exit(reason)
        }
        try await task.ignore()
      case 2: try await task.shutdown(.timeout(wait))
      case 3: try await task.shutdown(.brutalKill)
      default: _ = try await AsyncTask.yieldMany([task], timeout: wait, onTimeout: .killTask)
      }
      await sim.advance(by: .milliseconds(1))
      while (try? await context.receive(Exit.self, timeout: .zero)) != nil {}
      try #require(await context.isClean())
      try #require(sim.node.processCount == 1)
    }
  }
}
