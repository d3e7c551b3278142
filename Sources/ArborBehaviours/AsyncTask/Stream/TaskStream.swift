public import ArborProcesses

/// The results of one task for each element of a sequence, of which a few run at a time.
///
///     let pages = AsyncTask.stream(urls, maxConcurrency: 4) { url in try await fetch(url) }
///     for try await page in pages {
///       switch page {
///       case .success(let page): …
///       case .failure(let failure): print(failure.input, failure.reason)
///       }
///     }
///
/// Elements are taken and tasks started while somebody iterates, and each iteration starts anew. When one
/// ends, be it early by `break`, by an error or by cancellation, the tasks that are left are killed.
///
/// OTP: what Elixir's `Task.async_stream/3` returns.
public struct TaskStream<Base: Sequence, Value: Sendable>: AsyncSequence
where Base.Element: Sendable {
  /// What became of one element.
  public typealias Element = Result<Value, TaskFailure<Base.Element>>
  public typealias Failure = TaskError

  let base: Base
  let options: TaskStreamOptions
  let home: TaskHome
  let body: @Sendable (Base.Element) async throws -> Value

  public func makeAsyncIterator() -> Iterator { Iterator(self) }

  public struct Iterator: AsyncIteratorProtocol {
    private var source: Base.Iterator
    private let stream: TaskStream
    private var run: TaskStreamRun<Base.Element, Value>?

    init(_ stream: TaskStream) {
      source = stream.base.makeIterator()
      self.stream = stream
    }

    /// The next result; nil when all have been told.
    ///
    /// - Throws: ``TaskError``: `timeout` if a task took longer than it may and the stream is to end then,
    ///   `cancelled` if the iterating task was cancelled or its process is exiting, `exit` with the
    ///   reason if the latter is a failed task's doing, `badarg`, and what its supervisor refuses.
    public mutating func next() async throws(TaskError) -> Element? {
      try await next(isolation: #isolation)
    }

    public mutating func next(
      isolation actor: isolated (any Actor)?
    ) async throws(TaskError) -> Element? {
      let run = try begun()
      if Task.isCancelled {
        let error = run.session.cancellation
        run.close()
        throw error
      }
      while true {
        switch run.session.next() {
        case .start(let position):
          guard let input = source.next() else {
            run.session.inputEnded()
            continue
          }
          do throws(TaskError) {
            try await run.session.start(input, at: position, in: stream.home, stream.body)
          } catch {
            run.close()
            throw error
          }
        case .deliver(let element): return element
        case .wait(let wait):
          if await wait.wait(on: run.session.node) != nil {
            let error = run.session.cancellation
            run.close()
            throw error
          }
        case .finished:
          run.close()
          return nil
        case .failed(let error):
          run.close()
          throw error
        }
      }
    }

    private mutating func begun() throws(TaskError) -> TaskStreamRun<Base.Element, Value> {
      if let run { return run }
      let run = TaskStreamRun(
        TaskStreamSession<Base.Element, Value>(
          try stream.options.checked(), isLinked: stream.home.isLinked))
      self.run = run
      return run
    }
  }
}

extension TaskStream: Sendable where Base: Sendable {}

/// A task of a stream ended without a value.
///
/// OTP: `{:exit, {element, reason}}`, as with `:zip_input_on_exit`.
public struct TaskFailure<Input: Sendable>: Error {
  /// The element that it was for.
  public let input: Input
  /// What it ended of; ``TaskError/timeout`` if it took longer than it may.
  public let reason: ExitReason

  public init(input: Input, reason: ExitReason) {
    self.input = input
    self.reason = reason
  }
}

extension TaskFailure: Equatable where Input: Equatable {}

extension TaskFailure: CustomStringConvertible {
  public var description: String { "the task for \(input) ended without a result: \(reason)" }
}

/// What happens to a task of a stream that takes longer than it may. It is killed in any case.
///
/// OTP: `:on_timeout` of Elixir's `Task.async_stream/3`.
public enum StreamTimeout: Sendable, Equatable {
  /// The stream ends, with ``TaskError/timeout``. OTP: `:exit`.
  case endStream
  /// It is one more failure, and the stream goes on. OTP: `:kill_task`.
  case killTask
}

struct TaskStreamOptions: Sendable {
  let maxConcurrency: Int?
  let isOrdered: Bool
  let timeout: Duration?
  let onTimeout: StreamTimeout

  func checked() throws(TaskError) -> TaskStreamOptions {
    if let maxConcurrency, maxConcurrency < 1 { throw .badarg }
    if let timeout, timeout < .zero { throw .badarg }
    return self
  }
}

/// Ends a stream's tasks with the iterator that drives them, which alone holds it.
private final class TaskStreamRun<Input: Sendable, Value: Sendable>: Sendable {
  let session: TaskStreamSession<Input, Value>
  init(_ session: TaskStreamSession<Input, Value>) { self.session = session }
  func close() { session.close() }
  deinit { session.close() }
}
