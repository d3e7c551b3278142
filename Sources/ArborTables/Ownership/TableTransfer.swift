public import ArborProcesses

/// The message to a process that has just become a table's owner, by inheritance or as a gift.
///
///     let transfer = try await context.receive(TableTransfer.self)
///     let rows = transfer.table(as: Table<PID, Row>.self)
///
/// OTP: `'ETS-TRANSFER'`.
public struct TableTransfer: Sendable {
  /// The owner before.
  public let from: PID
  /// What the giver, or whoever set the heir, sent along.
  public let data: (any Sendable)?
  package let table: any AnyTable

  /// The table, if it is of this type.
  public func table<Key, Value>(as type: Table<Key, Value>.Type) -> Table<Key, Value>? {
    table as? Table<Key, Value>
  }

  /// The table's name; nil if it has none.
  public var tableName: String? { table.name }
}

/// A table, whatever its rows are.
package protocol AnyTable: OwnedResource {
  var id: UInt64 { get }
  var name: String? { get }
  /// Called by the catalogue, under its lock, so that both have the same name.
  func setName(_ name: String)
  var typeName: String { get }
  /// Nil once the table is gone.
  var currentInfo: TableInfo? { get }
}
