public import ArborProcesses

/// When a supervisor starts a child again.
///
/// OTP: `restart` of a child specification.
public enum Restart: Sendable, Equatable {
  /// Always. The default.
  case permanent
  /// After an abnormal end: anything but `normal`, `shutdown` and `shutdown(detail)`.
  case transient
  /// Never; the supervisor forgets the child with its end.
  case temporary
}

/// How a supervisor ends a child.
///
/// OTP: `shutdown` of a child specification.
public enum Shutdown: Sendable, Equatable {
  /// With `kill`, at once.
  case brutalKill
  /// With `shutdown`, and with `kill` if it takes longer than that. Five seconds is the default.
  case timeout(Duration)
  /// With `shutdown`, for as long as it takes. The default for supervisors, whose children need
  /// their own time.
  case infinity
}

/// What a supervisor is told about one child: how to start it, when to start it again, how to end
/// it.
///
///     Child("worker", restart: .transient, shutdown: .timeout(.seconds(2))) { Worker() }
///     Child("counter", named: "counter") { Counter() }
///
/// OTP: the child specification of `supervisor`.
public struct Child: Sendable {
  /// Names the child within its supervisor.
  public let id: String
  public let restart: Restart
  public let shutdown: Shutdown
  /// The type of the server.
  public let type: any GenServer.Type
  let start: @Sendable () async throws(StartError) -> PID

  /// - Parameters:
  ///   - id: names the child within its supervisor.
  ///   - name: what to register its server as, at each start.
  ///   - restart: when to start it again; `permanent` if not said.
  ///   - shutdown: how to end it; after five seconds if not said, for a supervisor whenever it is
  ///     done.
  ///   - make: makes the server, anew for each start, inside the new process.
  public init<Server: GenServer>(
    _ id: String, named name: ProcessName? = nil, restart: Restart = .permanent,
    shutdown: Shutdown? = nil, _ make: @escaping @Sendable () async throws -> Server
  ) {
    self.id = id
    self.restart = restart
    self.shutdown = shutdown ?? (Server.self == Supervisor.self ? .infinity : .timeout(.seconds(5)))
    type = Server.self
    start = { () async throws(StartError) -> PID in
      let server = try await Server.startLink(named: name, make)
      // A reference that `startLink` returns holds its PID.
      guard let pid = server.pid else { throw .failed(.noproc) }
      return pid
    }
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
