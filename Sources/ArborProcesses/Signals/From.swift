/// Who asked: a request's return address, with the type of the answer it waits for.
///
///     case .value(let from): from.reply(count)
///
/// It may be kept and answered later, by this process or another. The first answer counts; a
/// later one, or one after the caller gave up, is dropped. A `From` that is let go of without an
/// answer fails its caller with ``CallError/noReply``.
///
/// OTP: the `From` of `handle_call/3`.
public struct From<Reply: Sendable>: Sendable {
  @usableFromInline let token: ReplyToken<Reply>

  @inlinable
  package init(_ wait: CallWait<Reply>) { token = ReplyToken(wait) }

  /// Answers the call. Never waits and never throws; from a process that is exiting it has no
  /// effect.
  ///
  /// OTP: `gen_server:reply/2`.
  @inlinable
  public func reply(_ reply: Reply) {
    // The gauge first: it is one load, and hardly ever raised.
    if token.wait.server.node.fences.isRaised, let process = ProcessCore.current {
      if process.isFenced { return }
      if process.isObserved { process.noteReply(reply) }
    }
    token.wait.reply(reply)
  }

  /// As `reply`, of the runtime itself, which nobody looks at.
  package func answer(_ reply: Reply) { token.wait.reply(reply) }
}

extension From where Reply == Void {
  /// Answers a call that only waits to be acknowledged.
  @inlinable
  public func reply() { reply(()) }
}

/// What all copies of a `From` share, so that the last one's end is noticed.
@usableFromInline
final class ReplyToken<Reply: Sendable>: Sendable {
  @usableFromInline let wait: CallWait<Reply>

  @inlinable
  init(_ wait: CallWait<Reply>) { self.wait = wait }

  @inlinable
  deinit {
    // A server that is exiting drops its requests unanswered; the caller is to hear its reason,
    // which the release tells it.
    if !wait.isOver, !wait.server.isFenced { wait.fail(.noReply) }
  }
}
