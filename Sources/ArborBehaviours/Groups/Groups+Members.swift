public import ArborProcesses
import ArborTables

extension Groups {
  /// Makes processes members of a group; one that is named twice joins twice. The group need not exist.
  ///
  /// - Parameter pids: who joins; the calling process if not said.
  /// - Throws: ``GroupsError``.
  ///
  /// OTP: `pg:join/3`.
  public func join(_ group: Name, _ pids: [PID]) async throws(GroupsError) {
    try check(pids)
    try await ask { .join(group, pids, $0) }
  }

  /// Makes a process a member of a group, once more if it is one; see ``join(_:_:)-(_,[PID])``.
  public func join(_ group: Name, _ pid: PID? = nil) async throws(GroupsError) {
    try await join(group, [try resolve(pid)])
  }

  /// Takes back one join of each process; of one that is named twice, two.
  ///
  /// - Parameter pids: who leaves; the calling process if not said.
  /// - Returns: false if none of them was a member.
  /// - Throws: ``GroupsError``.
  ///
  /// OTP: `pg:leave/3`.
  @discardableResult
  public func leave(_ group: Name, _ pids: [PID]) async throws(GroupsError) -> Bool {
    try check(pids)
    return try await ask { .leave(group, pids, $0) }
  }

  /// Takes back one join of a process; see ``leave(_:_:)-(_,[PID])``.
  @discardableResult
  public func leave(_ group: Name, _ pid: PID? = nil) async throws(GroupsError) -> Bool {
    try await leave(group, [try resolve(pid)])
  }

  /// The living members of a group, oldest first, each as often as it joined. Read by the caller, without
  /// a message to anybody; none if the scope is not running.
  ///
  /// OTP: `pg:get_members/2`.
  public func members(of group: Name) -> [PID] {
    ((try? members?.lookup(group)) ?? []).filter(\.isAlive)
  }

  /// The groups that have members, in no order.
  ///
  /// OTP: `pg:which_groups/1`.
  public var whichGroups: [Name] {
    ((try? members?.rows()) ?? []).filter { $0.value.contains(where: \.isAlive) }.map(\.key)
  }

  private func resolve(_ pid: PID?) throws(GroupsError) -> PID {
    if let pid { return pid }
    return try caller()
  }

  private func caller() throws(GroupsError) -> PID {
    guard let core = ProcessCore.current else { throw .notInProcess }
    return core.pid
  }
}

/// What those who watch a group or a scope are sent when members come and go.
///
///     let (ref, members) = try await caches.monitor("prices")
///     let change = try await context.receive(GroupEvent<String>.self, where: { $0.ref == ref })
///
/// OTP: `{Ref, join | leave, Group, Pids}`.
public struct GroupEvent<Name: Hashable & Sendable>: Sendable, Hashable {
  public enum Kind: Sendable, Hashable { case join, leave }

  /// What `monitor` returned.
  public let ref: MonitorRef
  public let kind: Kind
  public let group: Name
  /// Who joined or left in this one step, each as often as it did.
  public let pids: [PID]
}

extension Groups {
  /// Watches a group: the calling process gets a ``GroupEvent`` whenever members come or go, until
  /// ``demonitor(_:)`` or the end of the scope's process, which may itself be monitored.
  ///
  /// - Returns: what the events carry, and the members at the moment from which on events come.
  /// - Throws: ``GroupsError``.
  ///
  /// OTP: `pg:monitor/2`.
  public func monitor(
    _ group: Name
  ) async throws(GroupsError) -> (ref: MonitorRef, members: [PID]) {
    let watcher = try caller()
    return try await ask { .monitor(group, watcher, $0) }
  }

  /// Watches all groups, as ``monitor(_:)`` does one.
  ///
  /// - Returns: what the events carry, and all groups with their members.
  ///
  /// OTP: `pg:monitor_scope/1`.
  public func monitorScope() async throws(GroupsError) -> (ref: MonitorRef, groups: [Name: [PID]]) {
    let watcher = try caller()
    return try await ask { .monitorScope(watcher, $0) }
  }

  /// Stops watching; no event of it is in the mailbox then.
  ///
  /// - Returns: false if there was no such watch.
  /// - Throws: ``GroupsError``.
  ///
  /// OTP: `pg:demonitor/2`.
  @discardableResult
  public func demonitor(_ ref: MonitorRef) async throws(GroupsError) -> Bool {
    guard let core = ProcessCore.current else { throw .notInProcess }
    guard try await ask({ .demonitor(ref, $0) }) else { return false }
    let context = ProcessContext(core)
    while (try? await context.receive(
      GroupEvent<Name>.self, timeout: .zero, where: { $0.ref == ref }))
      != nil
    {}
    return true
  }
}
