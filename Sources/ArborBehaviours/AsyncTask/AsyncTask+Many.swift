import ArborPrimitives
import ArborProcesses

/// What becomes of the tasks that have not ended in time.
///
/// OTP: `:on_timeout` of Elixir's `Task.yield_many/2`.
public enum YieldTimeout: Sendable, Equatable {
  /// They go on and can be asked again.
  case nothing
  /// They go on, unlinked, and nothing of them arrives any more.
  case ignore
  /// They are killed.
  case killTask
}

extension AsyncTask {
  /// Waits for the values of several tasks.
  ///
  ///     let tasks = try urls.map { url in try AsyncTask.async { try await fetch(url) } }
  ///     let pages = try await AsyncTask.awaitMany(tasks)
  ///
  /// - Parameter timeout: how long to wait for all of them together, five seconds if not said; nil
  ///   waits without end.
  /// - Returns: their values, in the order of the tasks.
  /// - Throws: ``TaskError``, as ``await(timeout:)``, as soon as one task ended without a value. Nothing of
  ///   the others arrives then; they go on, unless they are linked to an owner that ends.
  ///
  /// OTP: Elixir's `Task.await_many/2`.
  public static func awaitMany(
    _ tasks: [AsyncTask], timeout: Duration? = .seconds(5)
  ) async throws(TaskError) -> [Value] {
    var values: [MonitorRef: Value] = [:]
    do throws(TaskError) {
      var gathering = try Gathering(tasks, timeout: timeout)
      while let (ref, outcome) = try await gathering.next() {
        switch outcome {
        case .success(let value): values[ref] = value
        case .failure(let reason): throw TaskError.exit(reason)
        }
      }
      if values.count < gathering.count { throw TaskError.timeout }
    } catch {
      for task in tasks where values[task.ref] == nil { _ = try? await task.giveUp() }
      throw error
    }
    return tasks.compactMap { values[$0.ref] }
  }

  /// Waits for the ends of several tasks for a while.
  ///
  /// - Parameters:
  ///   - timeout: how long to wait for all of them together, five seconds if not said; nil waits
  ///     without end.
  ///   - limit: how many ends are enough; all if not said.
  ///   - onTimeout: what becomes of those that have not ended when the time is over.
  /// - Returns: each task, and how it ended; nil if it has not. In the order of the tasks.
  /// - Throws: ``TaskError``, as ``yield(timeout:)``; `badarg` for a limit below 1.
  ///
  /// OTP: Elixir's `Task.yield_many/2`.
  public static func yieldMany(
    _ tasks: [AsyncTask], timeout: Duration? = .seconds(5), limit: Int? = nil,
    onTimeout: YieldTimeout = .nothing
  ) async throws(TaskError) -> [(task: AsyncTask, outcome: Outcome?)] {
    if let limit, limit < 1 { throw .badarg }
    var gathering = try Gathering(tasks, timeout: timeout)
    let limit = min(limit ?? gathering.count, gathering.count)
    var outcomes: [MonitorRef: Outcome] = [:]
    do throws(TaskError) {
      while outcomes.count < limit, let (ref, outcome) = try await gathering.next() {
        outcomes[ref] = outcome
      }
    } catch {
      // Of what was awaited or given up before there is nothing to hear: as `yield`.
      if error != .alreadyAwaited { throw error }
    }
    if outcomes.count < limit {
      for task in tasks where outcomes[task.ref] == nil {
        switch onTimeout {
        case .nothing: break
        case .ignore: outcomes[task.ref] = try await task.ignore()
        case .killTask: outcomes[task.ref] = try await task.shutdown(.brutalKill)
        }
      }
    }
    return tasks.map { ($0, outcomes[$0.ref]) }
  }
}

/// The ends of several tasks, as they come.
private struct Gathering<Value: Sendable> {
  /// How many tasks they are.
  let count: Int
  private var pending: [MonitorRef: AsyncTask<Value>] = [:]
  private var completed: [AsyncTask<Value>] = []
  private let deadline: UInt64?

  init(_ tasks: [AsyncTask<Value>], timeout: Duration?) throws(TaskError) {
    if let timeout, timeout < .zero { throw .badarg }
    for task in tasks {
      _ = try task.context()
      pending[task.ref] = task
    }
    count = pending.count
    completed = pending.values.filter { $0.completed != nil }
    for task in completed { pending[task.ref] = nil }
    deadline = timeout.map { timeout in
      let now = tasks.first?.owner.node.clock.now() ?? 0
      return now.addingClamped(timeout.wholeNanoseconds)
    }
  }

  /// The next end; nil if there is none in time, or all have been told.
  mutating func next() async throws(TaskError) -> (MonitorRef, AsyncTask<Value>.Outcome)? {
    if let task = completed.popLast(), let value = task.completed {
      return (task.ref, .success(value))
    }
    guard let first = pending.values.first else { return nil }
    let context = try first.context()
    // As in `take`: one of which nothing will come is not waited for.
    let isPending = pending.keys.contains { context.core.isMonitoring($0) }
    let left = deadline.map { deadline in
      Duration.nanoseconds(Int64(clamping: deadline - min(deadline, context.node.clock.now())))
    }
    let pending = pending
    do throws(ReceiveError) {
      let found = try await context.receiveFirst(timeout: isPending ? left : .zero) {
        mail -> (MonitorRef, AsyncTask<Value>.Outcome)? in
        guard let ref = mail.taskRef(Value.self), let task = pending[ref] else { return nil }
        return task.outcome(in: mail).map { (ref, $0) }
      }
      context.demonitor(found.0, flush: true)
      self.pending[found.0] = nil
      return found
    } catch {
      if error == .timeout {
        if isPending { return nil }
        throw .alreadyAwaited
      }
      if error == .exiting, let reason = context.core.exitReason,
        pending.values.contains(where: { $0.pid.fate?.reason == reason })
      {
        throw .exit(reason)
      }
      throw TaskError(error)
    }
  }
}

extension Mail {
  /// The monitor that a task's message carries; nil if it is none.
  fileprivate func taskRef<Value: Sendable>(_ type: Value.Type) -> MonitorRef? {
    switch kind {
    case .message: exactValue(of: AsyncTask<Value>.Reply.self)?.ref
    case .down: exactValue(of: Down.self)?.ref
    default: nil
    }
  }
}
