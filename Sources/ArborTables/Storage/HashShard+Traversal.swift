/// One row as a traversal met it.
@usableFromInline
package struct TraversedRow<Key, Slot> {
  @usableFromInline package let key: Key
  @usableFromInline package let slot: Slot
  /// For a change that depends on the row being as it was met.
  @usableFromInline package let stamp: UInt64

  @inlinable
  init(key: Key, slot: Slot, stamp: UInt64) {
    self.key = key
    self.slot = slot
    self.stamp = stamp
  }
}

extension TraversedRow: Sendable where Key: Sendable, Slot: Sendable {}

extension HashShard {
  /// The first row, gap or not, that was born after the given number.
  @inlinable
  func firstRow(after birth: UInt64) -> Int {
    guard birth > 0 else { return 0 }
    var low = 0
    var high = end
    while low < high {
      let middle = (low &+ high) / 2
      if header(middle).pointee.birth > birth { high = middle } else { low = middle &+ 1 }
    }
    return low
  }

  /// Copies out up to `limit` rows that were born after `birth`, and not after `last`, in the order
  /// of their births.
  ///
  /// - Returns: the birth to go on after; nil if there are no more.
  @inlinable
  package func copyRows(
    after birth: UInt64, upTo last: UInt64, limit: Int,
    into copies: inout [TraversedRow<Key, Slot>]
  ) -> UInt64? {
    var row = firstRow(after: birth)
    var left = limit
    while row < end {
      let header = header(row).pointee
      guard header.birth <= last else { return nil }
      if header.isLive {
        copies.append(
          TraversedRow(key: key(row).pointee, slot: slot(row).pointee, stamp: header.stamp))
        left &-= 1
        if left == 0 { return header.birth }
      }
      row &+= 1
    }
    return nil
  }

  /// The key of the oldest row.
  @inlinable
  package func first() -> Key? {
    for row in 0..<end where header(row).pointee.isLive { return key(row).pointee }
    return nil
  }

  @inlinable
  package func last() -> Key? {
    for row in (0..<end).reversed() where header(row).pointee.isLive { return key(row).pointee }
    return nil
  }

  /// The key of the row after (`step` 1) or before (-1) that of a key, which may be a ghost.
  ///
  /// - Returns: nil if the shard does not know the key; a nil key if it is the last one.
  @inlinable
  package func neighbour(of known: Key, tag: UInt32, step: Int) -> Key?? {
    let at = position(of: known, tag: tag)
    guard at >= 0 else { return nil }
    var row = Self.row(index.unsafelyUnwrapped[at]) &+ step
    while row >= 0, row < end {
      if header(row).pointee.isLive { return .some(key(row).pointee) }
      row &+= step
    }
    return .some(nil)
  }
}

// MARK: Ghosts

extension HashShard {
  /// Takes out all values and leaves the keys as ghosts, for a table that somebody walks through.
  @inlinable
  package mutating func takeAllLeavingGhosts() -> [(key: Key, slot: Slot)] {
    var taken: [(key: Key, slot: Slot)] = []
    taken.reserveCapacity(live)
    for row in 0..<end where header(row).pointee.isLive {
      taken.append((key(row).pointee, slot(row).move()))
      header(row).pointee.stamp = Header.ghost
    }
    ghosts += live
    live = 0
    objects = 0
    return taken
  }

  /// Forgets the ghosts, once nobody walks through the table any more.
  ///
  /// - Returns: their keys.
  @inlinable
  package mutating func takeGhosts() -> [Key] {
    guard ghosts > 0, let index else { return [] }
    var keys: [Key] = []
    keys.reserveCapacity(ghosts)
    for row in 0..<end where header(row).pointee.stamp == Header.ghost {
      keys.append(key(row).move())
      header(row).pointee.stamp = Header.gap
    }
    let old = UnsafeMutableBufferPointer(start: index, count: mask + 1).filter { $0 != 0 }
    index.update(repeating: 0, count: mask + 1)
    for entry in old where header(Self.row(entry)).pointee.stamp != Header.gap {
      Self.enter(entry, in: index, mask: mask)
    }
    ghosts = 0
    while end > 0, header(end - 1).pointee.stamp == Header.gap { end -= 1 }
    return keys
  }
}
