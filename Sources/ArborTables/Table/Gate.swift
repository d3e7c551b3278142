public import Synchronization

/// What every operation passes first: is the table there, and may the caller do this?
///
/// One word, so that the usual case, a living table that is open to the caller, costs one load.
@usableFromInline
struct Gate: ~Copyable, Sendable {
  @usableFromInline let flags: Atomic<UInt8>

  @usableFromInline static let dead: UInt8 = 1
  @usableFromInline static let ownerReads: UInt8 = 2
  @usableFromInline static let ownerWrites: UInt8 = 4
  /// A user's operators run under the table's locks.
  @usableFromInline static let runsForeignCode: UInt8 = 8

  /// Rows have processes of their own.
  @usableFromInline static let ownsRows: UInt8 = 16

  init(access: TableAccess, runsForeignCode: Bool, ownsRows: Bool) {
    var flags: UInt8 = runsForeignCode ? Gate.runsForeignCode : 0
    if ownsRows { flags |= Gate.ownsRows }
    switch access {
    case .public: break
    case .protected: flags |= Gate.ownerWrites
    case .private: flags |= Gate.ownerReads | Gate.ownerWrites
    }
    self.flags = Atomic(flags)
  }

  @inlinable
  func load() -> UInt8 { flags.load(ordering: .acquiring) }

  /// Closes the gate for good.
  func close() { flags.bitwiseOr(Gate.dead, ordering: .acquiringAndReleasing) }
}
