import ArborProcesses

/// Who owns a table and who gets it next: the pure part.
///
/// `adopt` hands the table to a process and says whether that one still takes it; it is the
/// process's own leaf lock, taken inside the table's. So a table is never with a process that does
/// not know of it, and a process that ends just then finds itself the owner.
struct OwnershipMachine: Sendable {
  private(set) var owner: PID
  private(set) var heir: PID?
  private(set) var heirData: (any Sendable)?
  private(set) var isDead = false
  var name: String?

  init(owner: PID, heir: PID?, heirData: (any Sendable)?, name: String?) {
    self.owner = owner
    self.heir = heir
    self.heirData = heirData
    self.name = name
  }

  /// What the end of a process means for the table.
  enum Succession: Sendable {
    /// It was not, or no longer, the owner.
    case none
    /// The heir has it now, and is to be told.
    case inherited(by: PID, data: (any Sendable)?)
    case died
  }

  mutating func ownerReleased(_ pid: PID, adopt: (PID) -> Bool) -> Succession {
    guard !isDead, owner == pid else { return .none }
    if let heir, heir != pid, adopt(heir) {
      owner = heir
      return .inherited(by: heir, data: heirData)
    }
    isDead = true
    return .died
  }

  enum Gift: Sendable, Equatable { case given, notYours, alreadyTheirs, gone, dead }

  /// The heir stays who it was.
  mutating func give(from giver: PID, to receiver: PID, adopt: (PID) -> Bool) -> Gift {
    if isDead { return .dead }
    if owner != giver { return .notYours }
    if owner == receiver { return .alreadyTheirs }
    guard adopt(receiver) else { return .gone }
    owner = receiver
    return .given
  }

  /// False if the caller does not own the table.
  mutating func setHeir(_ heir: PID?, data: (any Sendable)?, by caller: PID) -> Bool {
    guard !isDead, owner == caller else { return false }
    self.heir = heir
    heirData = data
    return true
  }

  /// Who has to let go of the table; nil if it is dead already.
  mutating func die() -> PID? {
    if isDead { return nil }
    isDead = true
    return owner
  }
}
