public import ArborProcesses

/// Why a table refused an operation. Nothing was changed then.
///
/// OTP: the `badarg` of `ets`, told apart.
public enum TableError: Error, Sendable, Equatable {
  /// The table is gone: it was deleted, or its owner ended and it had no heir.
  case dead(String)
  /// The caller may not do this to the table.
  case notOwner(String, caller: PID?)
  /// Code outside any process made a table without naming an owner.
  case notInProcess
  /// The process that was to own the table has ended.
  case ownerGone(PID)
  /// The table was to be given to the process that owns it.
  case alreadyOwner(PID)
  /// The process that was to own the table lives on another node.
  case otherNode(PID)
  /// Another table of the node has the name.
  case nameTaken(String)
  /// No table of the node has the name.
  case noSuchTable(String)
  /// The table of that name has other keys or values than was said.
  case wrongType(String, found: String)
  /// The calling process has been told to exit: what it does has no effect.
  case callerExiting
  /// A key's or a value's own operator used a table, while another one was being searched with it.
  case reentered(String)
  /// The key is not in the table.
  case noSuchKey(String)
  /// A table of this kind cannot do that.
  case wrongKind(String)
  /// The sum does not fit into the counter.
  case overflow(String)
}

extension TableError: CustomStringConvertible {
  public var description: String {
    switch self {
    case .dead(let table): "\(table) is gone: deleted, or its owner ended; look its name up again"
    case .notOwner(let table, let caller):
      "\(caller.map { "\($0)" } ?? "code outside any process") may not do this to \(table): "
        + "ask its owner, or make it with wider access"
    case .notInProcess:
      "a table needs an owner: make it inside a process or withProcess { }, or say owner:"
    case .ownerGone(let pid): "\(pid) has ended and cannot own a table"
    case .alreadyOwner(let pid): "\(pid) owns the table already"
    case .otherNode(let pid): "\(pid) lives on another node than the table"
    case .nameTaken(let name): "another table is named \(name)"
    case .noSuchTable(let name): "no table is named \(name)"
    case .wrongType(let name, let found): "the table named \(name) is a \(found)"
    case .callerExiting: "the calling process has been told to exit; its writes have no effect"
    case .reentered(let table):
      "\(table) was used inside the == or < of a key or value; operators must not use tables"
    case .noSuchKey(let table): "the key is not in \(table)"
    case .wrongKind(let table): "\(table) is a bag, where a key does not name one row"
    case .overflow(let table): "the sum does not fit into the counter of \(table)"
    }
  }
}
