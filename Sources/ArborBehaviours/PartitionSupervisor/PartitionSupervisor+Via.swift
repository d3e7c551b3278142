public import ArborProcesses

extension ServerRef<PartitionSupervisor> {
  /// The partition of a key as a name, for ``ServerRef`` and wherever else a ``ProcessName`` is asked for;
  /// looked up at each use.
  ///
  ///     ServerRef<Counter>(named: counters.via(user)).add(1)
  ///
  /// It leads to a process, and cannot be given to one.
  ///
  /// OTP: `{:via, PartitionSupervisor, {name, key}}` of Elixir.
  public func via(_ key: some Hashable & Sendable) -> ProcessName {
    ProcessName(via: PartitionName(self, key))
  }
}

/// A key of a partition supervisor, as a name.
private final class PartitionName<Key: Hashable & Sendable>: NameSource {
  private let supervisor: ServerRef<PartitionSupervisor>
  private let key: Key

  init(_ supervisor: ServerRef<PartitionSupervisor>, _ key: Key) {
    self.supervisor = supervisor
    self.key = key
  }

  var text: String { "\(supervisor)[\(key)]" }

  func find() -> ProcessCore? {
    guard let core = supervisor.pid(for: key)?.core, core.isAlive else { return nil }
    return core
  }

  func register(_ core: ProcessCore, as name: ProcessName) throws(NameError) {
    throw find().map { .taken(name, by: $0.pid) } ?? .notRunning(name)
  }

  func unregister() -> Bool { false }

  func isSame(as other: any NameSource) -> Bool {
    guard let other = other as? PartitionName else { return false }
    return supervisor == other.supervisor && key == other.key
  }

  func hash(into hasher: inout Hasher) {
    hasher.combine(supervisor)
    hasher.combine(key)
  }
}
