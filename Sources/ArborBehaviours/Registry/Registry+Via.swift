public import ArborProcesses
import ArborTables

extension Registry {
  /// A key as a name: for ``ServerRef``, `start(named:)`, `Child(named:)`, `monitor`, and wherever else a
  /// ``ProcessName`` is asked for.
  ///
  ///     let room = try await Room.start(named: rooms.via(7)) { Room() }
  ///     ServerRef<Room>(named: rooms.via(7)).cast(.close)
  ///
  /// Keys must be unique: else the name finds nobody, and to register it fails with
  /// ``NameError/notUnique(_:)``. To register it in a registry whose entries have a value, say which with
  /// ``via(_:value:)``, unless that is optional.
  ///
  /// OTP: `{:via, Registry, {registry, key}}` of Elixir.
  public func via(_ key: Key) -> ProcessName {
    ProcessName(via: RegistryName(self, key, nil))
  }

  /// As ``via(_:)``, with the value to register with. To find somebody it makes no difference.
  ///
  /// OTP: `{:via, Registry, {registry, key, value}}` of Elixir.
  public func via(_ key: Key, value: Value) -> ProcessName {
    ProcessName(via: RegistryName(self, key, value))
  }
}

/// A key of a registry, as a name.
private final class RegistryName<Key: Hashable & Sendable, Value: Sendable>: NameSource {
  private let registry: Registry<Key, Value>
  private let key: Key
  private let value: Value?

  init(_ registry: Registry<Key, Value>, _ key: Key, _ value: Value?) {
    self.registry = registry
    self.key = key
    self.value = value
  }

  var text: String { "\(registry.name)[\(key)]" }

  func find() -> ProcessCore? { registry.pid(for: key)?.core }

  func register(_ core: ProcessCore, as name: ProcessName) throws(NameError) {
    guard registry.keys == .unique else { throw .notUnique(name) }
    guard let value = value ?? nothing else { throw .noValue(name) }
    do {
      try registry.register(core, key, value)
    } catch {
      switch error {
      case .alreadyRegistered(_, let holder): throw .taken(name, by: holder)
      case .cancelled: throw .notAlive(core.pid)
      default: throw .notRunning(name)
      }
    }
  }

  /// The value that says nothing, of the types that have one.
  private var nothing: Value? {
    if let void = () as? Value { return void }
    guard let type = Value.self as? any ExpressibleByNilLiteral.Type else { return nil }
    return type.init(nilLiteral: ()) as? Value
  }

  func unregister() -> Bool {
    guard registry.keys == .unique, let tables = try? registry.running(),
      let entry = try? tables.tables(for: key)[0].take(key)
    else { return false }
    registry.forget(entry.pid, key, in: tables)
    return entry.pid.isAlive
  }

  func isSame(as other: any NameSource) -> Bool {
    guard let other = other as? RegistryName else { return false }
    return registry === other.registry && key == other.key
  }

  func hash(into hasher: inout Hasher) {
    hasher.combine(ObjectIdentifier(registry))
    hasher.combine(key)
  }
}
