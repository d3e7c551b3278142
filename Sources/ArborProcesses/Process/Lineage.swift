import ArborPrimitives

/// One of a process's ancestors: its PID, and the name it had when it started the next.
///
/// OTP: an element of `'$ancestors'`.
public struct Ancestor: Sendable, Hashable, CustomStringConvertible {
  public let pid: PID
  public let name: ProcessName?

  public var description: String { name.map(\.text) ?? "\(pid)" }
}

/// Where a process comes from, kept from its start to its end.
package struct Origin: Sendable {
  /// Its ancestors, the parent first.
  var ancestry: Lineage?
  /// The same for its children, made at the first and shared by all. A cycle, through the PID in
  /// it, until the process is released.
  var lineage: Lineage?
  /// On whose behalf it runs: of a task, who waits for it, and on whose behalf that one runs.
  var callers: [PID] = []
}

/// A list of ancestors, shared by all children of a process.
///
/// It is never long: processes that each start their successor and end would otherwise all be kept
/// by the last.
final class Lineage: Sendable {
  /// How many are kept for sure, however many there were.
  static let kept = 32

  let first: Ancestor
  let rest: Lineage?
  private let length: Int

  init(_ first: Ancestor, before rest: Lineage?) {
    self.first = first
    // Cut at double the length, so that it costs little each time.
    let rest = (rest?.length ?? 0) < 2 * Self.kept ? rest : rest?.prefix(Self.kept)
    self.rest = rest
    length = (rest?.length ?? 0) + 1
  }

  private func prefix(_ count: Int) -> Lineage {
    all.prefix(count).reversed().reduce(nil) { Lineage($1, before: $0) } ?? self
  }

  var all: [Ancestor] {
    Array(sequence(first: self) { $0.rest }.map(\.first))
  }
}

extension ProcessCore {
  /// What a child of this process has as its ancestry.
  func lineageForChild() -> Lineage {
    let (lineage, replaced) = machine.withLock { machine -> (Lineage, Lineage?) in
      let name = machine.names.first
      let old = machine.origin.lineage
      if let old, old.first.name == name { return (old, nil) }
      let new = Lineage(Ancestor(pid: pid, name: name), before: machine.origin.ancestry)
      // A zombie's would never be let go of.
      if machine.status != .released { machine.origin.lineage = new }
      return (new, old)
    }
    _ = replaced  // let go of here, without the lock
    return lineage
  }

  /// Who started it; nil if that was code outside any process, and once it is released.
  package var parent: PID? { machine.withLock { $0.origin.ancestry }?.first.pid }

  package var callers: [PID] { machine.withLock { $0.origin.callers } }

  /// What a process that works on behalf of this one has as its callers.
  package var callersForTask: [PID] {
    [pid] + callers.prefix(Lineage.kept - 1)
  }
}

extension ProcessContext {
  /// The process that started it; nil if that was code outside any process.
  ///
  /// OTP: `proc_lib`'s first ancestor.
  public var parent: PID? { core.parent }

  /// The process that started it, the one that started that, and so on; the nearest 32 at least.
  ///
  /// OTP: `'$ancestors'` of `proc_lib`.
  public var ancestors: [Ancestor] {
    core.machine.withLock { $0.origin.ancestry }?.all ?? []
  }

  /// On whose behalf it runs: for a task, who waits for it, and that one's callers; empty for
  /// others. The nearest 32 are kept.
  ///
  /// OTP: `'$callers'` of Elixir's `Task`.
  public var callers: [PID] { core.callers }
}
