public import ArborProcesses

/// What a supervisor is told about one child: how to start it, when to start it again, how to end
/// it.
///
///     Child("counter", named: "counter") { Counter() }
///     Child("worker", restart: .transient, shutdown: .timeout(.seconds(2))) { Worker() }
///     Child("ticker") { while true { try await tick() } }
///
/// A child is a server, be it a supervisor of others, or the process of a plain body.
///
/// OTP: the child specification of `supervisor`.
public struct Child: Sendable {
  /// Names the child within its supervisor.
  public private(set) var id: String
  public let restart: Restart
  public let shutdown: Shutdown
  /// Whether its end counts for its supervisor's ``AutoShutdown``.
  public let isSignificant: Bool
  /// The type of the server; nil for a plain body.
  public let type: (any GenServer.Type)?
  /// What its supervisor must pass it; nil if nothing.
  let extra: ExtraArguments?
  /// How to start it; nil once a supervisor, which never starts a temporary child twice, has let go
  /// of what that holds.
  private(set) var start: Start?

  /// Starts the child, linked to the calling process; nil if it did not want to.
  @usableFromInline typealias Start =
    @Sendable (_ extra: (any Sendable)?) async throws(StartError) -> PID?

  @usableFromInline
  init(
    _ id: String, restart: Restart, significant: Bool, shutdown: Shutdown?,
    type: (any GenServer.Type)?, extra: ExtraArguments? = nil, start: @escaping Start
  ) {
    self.id = id
    self.restart = restart
    self.shutdown = shutdown ?? (type is any Supervising.Type ? .infinity : .timeout(.seconds(5)))
    isSignificant = significant
    self.type = type
    self.extra = extra
    self.start = start
  }

  /// True if the child is a supervisor itself.
  public var isSupervisor: Bool { type is any Supervising.Type }

  mutating func rename(_ id: String) { self.id = id }
  mutating func replaceStart(_ start: @escaping Start) { self.start = start }

  /// Lets go of what a temporary child was started with, which nobody needs again.
  mutating func forgetStart() {
    if restart == .temporary { start = nil }
  }
}

extension Child: CustomStringConvertible {
  public var description: String { "child \"\(id)\", \(restart)" }
}

/// What a child takes over from its ``DynamicSupervisor``.
@usableFromInline
struct ExtraArguments: Sendable {
  let type: Any.Type
  let isMet: @Sendable (any Sendable) -> Bool

  @usableFromInline
  init(type: Any.Type, isMet: @escaping @Sendable (any Sendable) -> Bool) {
    self.type = type
    self.isMet = isMet
  }
}

/// Lets a supervisor's children be written one below the other.
@resultBuilder
public enum ChildBuilder {
  public static func buildExpression(_ child: Child) -> [Child] { [child] }
  public static func buildExpression(_ children: [Child]) -> [Child] { children }
  public static func buildBlock(_ children: [Child]...) -> [Child] { children.flatMap(\.self) }
  public static func buildOptional(_ children: [Child]?) -> [Child] { children ?? [] }
  public static func buildEither(first children: [Child]) -> [Child] { children }
  public static func buildEither(second children: [Child]) -> [Child] { children }
  public static func buildArray(_ children: [[Child]]) -> [Child] { children.flatMap(\.self) }
}
