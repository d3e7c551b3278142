public import ArborBehaviours
import ArborProcesses

extension MessageTracing {
  /// A span for each message: at the sender of a call or cast, and around the handler, as that one's
  /// child. The handler's has the attributes `message`, the request's case, and `queue_time`, the
  /// nanoseconds from the sending to the handling, if the sender knew the server's type.
  ///
  ///     actor Stock: GenServer {
  ///       static var messageTracing: MessageTracing { .spans }
  ///       …
  ///     }
  ///
  /// Their names are `Stock.call`, `Stock.cast`, `Stock.handleCall`, `Stock.handleCast` and
  /// `Stock.handleInfo`; their kinds client and server for a call, producer and consumer for what
  /// nobody waits for. A DOWN, an EXIT and a timeout are nobody's messages and have none.
  public static let spans = MessageTracing(observer: MessageSpans())
}

struct MessageSpans: MessageObserver {
  func calling<Reply>(
    _ server: any GenServer.Type, _ body: () async throws(CallError) -> Reply
  ) async throws(CallError) -> Reply {
    let scope = SpanScope.open("\(server).call", { [:] }, .client, under: .here, isTimed: true)
    return try await Trace.run(scope, isolation: #isolation, body)
  }

  func casting(_ server: any GenServer.Type, _ body: () -> Void) {
    let scope = SpanScope.open("\(server).cast", { [:] }, .producer, under: .here, isTimed: true)
    Trace.run(scope, body)
  }

  func handling(
    _ mail: Mail, by server: any GenServer.Type, as core: ProcessCore,
    _ body: () async throws -> Void
  ) async throws {
    let outer = Ambient(process: core, cursor: mail.context?.cursor)
    let scope: SpanScope
    switch mail.kind {
    case .call: scope = open("handleCall", .server, mail, server, outer)
    case .cast: scope = open("handleCast", .consumer, mail, server, outer)
    case .message: scope = open("handleInfo", .consumer, mail, server, outer)
    case .down, .exit, .timeout, .system, .step:
      return try await Ambient.local.withValue(outer) { try await body() }
    }
    do {
      try await Ambient.local.withValue(scope.inside) { try await body() }
    } catch let reason as ExitReason where reason.isQuiet {
      scope.end()
      throw reason
    } catch {
      scope.end(error)
      throw error
    }
    scope.end()
  }

  private func open(
    _ handler: String, _ kind: TraceSpan.Kind, _ mail: Mail, _ server: any GenServer.Type,
    _ outer: Ambient
  ) -> SpanScope {
    SpanScope.open(
      "\(server).\(handler)",
      {
        var attributes: Attributes = ["message": Self.caseName(of: mail.payload)]
        if let sent = mail.context?.sentAt, sent > 0, let core = outer.process {
          let now = core.node.clock.now()
          attributes["queue_time"] = .int(Int(clamping: now > sent ? now - sent : 0))
        }
        return attributes
      }, kind, under: outer)
  }

  /// The name of an enum's case, without what it carries, which may be large or secret; of anything
  /// else the type.
  private static func caseName(of message: any Sendable) -> String {
    let mirror = Mirror(reflecting: message)
    guard mirror.displayStyle == .enum else { return "\(type(of: message))" }
    return mirror.children.first?.label ?? "\(message)"
  }
}
