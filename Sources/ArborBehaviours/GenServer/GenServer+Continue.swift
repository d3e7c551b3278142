public import ArborProcesses

extension ProcessContext {
  /// Has the server go on with something before it takes its next message: once the running handler,
  /// or the start, has returned, ``GenServer/handleContinue(_:)`` is called with it.
  ///
  ///     init() { process.continueWith(Continue.loadCache) }      // the starter does not wait for it
  ///
  ///     func handleContinue(_ step: Continue) async throws {
  ///       switch step { case .loadCache: cache = try await load() }
  ///     }
  ///
  /// It may be asked from every handler, `handleContinue` included; several are done in their order.
  /// One that is no `Continue` of the server ends it, with a ``ContinueError``.
  ///
  /// OTP: `{continue, Term}` in a callback's return.
  public func continueWith<Step: Sendable>(_ step: Step) {
    let mail = Mail.make(.step, step, context: Ambient.current?.envelope)
    core.ask { $0.continueWith(mail) }
  }

  /// Has the server told when nothing comes for some time after the running handler, or the start, has
  /// returned: ``GenServer/handleInfo(_:)`` with ``Info/timeout``.
  ///
  ///     func handleCast(_ cast: Cast) {
  ///       …
  ///       process.idleTimeout(.seconds(30))
  ///     }
  ///
  /// It counts for this return only: any message takes it back. A system message, of `Sys`, has the
  /// time begin anew.
  ///
  /// - Parameter timeout: how long. Zero is up if the mailbox is empty, and only then. A negative one
  ///   ends the server, with ``TimerError/negativeTime(_:)``.
  ///
  /// OTP: the timeout in a callback's return.
  public func idleTimeout(_ timeout: Duration) { core.ask { $0.idleTimeout(timeout) } }

  /// Has the server let go of what memory it can once the running handler, or the start, has returned,
  /// until its next message. Worth its while for one that has nothing to do for long.
  ///
  ///     func handleInfo(_ info: Info) {
  ///       if case .timeout = info { process.hibernate() }
  ///     }
  ///
  /// The state is kept. Servers can be started so that they do it by themselves: `hibernateAfter`.
  ///
  /// OTP: `hibernate` in a callback's return.
  public func hibernate() { core.ask { $0.hibernate() } }
}

/// What `continueWith` was given is no `Continue` of the server.
///
/// OTP: the `function_clause` of `handle_continue/2`.
public struct ContinueError: Error, Equatable, CustomStringConvertible {
  /// The type of what was given.
  public let given: String
  /// The `Continue` of the server.
  public let expected: String

  public init(given: String, expected: String) {
    self.given = given
    self.expected = expected
  }

  public var description: String {
    "continueWith was given a \(given), and the server's Continue is \(expected)"
  }
}

extension GenServer {
  @usableFromInline
  func step(_ mail: Mail) throws -> Continue {
    if let step = mail.value(as: Continue.self) { return step }
    throw ContinueError(given: "\(mail.valueType)", expected: "\(Continue.self)")
  }
}
