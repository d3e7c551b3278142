public import ArborProcesses

/// A server: an actor with a mailbox, that handles one message at a time, can be supervised,
/// monitored and linked, and ends for a reason.
///
///     actor Counter: GenServer {
///       enum Call: Sendable { case value(From<Int>) }
///       enum Cast: Sendable { case add(Int) }
///
///       let process = ProcessContext()
///       private var value = 0
///
///       func handleCall(_ call: Call) {
///         switch call { case .value(let from): from.reply(value) }
///       }
///       func handleCast(_ cast: Cast) {
///         switch cast { case .add(let n): value += n }
///       }
///     }
///
///     let counter = try await Counter.start { Counter() }
///     counter.cast(.add(2))
///     print(try await counter.call { .value($0) })
///
/// Give a server an extension of ``ServerRef`` as its client API, so that its callers see functions
/// and not messages.
///
/// Every handler may be `async`, `throws`, both or neither. The next message is not taken before
/// the handler has returned: an `await` inside one lets no other message in between. An error that
/// leaves a handler ends the server, with that error as the reason; `throw ExitReason.normal` and
/// `.shutdown` end it quietly. Before it ends so, ``terminate(_:)`` is called.
///
/// A `public` server writes `public nonisolated let process`.
///
/// OTP: `gen_server`.
public protocol GenServer: Actor {
  /// The requests that wait for an answer; each case carries its ``From``.
  associatedtype Call: Sendable = Never
  /// The requests that do not.
  associatedtype Cast: Sendable = Never
  /// What it goes on with by itself: see ``handleContinue(_:)``.
  associatedtype Continue: Sendable = Never

  /// The server's process: its PID, its monitors and links. Written `let process =
  /// ProcessContext()`, which also gives the actor its executor.
  nonisolated var process: ProcessContext { get }

  /// What the server makes of the traces that its messages come from; ``MessageTracing/inherited``
  /// if not said.
  static var messageTracing: MessageTracing { get }

  /// Whether a call of the idle server runs it on the caller's stack, which spares two changes of
  /// task; false if not said.
  ///
  ///     actor Cache: GenServer {
  ///       static var answersInPlace: Bool { true }
  ///       …
  ///     }
  ///
  /// For servers whose handlers answer at once. It is the server's own task that runs, one message at
  /// a time and in order as ever; but until its handler suspends or returns, the caller goes nowhere:
  /// a deadline of the call, or an exit signal to the caller, takes effect only then.
  ///
  /// Such a call still goes through the mailbox if the server is busy, if it comes from the main
  /// thread, or from very deep in a chain of such calls, and always in a simulation.
  static var answersInPlace: Bool { get }

  /// Answers a request, now or later, by `from.reply`.
  ///
  /// OTP: `handle_call/3`.
  func handleCall(_ call: Call) async throws

  /// Handles a request without an answer.
  ///
  /// OTP: `handle_cast/2`.
  func handleCast(_ cast: Cast) async throws

  /// Handles everything else: DOWN and EXIT messages, and what `send` brought. What it does not
  /// know it lets pass; a server that says nothing does so too, with a warning to the node's logger.
  ///
  /// OTP: `handle_info/2`.
  func handleInfo(_ info: Info) async throws

  /// Goes on with what ``ArborProcesses/ProcessContext/continueWith(_:)`` was given, before any message
  /// that waits.
  ///
  /// OTP: `handle_continue/2`.
  func handleContinue(_ step: Continue) async throws

  /// The last words of a server that ends by itself: because a handler threw, it was asked to stop,
  /// or its parent ended while it traps exits. Not called when an exit signal or a kill takes it
  /// down: a server that must clean up traps exits.
  ///
  /// What it throws replaces the reason.
  ///
  /// OTP: `terminate/2`.
  func terminate(_ reason: ExitReason) async throws

  /// Says what reports and `Sys.getStatus` show of the server: leaves out what nobody should see, adds
  /// what helps. As it is, if the server does not say.
  ///
  ///     func formatStatus(_ status: ServerStatus) -> ServerStatus {
  ///       var status = status
  ///       status.state = "\(sessions.count) sessions"        // and not their keys
  ///       return status
  ///     }
  ///
  /// If it throws, neither state nor message are shown.
  ///
  /// OTP: `format_status/1`.
  func formatStatus(_ status: ServerStatus) async throws -> ServerStatus
}

/// A message that is neither call nor cast.
public enum Info: Sendable {
  /// A monitored process has ended.
  case down(Down)
  /// A linked process has ended, or an exit signal came, while this one traps exits. The end of
  /// the parent never arrives here: it ends the server.
  case exit(Exit)
  /// Nothing came for as long as the server said.
  case timeout
  /// Anything that was sent to the PID.
  case message(any Sendable)
}

extension GenServer {
  public nonisolated var unownedExecutor: UnownedSerialExecutor { process.unownedExecutor }

  public static var messageTracing: MessageTracing { .inherited }
  public static var answersInPlace: Bool { false }
  public func handleInfo(_ info: Info) async throws {
    process.logUnexpected(info, by: "\(Self.self), which has no handleInfo,", .warning)
  }
  public func terminate(_ reason: ExitReason) async throws {}
  public func formatStatus(_ status: ServerStatus) async throws -> ServerStatus { status }

  /// This server's PID.
  public nonisolated var pid: PID { process.pid }
}

// Only where there is nothing to handle: a misspelt handler of a server that has requests does not
// compile.

extension GenServer where Call == Never {
  public func handleCall(_ call: Call) async throws {}
}

extension GenServer where Cast == Never {
  public func handleCast(_ cast: Cast) async throws {}
}

extension GenServer where Continue == Never {
  public func handleContinue(_ step: Continue) async throws {}
}
