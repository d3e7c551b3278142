import ArborBehaviours
import ArborProcesses
import ArborTestKit
import Testing

struct Oops: Error, Equatable {}
/// What nobody sends.
struct Nothing {}

extension ProcessContext {
  /// Returns when a process has ended and all that its end brings has arrived here.
  func waitUntilDown(_ pid: PID) async throws {
    let ref = monitor(pid)
    _ = try await receive(Down.self, where: { $0.ref == ref })
  }

  /// The messages that are in the mailbox, taken out.
  func flush() async -> [any Sendable] {
    var all: [any Sendable] = []
    while let next = try? await receive(timeout: .zero) { all.append(next) }
    return all
  }

  /// True if nothing of any task is left: no mail, no link, monitor or alias.
  func isClean() async -> Bool {
    let mail = await flush()
    return mail.isEmpty && core.bonds == ProcessCore.Bonds()
  }
}

/// As `#expect(found == expected)`, where the macro does not see that what is found is thrown by a call.
func expectEqual<Value: Equatable>(
  _ found: Value, _ expected: Value, at place: SourceLocation = #_sourceLocation
) {
  #expect(found == expected, sourceLocation: place)
}

/// A body that answers when it is told to.
@Sendable func onGo<Value: Sendable>(_ value: Value) async throws -> Value {
  try await withProcess { context in
    _ = try await context.receive(String.self, where: { $0 == "go" })
    return value
  }
}

/// A body that never ends by itself.
@Sendable func forever() async throws {
  try await withProcess { context in _ = try await context.receive(Nothing.self) }
}

/// Elixir's `task_test.exs`: starting, callers, awaiting.
@Suite final class AsyncTaskTests {
  let node = Node(workers: 2)
  deinit { node.shutdown() }

  @Test("ExTask async/1: linked; a reply and a DOWN with one reference")
  func async() async throws {
    try await withProcess(on: node) { context in
      let task = try AsyncTask.async { try await onGo("done") }
      #expect(task.owner == context.pid && task.pid.isAlive)
      #expect(context.core.bonds.links == 1)
      task.pid.send("go")
      let reply = try await context.receive(AsyncTask<String>.Reply.self)
      let down = try await context.receive(Down.self)
      #expect(reply.ref == task.ref && reply.value == "done")
      #expect(down.ref == task.ref && down.reason == .normal)
      #expect(await context.isClean())
    }
  }

  @Test("ExTask async with $callers, start_link with $callers, async_stream with $callers")
  func callers() async throws {
    try await withProcess(on: node) { context in
      let grandparent = context.pid
      let check = { @Sendable (expected: [PID]) async throws in
        let callers = await withProcess { $0.callers }
        try #require(callers == expected)
      }
      let task = try AsyncTask.async {
        let parent = await withProcess { $0.pid }
        try await check([grandparent])
        try await AsyncTask.async { try await check([parent, grandparent]) }.await()
        let inner = try AsyncTask.startLink {
          try await check([parent, grandparent])
          grandparent.send("linked")
        }
        try await withProcess { try await $0.waitUntilDown(inner) }
        AsyncTask.start {
          try await check([parent, grandparent])
          grandparent.send("started")
        }
        for try await result in AsyncTask.stream(
          [1], { _ in try await check([parent, grandparent]) })
        {
          try result.get()
        }
      }
      try await task.await()
      #expect(try await context.receive(String.self, where: { $0 == "linked" }) == "linked")
      #expect(try await context.receive(String.self) == "started")
    }
  }

  @Test(
    "ExTask start/1 is linked to nobody, start_link/1 to the caller; a plain task can start one")
  func start() async throws {
    try await withProcess(on: node) { context in
      let loose = AsyncTask.start { try await onGo(()) }
      #expect(context.core.bonds.links == 0)
      let linked = try AsyncTask.startLink { try await onGo(()) }
      #expect(context.core.bonds.links == 1)
      for pid in [loose, linked] {
        pid.send("go")
        try await context.waitUntilDown(pid)
      }
      #expect(loose.fate?.reason == .normal && linked.fate?.reason == .normal)
      #expect(await context.isClean())
    }
    #expect(throws: TaskError.notInProcess) { try AsyncTask.startLink {} }
    #expect(throws: TaskError.notInProcess) { try AsyncTask.async { 1 } }
    let pid = AsyncTask.start(on: node) { try await onGo(()) }
    pid.send("go")
    try await withProcess(on: node) { try await $0.waitUntilDown(pid) }
  }

  @Test("a linked task's failure is its owner's, and its owner's end the task's")
  func linked() async throws {
    try await withProcess(on: node) { context in
      let (owner, ref) = context.spawnMonitor { _ in
        try await AsyncTask.async { throw Oops() }.await()
      }
      let down = try await context.receive(Down.self, where: { $0.ref == ref })
      #expect(down.reason == .error(Oops()) && down.pid == owner)
      let me = context.pid
      let other = context.spawnMonitor { _ in
        me.send(try AsyncTask.async { try await forever() }.pid)
        try await forever()
      }
      let task = try await context.receive(PID.self)
      other.pid.sendExit(.shutdown)
      try await context.waitUntilDown(task)
      #expect(task.fate?.reason == .shutdown)
    }
    // Plain code that a task's failure ends hears of what it was.
    await #expect(throws: TaskError.exit(.error(Oops()))) {
      try await withProcess(on: node) { _ in try await AsyncTask.async { throw Oops() }.await() }
    }
  }

  @Test("ExTask async_nolink: the failure is what await throws, and the task outlives its owner")
  func noLink() async throws {
    try await withProcess(on: node) { context in
      let task = try AsyncTask.asyncNoLink { throw Oops() }
      await #expect(throws: TaskError.exit(.error(Oops()))) { try await task.await() }
      let me = context.pid
      let (owner, _) = context.spawnMonitor { _ in
        me.send(try AsyncTask.asyncNoLink { try await onGo(()) }.pid)
      }
      let outliving = try await context.receive(PID.self)
      try await context.waitUntilDown(owner)
      #expect(outliving.isAlive)
      outliving.send("go")
      try await context.waitUntilDown(outliving)
      #expect(outliving.fate?.reason == .normal)
    }
  }

  @Test("ExTask completed/1")
  func completed() async throws {
    try await withProcess(on: node) { context in
      let task = try AsyncTask.completed(5)
      #expect(try await task.await() == 5)
      #expect(try await task.yield() == .success(5))
      #expect(try await AsyncTask.awaitMany([task, try AsyncTask.async { 6 }]) == [5, 6])
      #expect(try await task.ignore() == .success(5))
      #expect(try await task.shutdown() == .success(5))
      #expect(!task.pid.isAlive)
    }
  }

  @Test("ExTask ignore/1 discards replies and failures, on time and late")
  func ignore() async throws {
    try await withProcess(on: node) { context in
      let onTime = try AsyncTask.async { 1 }
      try await context.waitUntilDown(onTime.pid)
      #expect(try await onTime.ignore() == .success(1))
      let late = try AsyncTask.async { try await onGo(1) }
      #expect(try await late.ignore() == nil)
      #expect(context.core.bonds == ProcessCore.Bonds())
      late.pid.send("go")
      try await context.waitUntilDown(late.pid)
      let lateFailure = try AsyncTask.async {
        _ = try await onGo(())
        throw Oops()
      }
      #expect(try await lateFailure.ignore() == nil)
      lateFailure.pid.send("go")
      try await context.waitUntilDown(lateFailure.pid)
      context.trapExit()
      let failure = try AsyncTask<Int>.async { throw Oops() }
      try await context.waitUntilDown(failure.pid)
      #expect(try await failure.ignore() == .failure(.error(Oops())))
      _ = try await context.receive(Exit.self)
      for task in [onTime, late] {
        await #expect(throws: TaskError.alreadyAwaited) { try await task.await(timeout: nil) }
        #expect(try await task.ignore() == nil)
        #expect(try await task.yield(timeout: nil) == nil)
      }
      #expect(await context.isClean())
    }
  }

  @Test("ExTask demonitors and unalias on timeout: no reply and no DOWN arrives later")
  func demonitorsOnTimeout() async throws {
    try await withProcess(on: node) { context in
      let task = try AsyncTask.async { try await onGo("done") }
      await #expect(throws: TaskError.timeout) { try await task.await(timeout: .zero) }
      task.pid.send("go")
      try await context.waitUntilDown(task.pid)
      #expect(await context.isClean())
    }
  }

  @Test("ExTask await/2 exits on timeout, normal exit, error, exit, and once it was awaited")
  func await() throws {
    try simulate(seed: 1) { sim in
      let context = sim.context
      let slow = try AsyncTask.async { try await forever() }
      await #expect(throws: TaskError.timeout) { try await slow.await() }
      #expect(sim.now == .seconds(5))
      let normal = try AsyncTask.async { throw ExitReason.normal }
      await #expect(throws: TaskError.exit(.normal)) { try await normal.await() }
      context.trapExit()
      let failed = try AsyncTask.async { throw Oops() }
      await #expect(throws: TaskError.exit(.error(Oops()))) { try await failed.await() }
      let exited = try AsyncTask.async { throw ExitReason.shutdown("enough") }
      await #expect(throws: TaskError.exit(.shutdown("enough"))) { try await exited.await() }
      let done = try AsyncTask.async { 1 }
      #expect(try await done.await() == 1)
      await #expect(throws: TaskError.alreadyAwaited) { try await done.await(timeout: nil) }
      await #expect(throws: TaskError.badarg) { try await done.await(timeout: .seconds(-1)) }
    }
  }

  @Test("ExTask raises when invoked from a non-owner process")
  func owner() async throws {
    try await withProcess(on: node) { context in
      let me = context.pid
      let (other, _) = context.spawnMonitor { _ in
        let task = try AsyncTask.async { 1 }
        me.send(task)
        try await forever()
      }
      let task = try await context.receive(AsyncTask<Int>.self)
      let error = TaskError.notOwner(other, caller: me)
      await #expect(throws: error) { try await task.await() }
      await #expect(throws: error) { _ = try await task.yield() }
      await #expect(throws: error) { try await task.shutdown() }
      await #expect(throws: error) { try await task.ignore() }
      await #expect(throws: error) { try await AsyncTask.awaitMany([task]) }
      await #expect(throws: error) { _ = try await AsyncTask.yieldMany([task]) }
      await Task.detached {
        _ = await #expect(throws: TaskError.notOwner(other, caller: nil)) { try await task.await() }
      }.value
      other.sendExit(.kill)
    }
  }

  @Test("ExTask yield/2 returns nil on timeout and can be asked again; exit on normal exit")
  func yield() async throws {
    try await withProcess(on: node) { context in
      let task = try AsyncTask.async { try await onGo(7) }
      #expect(try await task.yield(timeout: .zero) == nil)
      task.pid.send("go")
      #expect(try await task.yield() == .success(7))
      let normal = try AsyncTask<Int>.async { throw ExitReason.normal }
      #expect(try await normal.yield() == .failure(.normal))
      #expect(await context.isClean())
    }
  }

  @Test("a task's messages are for handleInfo too")
  func inServer() async throws {
    let server = try await Asker.start(on: node) { Asker() }
    #expect(try await server.call { .ask(42, $0) } == 42)
    #expect(try await server.call { .ask(-1, $0) } == nil)
    try await server.stop()
  }

  @Test("an owner that is told to exit while it awaits is woken, and hears no task's reason")
  func exiting() throws {
    try simulate(seed: 1) { sim in
      let me = sim.context.pid
      let (owner, ref) = sim.context.spawnMonitor { _ in
        let task = try AsyncTask.asyncNoLink { try await forever() }
        do { try await task.await(timeout: nil) } catch {
          me.core.deliver(Mail.make(.message, error, context: nil))
        }
      }
      await sim.settle()
      owner.sendExit(.shutdown)
      let down = try await sim.context.receive(Down.self, where: { $0.ref == ref })
      #expect(down.reason == .shutdown)
      let error = try await sim.context.receive(TaskError.self)
      #expect(error == .cancelled)
    }
  }
}

/// A server that has its questions answered by tasks, without waiting for them.
private actor Asker: GenServer {
  enum Call: Sendable { case ask(Int, From<Int?>) }
  let process = ProcessContext()
  private var askers: [MonitorRef: From<Int?>] = [:]

  func handleCall(_ call: Call) throws {
    switch call {
    case .ask(let number, let from):
      let task = try AsyncTask.asyncNoLink {
        if number < 0 { throw Oops() }
        return number
      }
      askers[task.ref] = from
    }
  }

  func handleInfo(_ info: Info) {
    switch info {
    case .message(let message):
      guard let reply = message as? AsyncTask<Int>.Reply else { return }
      process.demonitor(reply.ref, flush: true)
      askers.removeValue(forKey: reply.ref)?.reply(reply.value)
    case .down(let down): askers.removeValue(forKey: down.ref)?.reply(nil)
    default: break
    }
  }
}
