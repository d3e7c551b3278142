public import ArborProcesses

/// A table of rows that processes share: read and written by its callers directly, owned by one of
/// them, gone when that one ends.
///
///     try await withProcess { _ in
///       let hits = try Table<String, Int>(.set, access: .public)
///       try hits.insert("/", 1)
///       try hits.updateCounter("/", by: 1)
///       print(try hits.lookup("/") ?? 0)          // 2
///     }
///
/// A handle may be copied and sent anywhere, and kept: once the table is gone every use of it
/// throws ``TableError/dead(_:)``.
///
/// No operation goes through the owner or waits for it. An operation on one row is atomic, and so
/// is one that inserts a list of rows. Closures run in their caller without any lock held. The one
/// foreign code that does run under a table's lock is the `==` of keys, for an ordered set their `<`;
/// if such an operator uses a table itself, that use throws
/// ``TableError/reentered(_:)``.
///
/// OTP: `ets`.
public final class Table<Key: Hashable & Sendable, Value: Sendable>: Sendable {
  /// What the table is: how it treats a second row under one key, and whether it keeps an order.
  public let kind: TableKind<Key, Value>
  /// Who may read and write.
  public let access: TableAccess
  /// The node that the table's name and number belong to.
  public let node: Node
  /// The number that names the table within its node; never used again.
  public let id: UInt64

  @usableFromInline let engine: StorageEngine<Key, Value>
  @usableFromInline let gate: Gate
  /// Says whether a writer's own fence has to be looked at. Here, because the shared one is behind a
  /// check whether it is there yet.
  @usableFromInline let fences = FenceGauge.shared
  package let ownership: TableOwnership
  let owned: OwnedRows<Key, Value>?

  /// Makes a table that belongs to the calling process.
  ///
  /// - Parameters:
  ///   - kind: ``TableKind/set`` if not said.
  ///   - name: a name under which ``named(_:on:)`` finds it; none if not said.
  ///   - access: who may read and write; all may read and the owner may write, if not said.
  ///   - owner: whose table it shall be; the calling process's if not said.
  ///   - heir: who gets the table, and a ``TableTransfer``, when its owner ends. A process that has
  ///     ended is none.
  ///   - heirData: what the heir's message carries.
  ///   - rowOwner: says whose a row is; nil if nobody's. A row dies with its process, before anyone
  ///     sees that one's DOWN. Must depend on the row alone.
  ///
  /// - Throws: ``TableError/notInProcess`` if the caller is no process and no owner was named,
  ///   ``TableError/nameTaken(_:)``, ``TableError/ownerGone(_:)``, ``TableError/otherNode(_:)`` if the
  ///   heir lives on another node than the owner, ``TableError/callerExiting``.
  ///
  /// OTP: `ets:new/2`.
  public convenience init(
    _ kind: TableKind<Key, Value> = .set, named name: String? = nil,
    access: TableAccess = .protected, owner: PID? = nil, heir: PID? = nil,
    heirData: (any Sendable)? = nil, rowOwner: (@Sendable (Key, Value) -> PID?)? = nil
  ) throws(TableError) {
    try self.init(
      kind, rows: [], named: name, access: access, owner: owner, heir: heir, heirData: heirData,
      rowOwner: rowOwner)
  }

  /// With rows that are in the table before anybody can find it.
  init(
    _ kind: TableKind<Key, Value>, rows: [(key: Key, value: Value)], named name: String?,
    access: TableAccess, owner: PID?, heir: PID?, heirData: (any Sendable)?,
    rowOwner: (@Sendable (Key, Value) -> PID?)?
  ) throws(TableError) {
    let caller = ProcessCore.current
    guard caller?.isFenced != true else { throw .callerExiting }
    guard let owner = owner ?? caller?.pid else { throw .notInProcess }
    self.kind = kind
    self.access = access
    node = owner.node
    let catalogue = TableCatalogue.of(owner.node)
    id = catalogue.nextID()
    // The node's, so that a run that is replayed has its rows in the same order.
    engine = StorageEngine(kind, seed: owner.node.nextRandom())
    let runsForeignCode = !TrustedTypes.contains(Key.self)
    gate = Gate(access: access, runsForeignCode: runsForeignCode, ownsRows: rowOwner != nil)
    owned = rowOwner.map { [engine] rowOwner in
      OwnedRows(rowOwner, in: engine, runsForeignCode: runsForeignCode)
    }
    if let heir, heir.node !== node { throw .otherNode(heir) }
    let living = heir.flatMap { $0.isAlive ? $0 : nil }
    ownership = TableOwnership(owner: owner, heir: living, heirData: heirData, name: name)
    if !rows.isEmpty { _ = engine.insert(contentsOf: rows) }
    try catalogue.insert(self, named: name)
    if !owner.core.adopt(self) {
      die()
      throw .ownerGone(owner)
    }
  }
}

extension Table: CustomStringConvertible {
  public var description: String { name.map { "table \($0)" } ?? "table #\(id)" }
}

extension Table: Hashable {
  /// Handles are equal if they mean the same table.
  public static func == (left: Table, right: Table) -> Bool { left === right }
  public func hash(into hasher: inout Hasher) { hasher.combine(ObjectIdentifier(self)) }
}
