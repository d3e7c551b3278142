import ArborPrimitives
public import ArborProcesses
import ArborTables

/// Processes by keys of any type: names without strings, and who is interested in what.
///
///     let rooms = Registry<Int, Void>(.unique)
///
///     let tree = try await Supervisor.start(.oneForOne) {
///       Child(rooms)
///       Child("room 7", named: rooms.via(7)) { Room() }
///     }
///     let room = ServerRef<Room>(named: rooms.via(7))
///
/// A registry is a handle: made once, mostly as a constant, and good for every incarnation of the process
/// that is behind it. That one is started by a supervisor, before the users of the registry, or by
/// ``start(on:)``. It is not asked for anything: all reads and writes are made by their callers, in tables
/// whose rows die with the processes they are of. So whoever ends is in no registry by the time that
/// anyone hears of it, and what is not alive never keeps a key from others.
///
/// A process is linked to the registries that it is registered in: if one crashes, they do too, and
/// register anew when their supervisors start them again.
///
/// With `.duplicate` keys, a registry says who is to be told of what:
///
///     let topics = Registry<String, Void>(.duplicate)
///     try topics.register("news")                                  // in each subscriber
///     topics.dispatch("news") { for entry in $0 { entry.pid.send("rain") } }
///
/// OTP: Elixir's `Registry`.
public final class Registry<Key: Hashable & Sendable, Value: Sendable>: Sendable {
  /// Whether a key has one entry or any number.
  public let keys: RegistryKeys
  /// What errors and names call it.
  public let name: String
  /// Who is told of registrations; see ``RegistryEvent``.
  public let listeners: [ProcessName]
  /// How many tables its entries are spread over.
  public let partitions: Int

  private let initialMeta: [String: any Sendable]
  let latest = LatestObject<RegistryTables<Key, Value>>()
  package let locks = RegistryLocks<Key>()

  /// A registry that is not running yet.
  ///
  /// - Parameters:
  ///   - keys: whether a key has one entry or any number.
  ///   - name: what errors and names call it.
  ///   - partitions: how many tables the entries are spread over; one if not said. A table is already
  ///     made for many writers: several serve ``dispatchInParallel(_:_:)``.
  ///   - listeners: the names of those who are to get a ``RegistryEvent`` for each registration.
  ///   - meta: what ``meta(_:as:)`` shall know from the start.
  public init(
    _ keys: RegistryKeys, named name: String = "registry", partitions: Int = 1,
    listeners: [ProcessName] = [], meta: [String: any Sendable] = [:]
  ) {
    self.keys = keys
    self.name = name
    self.partitions = partitions
    self.listeners = listeners
    initialMeta = meta
  }

  /// The process behind it; nil if it is not running.
  public var pid: PID? {
    guard let server = latest.object?.server, server.isAlive else { return nil }
    return server
  }

  /// Starts the registry's process, under no supervisor.
  ///
  /// - Parameter node: where; the caller's node if not said.
  /// - Throws: ``StartError``: `alreadyStarted` if it runs.
  @discardableResult
  public func start(on node: Node? = nil) async throws(StartError) -> PID {
    let server = try await RegistryServer.start(on: node) { try RegistryServer(self) }
    guard let pid = server.pid else { throw .failed(.noproc) }
    return pid
  }

  /// Starts the registry's process, linked to the calling one.
  ///
  /// - Throws: as ``start(on:)``, and `notInProcess`.
  ///
  /// OTP: Elixir's `Registry.start_link/1`.
  @discardableResult
  public func startLink() async throws(StartError) -> PID {
    let server = try await RegistryServer.startLink { try RegistryServer(self) }
    guard let pid = server.pid else { throw .failed(.noproc) }
    return pid
  }

  /// Ends the registry's process, and returns when it is gone. Those who are registered are linked to it:
  /// they end with it, unless they trap exits.
  ///
  /// - Throws: ``CallError``; `noproc` if it is not running.
  public func stop(_ reason: ExitReason = .normal) async throws(CallError) {
    guard let pid else { throw .noproc }
    try await ServerRef<RegistryServer<Key, Value>>(pid).stop(reason)
  }

  /// Makes the tables of a new incarnation, which belong to the calling process.
  func begin(as server: PID) throws {
    if partitions < 1 { throw RegistryError.badarg(name) }
    let tables = try RegistryTables<Key, Value>(
      keys, partitions: partitions, server: server, meta: initialMeta)
    _ = try latest.replace { old throws(StartError) in
      if let old, old.server.isAlive { throw .alreadyStarted(old.server) }
      return tables
    }
  }

  /// Those of the latest incarnation, which may be gone.
  var tables: RegistryTables<Key, Value>? { latest.object }

  package func running() throws(RegistryError) -> RegistryTables<Key, Value> {
    guard let tables = latest.object, tables.server.isAlive else { throw .notRunning(name) }
    return tables
  }
}

extension Registry: Hashable {
  /// Handles are equal if they mean the same registry.
  public static func == (left: Registry, right: Registry) -> Bool { left === right }
  public func hash(into hasher: inout Hasher) { hasher.combine(ObjectIdentifier(self)) }
}

extension Registry: CustomStringConvertible {
  public var description: String { name }
}

/// Whether a key has one entry or any number, and which table an entry goes to.
///
/// OTP: `:keys` of Elixir's `Registry.start_link/1`.
public enum RegistryKeys: Sendable, Hashable, CaseIterable {
  /// One. The tables are chosen by key.
  case unique
  /// Any number, also of one process. The tables are chosen by process: few keys with many entries.
  case duplicate
  /// Any number, also of one process. The tables are chosen by key: many keys with few entries.
  case duplicateByKey
}

/// One registration, as it is under its key.
public struct RegistryEntry<Value: Sendable>: Sendable {
  public let pid: PID
  public let value: Value

  public init(pid: PID, value: Value) {
    self.pid = pid
    self.value = value
  }
}

extension RegistryEntry: Equatable where Value: Equatable {}

/// What the listeners of a registry are sent. That a process has ended is not among it: monitor it.
///
/// OTP: `{register, …}` and `{unregister, …}` of Elixir's `Registry`.
public enum RegistryEvent<Key: Hashable & Sendable, Value: Sendable>: Sendable {
  case registered(Key, PID, Value)
  case unregistered(Key, PID)
}

extension RegistryEvent: Equatable where Value: Equatable {}

extension Child {
  /// A registry's process, as the child of a supervisor: before the children that use it.
  ///
  /// - Parameter id: names the child within its supervisor; the registry's name if not said.
  public init<Key, Value>(
    _ registry: Registry<Key, Value>, id: String? = nil, restart: Restart = .permanent
  ) {
    self.init(id ?? registry.name, restart: restart) { try RegistryServer(registry) }
  }
}

/// The process behind a registry: it owns the tables, and is what the registered are linked to.
actor RegistryServer<Key: Hashable & Sendable, Value: Sendable>: GenServer {
  nonisolated let process = ProcessContext()

  init(_ registry: Registry<Key, Value>) throws {
    process.trapExit()  // those who are registered come and go
    try registry.begin(as: process.pid)
  }

  /// The rows of who has ended are gone by now.
  func handleInfo(_ info: Info) {}
}
