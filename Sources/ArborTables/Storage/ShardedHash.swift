public import ArborPrimitives
public import ArborProcesses
public import Synchronization

/// The rows of a hash table, spread over shards with a lock each.
///
/// A key's hash says which shard it belongs to, and stays there, so that operations on different
/// keys seldom meet. The locks are held for a few dozen instructions; all that runs under them is
/// ``HashShard``'s code and the key's `==`. A step over several keys takes the locks of all their
/// shards, lower ones first, before it changes anything.
@usableFromInline
package final class ShardedHash<Key: Hashable & Sendable, Slot: Sendable>: @unchecked Sendable {
  // Unchecked: `memory` is written in init and freed in deinit; what lies there are locks, and
  // shards that are reached only by `withShard` and `withShards`, which hold their locks.

  @usableFromInline package typealias Shard = HashShard<Key, Slot>

  @usableFromInline let memory: UnsafeMutableRawPointer
  /// The shard is named by the upper bits of the hash; the index in it goes by the lower ones.
  @usableFromInline let shift: UInt64
  /// Makes it hard to choose keys that clash.
  @usableFromInline let seed: UInt64
  /// How many walk through the table; while there is one, deleted keys stay as ghosts.
  @usableFromInline let walkers = Atomic(0)

  /// - Parameters:
  ///   - seed: what the hashes of integers and PIDs depend on; of other keys, on the library's own.
  ///   - shardBits: the logarithm of the number of shards, 0 to 6.
  @inlinable
  package init(seed: UInt64, shardBits: Int = 5) {
    self.seed = seed
    shift = UInt64(64 - shardBits)
    memory = .allocate(byteCount: Self.spacing << shardBits, alignment: 128)
    for number in 0..<(1 << shardBits) {
      Self.lock(memory, number).initialize(to: BriefLock())
      Self.shard(memory, number).initialize(to: Shard())
    }
  }

  deinit {
    for number in 0..<shardCount {
      Self.shard(memory, number).pointee.destroy()
      Self.shard(memory, number).deinitialize(count: 1)
      Self.lock(memory, number).deinitialize(count: 1)
    }
    memory.deallocate()
  }

  @inlinable package var shardCount: Int { 1 << Int(64 &- shift) }

  // Where they lie: each lock, and behind it its shard.

  @inlinable static var shardOffset: Int {
    (MemoryLayout<BriefLock>.size + MemoryLayout<Shard>.alignment - 1)
      & ~(MemoryLayout<Shard>.alignment - 1)
  }
  /// The distance between shards: whole pairs of cache lines, so that none shares one.
  @inlinable static var spacing: Int { (shardOffset + MemoryLayout<Shard>.size + 127) & ~127 }

  @inlinable
  static func lock(
    _ memory: UnsafeMutableRawPointer, _ number: Int
  ) -> UnsafeMutablePointer<BriefLock> {
    (memory + number &* spacing).assumingMemoryBound(to: BriefLock.self)
  }

  @inlinable
  static func shard(
    _ memory: UnsafeMutableRawPointer, _ number: Int
  ) -> UnsafeMutablePointer<Shard> {
    (memory + (number &* spacing &+ shardOffset)).assumingMemoryBound(to: Shard.self)
  }

  /// The key's hash, with its entropy in the upper bits as well as the lower, whatever the type's own
  /// `hashValue` is like.
  ///
  /// Integers and PIDs, the commonest keys, take a shorter way than the standard library's; its
  /// seed is as secret. The comparisons of types are done by the compiler.
  @inlinable @inline(__always)
  func hash(_ key: Key) -> UInt64 {
    let number: UInt64
    if Key.self == Int.self {
      number = UInt64(bitPattern: Int64(unsafeBitCast(key, to: Int.self)))
    } else if Key.self == UInt64.self {
      number = unsafeBitCast(key, to: UInt64.self)
    } else if Key.self == Int64.self {
      number = UInt64(bitPattern: unsafeBitCast(key, to: Int64.self))
    } else if Key.self == PID.self {
      number = unsafeBitCast(key, to: PID.self).id
    } else {
      number = UInt64(truncatingIfNeeded: key.hashValue)
    }
    // Multiplied by an odd secret no set of keys is bad for more than a few secrets; the second
    // step is for those few.
    let (high, low) = (number ^ 0x9E37_79B9_7F4A_7C15).multipliedFullWidth(by: seed | 1)
    let mixed = (high ^ low) &* 0xD6E8_FEB8_6659_FD93
    return mixed ^ (mixed >> 32)
  }

  @inlinable @inline(__always)
  func shard(of hash: UInt64) -> Int {
    // A shift by 64, for a single shard, gives 0.
    Int(truncatingIfNeeded: hash >> shift)
  }

  /// Runs `body`, which is never a user's code, on the shard that the hash belongs to.
  @inlinable @inline(__always)
  func withShard<Result>(_ hash: UInt64, _ body: (inout Shard) -> Result) -> Result {
    withShard(number: shard(of: hash), body)
  }

  @inlinable @inline(__always)
  func withShard<Result>(number: Int, _ body: (inout Shard) -> Result) -> Result {
    let lock = Self.lock(memory, number)
    lock.pointee.acquire()
    defer { lock.pointee.release() }
    return body(&Self.shard(memory, number).pointee)
  }

  /// To be asked under the lock of the shard that it matters for.
  @inlinable var hasWalkers: Bool { walkers.load(ordering: .relaxed) > 0 }
}

// MARK: Several shards at once

/// Shards whose locks are held together.
@usableFromInline
package struct HeldShards<Key: Hashable & Sendable, Slot: Sendable> {
  @usableFromInline let memory: UnsafeMutableRawPointer

  @inlinable
  init(memory: UnsafeMutableRawPointer) { self.memory = memory }

  /// The shard with this number, which must be one of those that are held.
  @inlinable
  package func shard(_ number: Int) -> UnsafeMutablePointer<HashShard<Key, Slot>> {
    ShardedHash<Key, Slot>.shard(memory, number)
  }
}

extension ShardedHash {
  /// The bit of a shard in a set of them.
  @inlinable
  package func bit(of hash: UInt64) -> UInt64 { 1 << UInt64(shard(of: hash)) }

  @inlinable
  package var allShards: UInt64 { shardCount == 64 ? .max : (1 << UInt64(shardCount)) &- 1 }

  /// Runs `body`, which is never a user's code, holding all shards of the set.
  @inlinable
  package func withShards<Result>(
    _ set: UInt64, _ body: (HeldShards<Key, Slot>) -> Result
  ) -> Result {
    for number in 0..<shardCount where set & (1 << UInt64(number)) != 0 {
      Self.lock(memory, number).pointee.acquire()
    }
    defer {
      for number in 0..<shardCount where set & (1 << UInt64(number)) != 0 {
        Self.lock(memory, number).pointee.release()
      }
    }
    return body(HeldShards(memory: memory))
  }

  /// Runs `body` holding the shards of all these keys; it is given the keys' hashes.
  @inlinable
  package func withShards<Value, Result>(
    of rows: [(key: Key, value: Value)], _ body: (HeldShards<Key, Slot>, [UInt64]) -> Result
  ) -> Result {
    var set: UInt64 = 0
    let hashes = rows.map { row in
      let hash = hash(row.key)
      set |= bit(of: hash)
      return hash
    }
    return withShards(set) { body($0, hashes) }
  }
}
