import ArborProcesses
import ArborTables

extension Registry {
  /// Registers the calling process under a key.
  ///
  ///     try rooms.register(7, "lobby")
  ///
  /// It stays registered until ``unregister(_:)`` or its end, and is linked to the registry.
  ///
  /// - Throws: ``RegistryError``: `alreadyRegistered` if the key is unique and a living process has it,
  ///   be it the caller itself; `notInProcess`, `notRunning`, `cancelled`.
  ///
  /// OTP: Elixir's `Registry.register/3`.
  public func register(_ key: Key, _ value: Value) throws(RegistryError) {
    guard let core = ProcessCore.current else { throw .notInProcess }
    try register(core, key, value)
  }

  /// Takes the calling process's entries under a key back. Nothing happens if there are none.
  ///
  /// - Throws: ``RegistryError``: `notInProcess`, `notRunning`, `cancelled`.
  ///
  /// OTP: Elixir's `Registry.unregister/2`.
  public func unregister(_ key: Key) throws(RegistryError) {
    try doing { try unregister(key) { _ in true } }
  }

  /// Takes those of the calling process's entries under a key back whose values fit.
  ///
  ///     try topics.unregister("news") { $0.language == "de" }
  ///
  /// - Throws: ``RegistryError``, as ``unregister(_:)``, or what `matches` throws.
  ///
  /// OTP: Elixir's `Registry.unregister_match/4`.
  public func unregister(_ key: Key, where matches: (Value) throws -> Bool) throws {
    guard let core = ProcessCore.current else { throw RegistryError.notInProcess }
    let tables = try running()
    do {
      let removed = try tables.remove(key, of: core.pid, where: matches)
      if !removed.isEmpty { forget(core.pid, key, in: tables) }
    } catch let error as TableError {
      throw RegistryError(error, in: self)
    }
  }

  /// Changes the value of the calling process's entry under a key.
  ///
  ///     try rooms.updateValue(7) { $0 += 1 }
  ///
  /// - Parameter change: changes the value, without any lock held; it may be asked again, on a newer one.
  /// - Returns: the value after and before; nil if the caller has no such entry.
  /// - Throws: ``RegistryError``: `notUnique`, `notInProcess`, `notRunning`, `cancelled`; what `change`
  ///   throws, when the value stays as it was.
  ///
  /// OTP: Elixir's `Registry.update_value/3`.
  @discardableResult
  public func updateValue(
    _ key: Key, _ change: (inout Value) throws -> Void
  ) throws -> (new: Value, old: Value)? {
    guard keys == .unique else { throw RegistryError.notUnique(name) }
    guard let core = ProcessCore.current else { throw RegistryError.notInProcess }
    let table = try running().table(for: key, of: core.pid)
    do {
      let update = try table.update(key) { entry -> (new: Value, old: Value)? in
        guard entry.pid == core.pid else { return nil }
        var value = entry.value
        try change(&value)
        defer { entry = RegistryEntry(pid: core.pid, value: value) }
        return (value, entry.value)
      }
      return update ?? nil
    } catch let error as TableError {
      throw RegistryError(error, in: self)
    }
  }
}

extension Registry where Value == Void {
  /// Registers the calling process under a key; see ``register(_:_:)``.
  public func register(_ key: Key) throws(RegistryError) { try register(key, ()) }
}

extension Registry {
  func register(_ core: ProcessCore, _ key: Key, _ value: Value) throws(RegistryError) {
    let tables = try running()
    let context = ProcessContext(core)
    // Before the entry: there is none whose process would not end with the registry.
    do { try context.link(tables.server) } catch { throw .notRunning(name) }
    do throws(RegistryError) {
      let holder = try doing { try tables.insert(key, RegistryEntry(pid: core.pid, value: value)) }
      if let holder { throw RegistryError.alreadyRegistered(key: "\(key)", by: holder) }
    } catch {
      unlinkIfUnused(core.pid, in: tables)
      throw error
    }
    tell(.registered(key, core.pid, value))
  }

  /// Entries of a process have been taken out.
  func forget(_ pid: PID, _ key: Key, in tables: RegistryTables<Key, Value>) {
    unlinkIfUnused(pid, in: tables)
    tell(.unregistered(key, pid))
  }

  private func unlinkIfUnused(_ pid: PID, in tables: RegistryTables<Key, Value>) {
    if tables.hasEntries(of: pid) { return }
    let context = ProcessContext(pid.core)
    context.unlink(tables.server)
    // Another of its tasks may have registered it just now, and found the link still there.
    if tables.hasEntries(of: pid) { try? context.link(tables.server) }
  }

  private func tell(_ event: RegistryEvent<Key, Value>) {
    if listeners.isEmpty { return }
    let node = pid?.node ?? .current
    for listener in listeners { try? node.send(event, to: listener) }
  }

  /// Says what a table's errors mean to a registry.
  func doing<Result>(_ body: () throws -> Result) throws(RegistryError) -> Result {
    do {
      return try body()
    } catch let error as RegistryError {
      throw error
    } catch let error as TableError {
      throw RegistryError(error, in: self)
    } catch {
      preconditionFailure("neither a registry's nor a table's error: \(error)")
    }
  }
}

extension RegistryError {
  init<Key, Value>(_ error: TableError, in registry: Registry<Key, Value>) {
    switch error {
    case .dead: self = .notRunning(registry.name)
    case .callerExiting, .ownerGone: self = .cancelled
    default: self = .refused(error)
    }
  }
}
