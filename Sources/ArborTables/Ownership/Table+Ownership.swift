import ArborPrimitives
public import ArborProcesses

extension Table {
  /// The process that the table belongs to; the last one, if the table is gone.
  public var owner: PID { ownership.machine.withLock { $0.owner } }

  /// Who gets the table when its owner ends; nil if nobody does.
  public var heir: PID? { ownership.machine.withLock { $0.heir } }

  /// The name under which the table can be found; nil if it has none.
  public var name: String? { ownership.machine.withLock { $0.name } }

  /// False once the table is gone.
  public var isAlive: Bool { gate.load() & Gate.dead == 0 }

  /// Hands the table to another process, which gets a ``TableTransfer``. The heir stays who it is.
  ///
  /// Reads and writes that are under way are neither delayed nor refused.
  ///
  /// - Throws: ``TableError/notOwner(_:caller:)`` if the table is not the caller's,
  ///   ``TableError/alreadyOwner(_:)``, ``TableError/ownerGone(_:)`` if the other has ended: then
  ///   nothing has changed.
  ///
  /// OTP: `ets:give_away/3`.
  public func giveAway(to receiver: PID, data: (any Sendable)? = nil) throws(TableError) {
    let giver = try checkIsActingOwner()
    guard receiver.node === node else { throw .otherNode(receiver) }
    let gift = ownership.transition { machine in
      machine.give(from: giver, to: receiver) { $0.core.adopt(self) }
    }
    switch gift {
    case .dead: throw .dead(description)
    case .notYours: throw .notOwner(description, caller: giver)
    case .alreadyTheirs: throw .alreadyOwner(receiver)
    case .gone: throw .ownerGone(receiver)
    case .given:
      giver.core.disown(self)
      tell(receiver, from: giver, data)
    }
  }

  /// Says who shall get the table when its owner ends, and what the message to that one carries.
  ///
  /// - Parameter heir: nil if the table shall die with its owner, and so it will if the heir has ended
  ///   by then. One that has ended already is none.
  /// - Throws: ``TableError/notOwner(_:caller:)`` if the table is not the caller's.
  ///
  /// OTP: `ets:setopts(Table, {heir, Pid, Data})`.
  public func setHeir(_ heir: PID?, data: (any Sendable)? = nil) throws(TableError) {
    let caller = try checkIsActingOwner()
    if let heir, heir.node !== node { throw .otherNode(heir) }
    let living = heir.flatMap { $0.isAlive ? $0 : nil }
    guard ownership.transition({ $0.setHeir(living, data: data, by: caller) }) else {
      try checkIsAlive()
      throw .notOwner(description, caller: caller)
    }
  }

  /// Deletes the table, with all that is in it.
  ///
  /// - Throws: ``TableError/notOwner(_:caller:)`` if the caller may not write the table.
  ///
  /// OTP: `ets:delete/1`.
  public func deleteTable() throws(TableError) {
    try checkMayWrite()
    die()
  }

  private func checkIsActingOwner() throws(TableError) -> PID {
    try checkIsAlive()
    let caller = try checkIsOwner()
    if caller.core.isFenced { throw .callerExiting }
    return caller
  }

  private func tell(_ receiver: PID, from giver: PID, _ data: (any Sendable)?) {
    receiver.core.deliver(
      Mail.make(
        .message, TableTransfer(from: giver, data: data, table: self), context: nil))
  }

  /// The end of the table; the second call does nothing.
  package func die() {
    guard let owner = ownership.transition({ $0.die() }) else { return }
    owner.core.disown(self)
    bury()
  }

  /// What is left to do once the ownership says that the table is dead.
  private func bury() {
    gate.close()
    TableCatalogue.of(node).remove(self)
    owned?.dropAll()
    let remains = engine.removeAll()
    _ = remains
  }
}

extension Table: AnyTable {
  package func setName(_ name: String) { ownership.machine.withLock { $0.name = name } }

  package var currentInfo: TableInfo? { try? info }

  package var typeName: String { "Table<\(Key.self), \(Value.self)>" }

  package func ownerReleased(_ owner: PID, reason: ExitReason) {
    switch ownership.transition({ $0.ownerReleased(owner) { $0.core.adopt(self) } }) {
    case .none: break
    case .inherited(let heir, let data): tell(heir, from: owner, data)
    case .died: bury()
    }
  }
}

extension Table {
  /// Gives a named table another name, under which alone it is found from then on. A table that has
  /// no name gets none.
  ///
  /// - Throws: ``TableError/nameTaken(_:)``; ``TableError/notOwner(_:caller:)`` if the caller may not
  ///   write the table.
  ///
  /// OTP: `ets:rename/2`.
  public func rename(to name: String) throws(TableError) {
    try checkMayWrite()
    try TableCatalogue.of(node).rename(self, to: name)
  }
}
