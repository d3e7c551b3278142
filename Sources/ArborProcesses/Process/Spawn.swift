import ArborPrimitives
import Synchronization

extension ProcessCore {
  /// Starts the process's own task. What leaves `body` is the exit reason.
  ///
  /// - Parameter cursor: the span that the process starts under.
  package func launch(
    under cursor: TraceCursor?,
    _ body: @escaping @Sendable (ProcessCore) async throws -> Void
  ) {
    self.body = .core(body)
    begin(under: cursor, makeTask)
  }

  /// The same, for a body that is handed a context.
  package func launchBody(
    under cursor: TraceCursor?, _ body: @escaping @Sendable (ProcessContext) async throws -> Void
  ) {
    self.body = .raw(body)
    begin(under: cursor, makeTask)
  }

  private func makeTask() -> Task<Void, any Error> {
    // It takes what it is to run from the process, for a closure with one reference needs no memory,
    // and could throw, because one that cannot is wrapped in another that can.
    Task(executorPreference: self) {
      guard self.mayBegin else { return }
      do {
        // Called by itself: a closure around it would be another step at which the Swift runtime
        // looks for a change of executors.
        switch self.takeBody() {
        case .core(let body): try await body(self)
        case .raw(let body): try await body(ProcessContext(self))
        case nil: break
        }
        self.finish(.normal)
      } catch {
        self.finish(ExitReason(error))
      }
    }
  }

  /// False for a process that was told to exit before its first turn, and that this ends: then it
  /// never runs, as in OTP.
  @usableFromInline
  package var mayBegin: Bool {
    guard isFenced else { return true }
    _ = takeBody()
    _ = takeStart()
    finish(.killed)
    return false
  }

  /// Makes the process's own task, and takes it over.
  func begin(under cursor: TraceCursor?, _ makeTask: () -> Task<Void, any Error>) {
    // Bound around the creation: the task copies its creator's locals, and needs no scope of its
    // own for this one.
    let task = Ambient.local.withValue(
      Ambient(process: self, cursor: cursor), operation: makeTask)
    let isLate = machine.withLock { machine in
      switch machine.status {
      case .running:
        machine.task = task
        return false
      case .exiting: return true
      case .released: return false
      }
    }
    if isLate { task.cancel() }
  }
}

/// Starts a process that runs `body`. It ends when the body has returned, with `normal`, or has
/// thrown: then the error is the exit reason.
///
///     let echo = spawn { context in
///       let ping = try await context.receive(Ping.self)
///       ping.from.send(Pong())
///     }
///
/// - Parameters:
///   - node: where; the caller's node if not said.
///   - mailbox: how many messages may wait; without bounds if not said.
///   - initialCall: says what it does, for ``PID/info``.
///   - priority: how soon it gets its turns; see ``ProcessPriority``.
///
/// OTP: `erlang:spawn/1`.
@discardableResult
public func spawn(
  on node: Node? = nil, mailbox: MailboxLimit = .unbounded, as initialCall: String? = nil,
  priority: ProcessPriority = .normal,
  _ body: @escaping @Sendable (ProcessContext) async throws -> Void
) -> PID {
  let ambient = Ambient.current
  let parent = ambient?.process
  let core = ProcessCore(
    node: node ?? parent?.node ?? .shared, parent: parent?.pid, mailbox: mailbox,
    as: initialCall, priority: priority)
  core.launchBody(under: ambient?.cursor, body)
  return core.pid
}

extension ProcessCore {
  /// A child: a process that is linked to its parent before it runs.
  @usableFromInline
  package convenience init(
    linkedTo parent: ProcessCore, callers: [PID] = [], mailbox: MailboxLimit = .unbounded,
    as initialCall: String? = nil, priority: ProcessPriority = .normal
  ) {
    self.init(
      node: parent.node, parent: parent.pid, isLinkedToParent: true, callers: callers,
      mailbox: mailbox, as: initialCall, priority: priority)
    // A process that is exiting starts nothing that could outlive it unnoticed.
    if case .ownerIsGone = parent.link(to: self) { receiveExit(.killed, from: parent) }
  }
}

extension ProcessContext {
  /// Starts a process that is linked to this one from its first moment.
  ///
  /// OTP: `erlang:spawn_link/1`.
  @discardableResult
  public func spawnLink(
    mailbox: MailboxLimit = .unbounded, as initialCall: String? = nil,
    priority: ProcessPriority = .normal,
    _ body: @escaping @Sendable (ProcessContext) async throws -> Void
  ) -> PID {
    let child = ProcessCore(
      linkedTo: core, mailbox: mailbox, as: initialCall, priority: priority)
    child.launchBody(under: Ambient.current?.cursor, body)
    return child.pid
  }

  /// Starts a process that this one monitors from its first moment.
  ///
  /// - Parameters:
  ///   - tag: what the ``Down`` shall carry, to be told by.
  ///   - isLinked: whether to link the two as well.
  ///
  /// OTP: `erlang:spawn_monitor/1`, and the options `{monitor, [{tag, Tag}]}` and `link` of
  /// `spawn_opt`.
  public func spawnMonitor(
    mailbox: MailboxLimit = .unbounded, as initialCall: String? = nil,
    priority: ProcessPriority = .normal, tag: (any Sendable)? = nil, isLinked: Bool = false,
    _ body: @escaping @Sendable (ProcessContext) async throws -> Void
  ) -> (pid: PID, ref: MonitorRef) {
    let child =
      isLinked
      ? ProcessCore(linkedTo: core, mailbox: mailbox, as: initialCall, priority: priority)
      : ProcessCore(
        node: node, parent: pid, mailbox: mailbox, as: initialCall, priority: priority)
    let ref = core.monitor(child, label: MonitorLabel.of(tag: tag))
    child.launchBody(under: Ambient.current?.cursor, body)
    return (child.pid, ref)
  }
}

/// Makes plain code a process for as long as `body` runs, so that it can receive, monitor and be
/// monitored; inside a process it is that process.
///
///     try await withProcess { context in
///       let ref = context.monitor(echo)
///       let down = try await context.receive(Down.self, where: { $0.ref == ref })
///     }
///
/// The body runs on the node's own threads, where calls of servers are fastest, unless the caller
/// is isolated to an actor, where it stays. An exit signal ends what the body waits for in Arbor
/// and fences it; the task around it is nobody's to cancel.
///
/// - Parameter node: where; ``Node/shared`` if not said. Inside a process it says nothing.
/// - Throws: what the body throws, which is also the process's exit reason.
public func withProcess<Value, Failure: Error>(
  on node: Node? = nil, isolation: isolated (any Actor)? = #isolation,
  _ body: (ProcessContext) async throws(Failure) -> Value
) async throws(Failure) -> Value {
  if let current = ProcessCore.current { return try await body(ProcessContext(current)) }
  let core = ProcessCore(node: node ?? .shared, parent: nil)
  core.ownTask.store(currentTaskAddress, ordering: .relaxed)
  let ambient = Ambient(process: core, cursor: Ambient.current?.cursor)
  let result: Result<Value, Failure> = await Ambient.local.withValue(ambient) {
    await withTaskCancellationHandler {
      await withTaskExecutorPreference(core) {
        _ = isolation
        do throws(Failure) {
          return Result<Value, Failure>.success(try await body(ProcessContext(core)))
        } catch {
          return .failure(error)
        }
      }
    } onCancel: {
      core.cancelWaits()
    }
  }
  switch result {
  case .success: core.finishScope(.normal)
  case .failure(let error): core.finishScope(ExitReason(error))
  }
  return try result.get()
}

extension ProcessCore {
  /// Ends a process whose code is a scope of a task that goes on.
  package func finishScope(_ reason: ExitReason) {
    ownTask.store(0, ordering: .relaxed)
    if !isFenced { slot.content?.scopeEnded(self, reason: reason) }
    finish(reason, isReported: false)  // the scope's caller gets the error
  }

  /// Runs something in a task that takes over as the process's own: an exit signal fences and
  /// interrupts it, but does not cancel it.
  package func runInFreshTask<Value: Sendable>(
    _ body: @escaping @Sendable () async -> Value
  ) async -> Value {
    ownTask.store(0, ordering: .relaxed)  // the next job that prefers this process is its own
    return await Task(executorPreference: self) { await body() }.value
  }
}
