public import ArborProcesses
import ArborTables

// Reads are made by the caller, without a message to anybody. Of a registry that is not running they
// find nothing. Conditions are asked without any lock held.

extension Registry {
  public typealias Entry = RegistryEntry<Value>

  /// The entries under a key, of those who are alive: at most one, if keys are unique. Those of one
  /// process are in the order of their registration.
  ///
  /// OTP: Elixir's `Registry.lookup/2`.
  public func lookup(_ key: Key) -> [Entry] {
    tables?.entries(key).flatMap(\.self) ?? []
  }

  /// Who is registered under a key; nil if nobody is, or keys are not unique.
  ///
  /// OTP: Elixir's `Registry.whereis_name/1`.
  public func pid(for key: Key) -> PID? {
    guard keys == .unique, let tables,
      let entry = try? tables.tables(for: key)[0].lookup(key), entry.pid.isAlive
    else { return nil }
    return entry.pid
  }

  /// The values of a process's entries under a key.
  ///
  /// OTP: Elixir's `Registry.values/3`.
  public func values(_ key: Key, of pid: PID) -> [Value] {
    guard let tables, pid.isAlive else { return [] }
    let found = (try? tables.table(for: key, of: pid).lookupAll(key)) ?? []
    return found.filter { $0.pid == pid }.map(\.value)
  }

  /// The keys that a process is registered under, in no order; one comes as often as it has entries.
  ///
  /// OTP: Elixir's `Registry.keys/2`.
  public func keys(of pid: PID) -> [Key] {
    guard let tables, pid.isAlive else { return [] }
    return tables.partitions.flatMap { table in
      table.ownedKeys(of: pid).flatMap { key in
        let found = (try? table.lookupAll(key)) ?? []
        return found.filter { $0.pid == pid }.map { _ in key }
      }
    }
  }

  /// The entries under a key whose values fit a condition.
  ///
  ///     let german = topics.match("news") { $0.language == "de" }
  ///
  /// OTP: Elixir's `Registry.match/4`.
  public func match(_ key: Key, where matches: (Value) throws -> Bool) rethrows -> [Entry] {
    try lookup(key).filter { try matches($0.value) }
  }

  /// How many entries under a key have values that fit a condition.
  ///
  /// OTP: Elixir's `Registry.count_match/4`.
  public func countMatch(_ key: Key, where matches: (Value) throws -> Bool) rethrows -> Int {
    try match(key, where: matches).count
  }

  /// What a function makes of the entries, of those for which that is not nil.
  ///
  ///     let crowded = rooms.select { key, pid, guests in guests > 100 ? key : nil }
  ///
  /// OTP: Elixir's `Registry.select/2`.
  public func select<Result>(
    _ transform: (_ key: Key, _ pid: PID, _ value: Value) throws -> Result?
  ) rethrows -> [Result] {
    try (tables?.all() ?? []).compactMap { try transform($0.key, $0.value.pid, $0.value.value) }
  }

  /// How many entries fit a condition.
  ///
  /// OTP: Elixir's `Registry.count_select/2`.
  public func countSelect(
    where matches: (_ key: Key, _ pid: PID, _ value: Value) throws -> Bool
  ) rethrows -> Int {
    try select { try matches($0, $1, $2) ? true : nil }.count
  }

  /// How many entries there are.
  ///
  /// OTP: Elixir's `Registry.count/1`.
  public var count: Int { tables?.all().count ?? 0 }
}

extension Registry {
  /// Hands the entries under a key to a function, which is not called if there are none; once for each
  /// table that has some.
  ///
  ///     topics.dispatch("news") { entries in
  ///       for entry in entries { entry.pid.send("rain") }
  ///     }
  ///
  /// OTP: Elixir's `Registry.dispatch/3`.
  public func dispatch(_ key: Key, _ body: ([Entry]) throws -> Void) rethrows {
    for entries in tables?.entries(key) ?? [] where !entries.isEmpty { try body(entries) }
  }

  /// As ``dispatch(_:_:)``, for all tables at a time, in tasks of the caller's. Returns when all are done.
  ///
  /// More than one table have entries of a key if there are several and keys are `.duplicate`.
  ///
  /// - Throws: what a `body` throws first; the others are cancelled.
  ///
  /// OTP: Elixir's `Registry.dispatch/3` with `parallel: true`.
  public func dispatchInParallel(
    _ key: Key, _ body: @escaping @Sendable ([Entry]) async throws -> Void
  ) async throws {
    let parts = (tables?.entries(key) ?? []).filter { !$0.isEmpty }
    if parts.count == 1 { return try await body(parts[0]) }
    try await withThrowingTaskGroup(of: Void.self) { group in
      for entries in parts { group.addTask { try await body(entries) } }
      try await group.waitForAll()
    }
  }
}

extension Registry {
  /// Keeps a value about the registry itself, until its process ends.
  ///
  /// - Throws: ``RegistryError``: `notRunning`, `cancelled`.
  ///
  /// OTP: Elixir's `Registry.put_meta/3`.
  public func putMeta<Meta: Sendable>(_ key: String, _ value: Meta) throws(RegistryError) {
    let tables = try running()
    try doing { try tables.meta.insert(key, value) }
  }

  /// A value about the registry itself; nil if there is none, or none of that type.
  ///
  /// OTP: Elixir's `Registry.meta/2`.
  public func meta<Meta: Sendable>(_ key: String, as type: Meta.Type = Meta.self) -> Meta? {
    guard let value = try? tables?.meta.lookup(key) else { return nil }
    return value as? Meta
  }

  /// Takes a value about the registry itself back. Nothing happens if there is none.
  ///
  /// - Throws: as ``putMeta(_:_:)``.
  ///
  /// OTP: Elixir's `Registry.delete_meta/2`.
  public func deleteMeta(_ key: String) throws(RegistryError) {
    let tables = try running()
    try doing { try tables.meta.delete(key) }
  }
}
