public import ArborProcesses

/// A process that computes one value, for the process that started it.
///
///     let price = try AsyncTask.async { try await lookUp("apple") }
///     …
///     print(try await price.await())
///
/// The process that starts a task is its owner: it alone can await it. The result arrives as a message,
/// ``Reply``, and the task's end as a ``Down`` with the same ``ref``; `await` and `yield` receive
/// them, and so can the `handleInfo` of a server that does not want to wait.
///
/// A task started by ``async(_:)`` is linked to its owner: if it fails the owner does, and the other
/// way round. One started by ``asyncNoLink(_:)`` is not, and its failure is what `await` throws.
/// Tasks that nobody waits for are started by ``start(_:)``.
///
/// A task knows on whose behalf it runs, ``ProcessContext/callers``, and its spans belong to the trace
/// that it was started in.
///
/// OTP: Elixir's `Task`.
public struct AsyncTask<Value: Sendable>: Sendable {
  /// The task's process.
  public let pid: PID
  /// The process that started it.
  public let owner: PID
  /// What its ``Reply`` and its ``Down`` carry.
  public let ref: MonitorRef
  let completed: Value?

  /// The message by which a task's result comes to its owner.
  ///
  ///     func handleInfo(_ info: Info) {
  ///       guard case .message(let message) = info,
  ///         let reply = message as? AsyncTask<Int>.Reply, reply.ref == task.ref
  ///       else { return }
  ///       process.demonitor(reply.ref, flush: true)      // its end is no news any more
  ///       total += reply.value
  ///     }
  ///
  /// OTP: `{Ref, Result}`.
  public struct Reply: Sendable {
    public let ref: MonitorRef
    public let value: Value
  }

  /// How a task ended: with its value, or without one, for a reason.
  ///
  /// OTP: `{:ok, value}` or `{:exit, reason}`.
  public typealias Outcome = Result<Value, ExitReason>

  /// A task of a process that is ready, and launched here.
  init(
    launching core: ProcessCore, under cursor: TraceCursor?, for owner: ProcessCore,
    _ body: @escaping @Sendable () async throws -> Value
  ) {
    pid = core.pid
    self.owner = owner.pid
    completed = nil
    let (ref, alias) = ProcessContext(owner).monitor(core.pid, alias: .demonitor)
    self.ref = ref
    core.launch(under: cursor) { _ in
      alias.send(Reply(ref: ref, value: try await body()))
    }
  }

  init(completed value: Value, for owner: ProcessCore) {
    // A PID that is no one's: of a process that has done what there is to do.
    let core = ProcessCore(node: owner.node, parent: owner.pid, hasMailbox: false)
    core.finish(.normal)
    pid = core.pid
    self.owner = owner.pid
    ref = ProcessContext(owner).alias().ref
    completed = value
  }
}
