import ArborPrimitives
import ArborProcesses
import Synchronization

/// The lock around an ``OwnershipMachine``, and the owner once more where all can read it.
package final class TableOwnership: Sendable {
  let machine: Lock<OwnershipMachine>
  /// The address of the owner, which the machine keeps alive: enough to compare by, without a lock.
  private let ownerAddress: Atomic<UInt>

  init(owner: PID, heir: PID?, heirData: (any Sendable)?, name: String?) {
    machine = Lock(OwnershipMachine(owner: owner, heir: heir, heirData: heirData, name: name))
    ownerAddress = Atomic(Self.address(owner.core))
  }

  private static func address(_ core: ProcessCore) -> UInt {
    UInt(bitPattern: ObjectIdentifier(core))
  }

  func isOwner(_ core: ProcessCore?) -> Bool {
    guard let core else { return false }
    return ownerAddress.load(ordering: .acquiring) == Self.address(core)
  }

  /// Runs a transition, and then lets all see who the owner is.
  func transition<Result: Sendable>(_ body: (inout OwnershipMachine) -> Result) -> Result {
    machine.withLock { machine in
      let result = body(&machine)
      ownerAddress.store(Self.address(machine.owner.core), ordering: .releasing)
      return result
    }
  }
}
