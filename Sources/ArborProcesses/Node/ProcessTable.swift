import ArborPrimitives

/// All processes of a node, in shards, so that spawning on two threads does not queue for one lock.
package final class ProcessTable: Sendable {
  private final class Shard: Sendable {
    let live = Lock(ProcessList())
    deinit { live.withLock { $0.removeAll() } }
  }

  private let shards = (0..<8).map { _ in Shard() }
  private let undead = Lock<[UInt64: ProcessCore]>([:])

  private func shard(of core: ProcessCore) -> Shard { shards[Int(core.id & 7)] }

  func insert(_ core: ProcessCore) {
    shard(of: core).live.withLock { $0.insert(core) }
  }

  func remove(_ core: ProcessCore, asZombie: Bool) {
    if asZombie {
      undead.withLock { $0[core.id] = core }
      // Its handler may have returned just now and looked for it in vain.
      if core.hasBodyEnded { endZombie(core) }
    }
    shard(of: core).live.withLock { $0.remove(core) }
  }

  /// A handler that outlived its process has returned.
  func endZombie(_ core: ProcessCore) {
    undead.withLock { _ = $0.removeValue(forKey: core.id) }
  }

  package var count: Int { shards.reduce(0) { $0 + $1.live.withLock { $0.count } } }

  /// The living, oldest first.
  package var all: [ProcessCore] {
    shards.flatMap { $0.live.withLock { $0.all } }.sorted { $0.id < $1.id }
  }

  package var zombies: [ProcessCore] {
    undead.withLock { Array($0.values) }.sorted { $0.id < $1.id }
  }
}

/// The processes of one shard: a list through the processes themselves, as nobody looks for one by
/// its number, and to come and to go is then a few writes.
struct ProcessList: @unchecked Sendable {
  // Unchecked: guarded as a whole, with the links of the processes in it, by the shard's lock.
  private var head: Unmanaged<ProcessCore>?
  private(set) var count = 0

  mutating func insert(_ core: ProcessCore) {
    let link = Unmanaged.passRetained(core)
    core.nextInTable = head
    head?._withUnsafeGuaranteedRef { $0.previousInTable = link }
    head = link
    core.isInTable = true
    count += 1
  }

  mutating func remove(_ core: ProcessCore) {
    guard core.isInTable else { return }
    core.isInTable = false
    let (next, previous) = (core.nextInTable, core.previousInTable)
    core.nextInTable = nil
    core.previousInTable = nil
    next?._withUnsafeGuaranteedRef { $0.previousInTable = previous }
    if let previous {
      previous._withUnsafeGuaranteedRef { $0.nextInTable = next }
    } else {
      head = next
    }
    count -= 1
    // Never the last reference: the caller holds one.
    Unmanaged.passUnretained(core).release()
  }

  var all: [ProcessCore] {
    var all: [ProcessCore] = []
    all.reserveCapacity(count)
    var current = head
    while let core = current?.takeUnretainedValue() {
      all.append(core)
      current = core.nextInTable
    }
    return all
  }

  /// Lets go of all of them, without the list's going at their ends one within the other.
  mutating func removeAll() { for core in all { remove(core) } }
}
