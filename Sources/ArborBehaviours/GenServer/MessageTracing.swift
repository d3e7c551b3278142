public import ArborProcesses

/// What a server makes of the traces that its messages come from.
///
///     actor Stock: GenServer {
///       static var messageTracing: MessageTracing { .ignored }
///       …
///     }
///
/// OTP has none of it; OpenTelemetry's instrumentation libraries do.
public struct MessageTracing: Sendable {
  /// Who is around each message to and in the server; nil for nobody.
  // Boxed, so that to find nobody is to look at one word.
  @usableFromInline package let post: ObserverPost?
  @usableFromInline let isIgnored: Bool

  @inlinable var isObserved: Bool { post != nil }

  /// The handler is in the trace of its message: a span that it opens is a child of the sender's.
  @inlinable public static var inherited: MessageTracing { MessageTracing(post: nil) }

  /// The handler is in no trace: a span that it opens begins a new one. For a server to which
  /// everybody talks and whose work belongs to nobody's request, a cache that cleans up, say.
  public static let ignored = MessageTracing(observer: nil, isIgnored: true)

  package init(observer: (any MessageObserver)?, isIgnored: Bool = false) {
    self.init(post: observer.map(ObserverPost.init), isIgnored: isIgnored)
  }

  @inlinable
  init(post: ObserverPost?, isIgnored: Bool = false) {
    self.post = post
    self.isIgnored = isIgnored
  }
}

/// Holds an observer.
@usableFromInline
package final class ObserverPost: Sendable {
  @usableFromInline package let observer: any MessageObserver
  init(_ observer: any MessageObserver) { self.observer = observer }
}

/// Stands around each request to a server, on both sides: at the sender and at the handler. The
/// tracing does, which this layer does not know.
@usableFromInline
package protocol MessageObserver: Sendable {
  /// Around a call, in the caller.
  func calling<Reply>(
    _ server: any GenServer.Type, _ body: () async throws(CallError) -> Reply
  ) async throws(CallError) -> Reply

  /// Around a cast, in the sender.
  func casting(_ server: any GenServer.Type, _ body: () -> Void)

  /// Around the handler. It is to be run as `core` and in the message's trace.
  func handling(
    _ mail: Mail, by server: any GenServer.Type, as core: ProcessCore,
    _ body: () async throws -> Void
  ) async throws
}
