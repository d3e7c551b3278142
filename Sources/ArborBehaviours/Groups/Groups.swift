import ArborPrimitives
public import ArborProcesses
import ArborTables

/// Groups of processes, by name: who joins is a member until it leaves as often as it joined, or ends.
///
///     let caches = Groups<String>(named: "caches")
///
///     let tree = try await Supervisor.start(.oneForOne) {
///       Child(caches)
///       …
///     }
///     try await caches.join("prices")                            // in each cache
///     for pid in caches.members(of: "prices") { pid.send("flush") }
///
/// One such object is a *scope*: the groups of one have nothing to do with those of another. It is a
/// handle, made once, mostly as a constant, and good for every incarnation of the process behind it, which
/// is started by a supervisor or by ``start(on:)``. Who is in which group is read without asking that
/// process. It is lost with it: who shall be in a group after a restart joins again.
///
/// OTP: `pg`.
public final class Groups<Name: Hashable & Sendable>: Sendable {
  /// What errors call it.
  public let name: String
  private let latest = LatestObject<GroupsTable<Name>>()

  /// A scope that is not running yet.
  public init(named name: String = "groups") { self.name = name }

  /// The process behind it; nil if it is not running.
  public var pid: PID? {
    guard let server = latest.object?.server, server.isAlive else { return nil }
    return server
  }

  /// Starts the scope's process, under no supervisor.
  ///
  /// - Parameter node: where; the caller's node if not said.
  /// - Throws: ``StartError``: `alreadyStarted` if it runs.
  ///
  /// OTP: `pg:start/1`.
  @discardableResult
  public func start(on node: Node? = nil) async throws(StartError) -> PID {
    let server = try await GroupsServer.start(on: node) { try GroupsServer(self) }
    guard let pid = server.pid else { throw .failed(.noproc) }
    return pid
  }

  /// Starts the scope's process, linked to the calling one.
  ///
  /// - Throws: as ``start(on:)``, and `notInProcess`.
  ///
  /// OTP: `pg:start_link/1`.
  @discardableResult
  public func startLink() async throws(StartError) -> PID {
    let server = try await GroupsServer.startLink { try GroupsServer(self) }
    guard let pid = server.pid else { throw .failed(.noproc) }
    return pid
  }

  /// Ends the scope's process, and returns when it is gone. The members live on, in no group.
  ///
  /// - Throws: ``CallError``; `noproc` if it is not running.
  public func stop(_ reason: ExitReason = .normal) async throws(CallError) {
    guard let pid else { throw .noproc }
    try await ServerRef<GroupsServer<Name>>(pid).stop(reason)
  }

  /// Makes the table of a new incarnation, which belongs to the calling process.
  func begin(as server: PID) throws -> Table<Name, [PID]> {
    let new = GroupsTable<Name>(server: server, members: try Table(owner: server))
    _ = try latest.replace { old throws(StartError) in
      if let old, old.server.isAlive { throw .alreadyStarted(old.server) }
      return new
    }
    return new.members
  }

  var members: Table<Name, [PID]>? { latest.object?.members }

  func ask<Reply: Sendable>(
    _ request: (From<Reply>) -> GroupsServer<Name>.Call
  ) async throws(GroupsError) -> Reply {
    guard let pid else { throw .notRunning(name) }
    do {
      return try await ServerRef<GroupsServer<Name>>(pid).call(timeout: nil, request)
    } catch {
      throw error == .noproc ? .notRunning(name) : .failed(error)
    }
  }

  /// Makes sure that the processes live on the scope's node.
  func check(_ pids: [PID]) throws(GroupsError) {
    guard let node = pid?.node else { throw .notRunning(name) }
    for pid in pids where pid.node !== node { throw .otherNode(pid) }
  }
}

extension Groups: CustomStringConvertible {
  public var description: String { name }
}

/// What one incarnation of a scope has.
private final class GroupsTable<Name: Hashable & Sendable>: Sendable {
  let server: PID
  let members: Table<Name, [PID]>

  init(server: PID, members: Table<Name, [PID]>) {
    self.server = server
    self.members = members
  }
}

/// Why a scope refused something. Nothing was changed then.
///
/// OTP: the exits and errors of `pg`.
public enum GroupsError: Error, Sendable, Equatable {
  /// The scope is not running: not yet, or its supervisor is just starting it again.
  case notRunning(String)
  /// There is no calling process that could join, leave or be told.
  case notInProcess
  /// The process lives on another node than the scope. OTP: `nolocal`.
  case otherNode(PID)
  /// The scope's process did not answer.
  case failed(CallError)
}

extension GroupsError: CustomStringConvertible {
  public var description: String {
    switch self {
    case .notRunning(let scope): "\(scope) is not running; start it before those who use it"
    case .notInProcess: "there is no calling process: name one, or do it inside `withProcess { }`"
    case .otherNode(let pid): "\(pid) lives on another node than the scope"
    case .failed(let error): "the scope did not answer: \(error)"
    }
  }
}

extension Child {
  /// A scope's process, as the child of a supervisor: before the children that use it.
  ///
  /// - Parameter id: names the child within its supervisor; the scope's name if not said.
  public init<Name>(_ groups: Groups<Name>, id: String? = nil, restart: Restart = .permanent) {
    self.init(id ?? groups.name, restart: restart) { try GroupsServer(groups) }
  }
}
