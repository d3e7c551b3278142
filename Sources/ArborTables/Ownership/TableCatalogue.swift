import ArborPrimitives
public import ArborProcesses
import Synchronization

/// The tables of a node, and the names of those that have one.
package final class TableCatalogue: Sendable {
  private struct State: Sendable {
    var tables: [UInt64: any AnyTable] = [:]
    var names: [String: any AnyTable] = [:]
  }

  private let state = Lock(State())
  private let lastID = Atomic<UInt64>(0)

  package static func of(_ node: Node) -> TableCatalogue {
    node.part(TableCatalogue.self) { _ in TableCatalogue() }
  }

  func nextID() -> UInt64 { lastID.wrappingAdd(1, ordering: .relaxed).newValue }

  func insert(_ table: any AnyTable, named name: String?) throws(TableError) {
    let isFree = state.withLock { state in
      if let name {
        guard state.names[name] == nil else { return false }
        state.names[name] = table
      }
      state.tables[table.id] = table
      return true
    }
    if !isFree, let name { throw .nameTaken(name) }
  }

  func remove(_ table: any AnyTable) {
    state.withLock { state in
      state.tables[table.id] = nil
      if let name = table.name, state.names[name] === table { state.names[name] = nil }
    }
  }

  func rename(_ table: any AnyTable, to name: String) throws(TableError) {
    let isDone = state.withLock { state in
      // A table that died meanwhile has given its name back.
      guard let old = table.name, state.names[old] === table, old != name else { return true }
      guard state.names[name] == nil else { return false }
      state.names[old] = nil
      state.names[name] = table
      table.setName(name)
      return true
    }
    if !isDone { throw .nameTaken(name) }
  }

  func find(_ name: String) -> (any AnyTable)? { state.withLock { $0.names[name] } }

  package var nameCount: Int { state.withLock { $0.names.count } }

  var all: [any AnyTable] {
    state.withLock { $0.tables.values.sorted { $0.id < $1.id } }
  }
}

extension Table {
  /// Finds a table by its name.
  ///
  ///     let scores = try Table<String, Int>.named("scores")
  ///
  /// The handle stays with the table that it found, also when that is renamed, and does not go over to
  /// another one that takes the name later.
  ///
  /// - Parameter node: where to look; the caller's node if not said.
  /// - Throws: ``TableError/noSuchTable(_:)``, ``TableError/wrongType(_:found:)``.
  ///
  /// OTP: `ets:whereis/1`.
  public static func named(
    _ name: String, on node: Node? = nil
  ) throws(TableError) -> Table {
    guard let found = TableCatalogue.of(node ?? .current).find(name) else {
      throw .noSuchTable(name)
    }
    guard let table = found as? Table else { throw .wrongType(name, found: found.typeName) }
    return table
  }
}
