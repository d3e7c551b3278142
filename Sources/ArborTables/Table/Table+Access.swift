public import ArborProcesses

extension Table {
  /// Runs `body`, which is never a user's code, if the caller may read.
  @inlinable @inline(__always)
  func reading<Result>(
    _ body: (StorageEngine<Key, Value>) -> Result
  ) throws(TableError) -> Result {
    let flags = gate.load()
    if flags & (Gate.dead | Gate.ownerReads | Gate.runsForeignCode) != 0 {
      try admitReader(flags)
    }
    let result = body(engine)
    if flags & Gate.runsForeignCode != 0 { leave() }
    return result
  }

  /// Runs `body`, which is never a user's code, if the caller may write.
  @inlinable @inline(__always)
  func writing<Result>(
    _ body: (StorageEngine<Key, Value>) -> Result
  ) throws(TableError) -> Result {
    let flags = gate.load()
    if flags & (Gate.dead | Gate.ownerWrites | Gate.runsForeignCode) != 0 || fences.isRaised {
      try admitWriter(flags)
    }
    let result = body(engine)
    if flags & Gate.runsForeignCode != 0 { leave() }
    return result
  }

  /// Runs a part of an operation that was admitted before: `body` is never a user's code.
  func sheltered<Result>(_ body: () -> Result) throws(TableError) -> Result {
    let flags = gate.load()
    if flags & Gate.dead != 0 { throw .dead(description) }
    guard flags & Gate.runsForeignCode != 0 else { return body() }
    guard ForeignCode.enter() else { throw .reentered(description) }
    defer { leave() }
    return body()
  }

  @inlinable var ownsRows: Bool { gate.load() & Gate.ownsRows != 0 }

  /// The rarer cases of reading.
  @usableFromInline
  func admitReader(_ flags: UInt8) throws(TableError) {
    if flags & Gate.dead != 0 { throw .dead(description) }
    if flags & Gate.ownerReads != 0 { try checkIsOwner() }
    if flags & Gate.runsForeignCode != 0, !ForeignCode.enter() { throw .reentered(description) }
  }

  @usableFromInline
  func admitWriter(_ flags: UInt8) throws(TableError) {
    if flags & Gate.dead != 0 { throw .dead(description) }
    let caller = ProcessCore.current
    if caller?.isFenced == true { throw .callerExiting }
    if flags & Gate.ownerWrites != 0, !ownership.isOwner(caller) {
      throw .notOwner(description, caller: caller?.pid)
    }
    if flags & Gate.runsForeignCode != 0, !ForeignCode.enter() { throw .reentered(description) }
  }

  @usableFromInline
  func leave() { ForeignCode.leave() }

  /// For what is the owner's alone, whatever the access.
  @discardableResult
  func checkIsOwner() throws(TableError) -> PID {
    let caller = ProcessCore.current
    guard let caller, ownership.isOwner(caller) else {
      throw .notOwner(description, caller: caller?.pid)
    }
    return caller.pid
  }

  /// For what changes the table itself and not its rows.
  func checkMayWrite() throws(TableError) {
    let flags = gate.load()
    try admitWriter(flags)
    if flags & Gate.runsForeignCode != 0 { leave() }
  }

  func checkMayRead() throws(TableError) { try reading { _ in } }

  func checkIsAlive() throws(TableError) {
    if gate.load() & Gate.dead != 0 { throw .dead(description) }
  }
}
