import ArborPrimitives
public import Synchronization

/// What a process's loop has to see to beside its next message: the bits of its `duties`. None, as
/// for most, costs one read for each message.
@usableFromInline
package enum Duties {
  /// Something was asked of the context, for the return of the handler that runs.
  package static var asked: UInt8 { 1 }
  /// It hibernates when nothing has come for some time.
  package static var drowsy: UInt8 { 2 }
  /// It is looked at, by way of `Sys`.
  @inlinable package static var observed: UInt8 { 4 }
}

extension ProcessCore {
  /// True while there is nothing to see to but the next message.
  @inlinable
  @inline(__always)
  package var hasNoDuties: Bool { duties.load(ordering: .relaxed) == 0 }

  /// True while somebody looks at what it does, by way of `Sys`.
  @inlinable
  @inline(__always)
  package var isObserved: Bool { duties.load(ordering: .relaxed) & Duties.observed != 0 }

  var backstage: Backstage { machine.withLock { $0.madeBackstage() } }

  func setDuty(_ duty: UInt8, _ isSet: Bool) {
    if isSet {
      duties.bitwiseOr(duty, ordering: .relaxed)
    } else {
      duties.bitwiseAnd(~duty, ordering: .relaxed)
    }
  }
}
