import ArborProcesses
package import ArborTables

/// What one incarnation of a registry has.
package final class RegistryTables<Key: Hashable & Sendable, Value: Sendable>: Sendable {
  package typealias Entry = RegistryEntry<Value>

  let keys: RegistryKeys
  let server: PID
  package let partitions: [Table<Key, Entry>]
  let meta: Table<String, any Sendable>

  init(
    _ keys: RegistryKeys, partitions: Int, server: PID, meta: [String: any Sendable]
  ) throws(TableError) {
    self.keys = keys
    self.server = server
    var tables: [Table<Key, Entry>] = []
    for _ in 0..<partitions {
      tables.append(
        try Table(
          keys == .unique ? .set : .duplicateBag, access: .public, owner: server,
          rowOwner: { $1.pid }))
    }
    self.partitions = tables
    self.meta = try Table(access: .public, owner: server)
    try self.meta.insert(contentsOf: meta.map { (key: $0.key, value: $0.value) })
  }

  /// The table of a process's entry under a key.
  func table(for key: Key, of pid: PID) -> Table<Key, Entry> {
    if partitions.count == 1 { return partitions[0] }
    return keys == .duplicate
      ? partitions[Int(pid.id % UInt64(partitions.count))] : table(of: key)
  }

  /// The tables in which a key may have entries.
  func tables(for key: Key) -> [Table<Key, Entry>] {
    partitions.count == 1 || keys == .duplicate ? partitions : [table(of: key)]
  }

  private func table(of key: Key) -> Table<Key, Entry> {
    partitions[Int(UInt(bitPattern: key.hashValue) % UInt(partitions.count))]
  }

  /// The living entries under a key, table by table. None if the registry is not running any more.
  func entries(_ key: Key) -> [[Entry]] {
    tables(for: key).map { table in
      ((try? table.lookupAll(key)) ?? []).filter(\.pid.isAlive)
    }
  }

  /// The living entries.
  func all() -> [(key: Key, value: Entry)] {
    partitions.flatMap { table in ((try? table.rows()) ?? []).filter(\.value.pid.isAlive) }
  }

  func hasEntries(of pid: PID) -> Bool {
    partitions.contains { !$0.ownedKeys(of: pid).isEmpty }
  }

  /// Puts in an entry, if the key is free or may have several.
  ///
  /// - Returns: who has the key; nil if the entry is in.
  func insert(_ key: Key, _ entry: Entry) throws -> PID? {
    let table = table(for: key, of: entry.pid)
    guard keys == .unique else {
      try table.insert(key, entry)
      return nil
    }
    while true {
      if try table.insertNew(key, entry) { return nil }
      // An entry of one that is not alive is on its way out: it is replaced, and not waited for.
      let holder = try table.update(key) { found -> PID? in
        if found.pid.isAlive { return found.pid }
        found = entry
        return nil
      }
      switch holder {
      case .some(let holder): return holder
      case nil: continue  // gone meanwhile
      }
    }
  }

  /// Takes out a process's entries under a key that fit.
  func remove(
    _ key: Key, of pid: PID, where matches: (Value) throws -> Bool
  ) throws -> [Entry] {
    try table(for: key, of: pid).take(key) { entry in
      if entry.pid != pid { return false }
      return try matches(entry.value)
    }
  }
}
