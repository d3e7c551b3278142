import ArborPrimitives

/// All processes of a node, in shards, so that spawning on two threads does not queue for one lock.
package final class ProcessTable: Sendable {
  private final class Shard: Sendable {
    let live = Lock<[UInt64: ProcessCore]>([:])
  }

  private let shards = (0..<8).map { _ in Shard() }
  private let undead = Lock<[UInt64: ProcessCore]>([:])

  private func shard(of core: ProcessCore) -> Shard { shards[Int(core.id & 7)] }

  func insert(_ core: ProcessCore) {
    shard(of: core).live.withLock { $0[core.id] = core }
  }

  func remove(_ core: ProcessCore, asZombie: Bool) {
    if asZombie {
      undead.withLock { $0[core.id] = core }
      // Its handler may have returned just now and looked for it in vain.
      if core.hasBodyEnded { endZombie(core) }
    }
    shard(of: core).live.withLock { _ = $0.removeValue(forKey: core.id) }
  }

  /// A handler that outlived its process has returned.
  func endZombie(_ core: ProcessCore) {
    undead.withLock { _ = $0.removeValue(forKey: core.id) }
  }

  package var count: Int { shards.reduce(0) { $0 + $1.live.withLock { $0.count } } }

  /// The living, oldest first.
  package var all: [ProcessCore] {
    shards.flatMap { $0.live.withLock { Array($0.values) } }.sorted { $0.id < $1.id }
  }

  package var zombies: [ProcessCore] {
    undead.withLock { Array($0.values) }.sorted { $0.id < $1.id }
  }
}
