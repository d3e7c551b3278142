import ArborPrimitives
public import ArborProcesses

/// What there is to know about a table.
///
/// OTP: `ets:info/1`.
public struct TableInfo: Sendable {
  /// The number that names the table within its node.
  public let id: UInt64
  public let name: String?
  public let kind: TableKindName
  public let access: TableAccess
  public let owner: PID
  public let heir: PID?
  /// How many rows there are.
  public let count: Int
  /// Bytes that the rows take, without what they refer to: strings, arrays, objects.
  public let memory: Int
  /// True while somebody walks through the table; see ``Table/withFixedTable(_:)``.
  public let isFixed: Bool
  /// True if rows die with processes of their own.
  public let ownsRows: Bool
  /// The types of the table's keys and values.
  public let typeName: String
}

extension Table {
  /// How many rows there are, at one moment.
  ///
  /// As all that is known about a table itself, this is open to everyone, whatever the access.
  ///
  /// OTP: `ets:info(Table, size)`.
  public var count: Int {
    get throws(TableError) {
      try checkIsAlive()
      return engine.count
    }
  }

  /// An estimate of the table's memory, in bytes, without what keys and values refer to.
  ///
  /// OTP: `ets:info(Table, memory)`, which counts words.
  public var memory: Int {
    get throws(TableError) {
      try checkIsAlive()
      return engine.byteCount
    }
  }

  /// All that is known about the table.
  ///
  /// OTP: `ets:info/1`.
  public var info: TableInfo {
    get throws(TableError) {
      try checkIsAlive()
      let ownership = ownership.machine.withLock { ($0.name, $0.owner, $0.heir) }
      return TableInfo(
        id: id, name: ownership.0, kind: kind.name, access: access, owner: ownership.1,
        heir: ownership.2, count: engine.count, memory: engine.byteCount,
        isFixed: engine.hasWalkers, ownsRows: ownsRows, typeName: typeName)
    }
  }
}

extension Node {
  /// The tables of this node, oldest first.
  ///
  /// OTP: `ets:all/0`.
  public var tables: [TableInfo] { TableCatalogue.of(self).all.compactMap(\.currentInfo) }
}
