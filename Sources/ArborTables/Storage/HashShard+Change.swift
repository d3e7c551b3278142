/// What a deletion took out of a shard, for the caller to drop once the lock is let go.
@usableFromInline
package struct RemovedRow<Key, Slot> {
  /// Nil if the key stays behind as a ghost.
  @usableFromInline package let key: Key?
  @usableFromInline package let slot: Slot

  @inlinable
  init(key: Key?, slot: Slot) {
    self.key = key
    self.slot = slot
  }
}

extension RemovedRow: Sendable where Key: Sendable, Slot: Sendable {}

extension HashShard {
  /// Puts the value under the key.
  ///
  /// - Returns: the value that stood there.
  @inlinable @inline(__always)
  package mutating func insert(_ new: Key, tag: UInt32, _ value: Slot) -> Slot? {
    let at = position(of: new, tag: tag)
    guard at >= 0 else {
      append(new, tag: tag, value)
      return nil
    }
    let row = Self.row(index.unsafelyUnwrapped[at])
    clock &+= 1
    let header = header(row)
    guard header.pointee.isLive else {
      revive(row, value)
      return nil
    }
    header.pointee.stamp = clock
    let old = slot(row).move()
    slot(row).initialize(to: value)
    return old
  }

  /// Puts the value under the key if nothing stands there.
  @inlinable
  package mutating func insertNew(_ new: Key, tag: UInt32, _ value: Slot) -> Bool {
    let at = position(of: new, tag: tag)
    guard at >= 0 else {
      append(new, tag: tag, value)
      return true
    }
    let row = Self.row(index.unsafelyUnwrapped[at])
    guard !header(row).pointee.isLive else { return false }
    clock &+= 1
    revive(row, value)
    return true
  }

  @inlinable
  mutating func revive(_ row: Int, _ value: Slot) {
    header(row).pointee.stamp = clock
    slot(row).initialize(to: value)
    ghosts &-= 1
    live &+= 1
  }

  /// Adds a row for a key that is nowhere in the shard.
  @inlinable
  mutating func append(_ new: Key, tag: UInt32, _ value: Slot) {
    if end == capacity { makeRoom() }
    let row = end
    clock &+= 1
    header(row).initialize(to: Header(stamp: clock, birth: clock))
    key(row).initialize(to: new)
    slot(row).initialize(to: value)
    end &+= 1
    live &+= 1
    Self.enter(Self.entry(tag, row), in: index.unsafelyUnwrapped, mask: mask)
  }

  /// Changes the value in place; `change` is the package's own code, never a user's.
  @inlinable @inline(__always)
  package mutating func modify<Result>(
    _ wanted: Key, tag: UInt32, _ change: (inout Slot) -> Result
  ) -> Result? {
    let row = liveRow(of: wanted, tag: tag)
    guard row >= 0 else { return nil }
    clock &+= 1
    header(row).pointee.stamp = clock
    return change(&slot(row).pointee)
  }

  /// Puts the value in place of one that was read with this stamp.
  ///
  /// - Returns: the old value; nil if the row was written or deleted meanwhile, and nothing changed.
  @inlinable @inline(__always)
  package mutating func replace(
    _ wanted: Key, tag: UInt32, stamp: UInt64, with value: Slot
  ) -> Slot? {
    let row = liveRow(of: wanted, tag: tag)
    guard row >= 0, header(row).pointee.stamp == stamp else { return nil }
    clock &+= 1
    header(row).pointee.stamp = clock
    let old = slot(row).move()
    slot(row).initialize(to: value)
    return old
  }

  /// Takes the key's row out; if `stamp` is given, only if it still has that one.
  @inlinable @inline(__always)
  package mutating func remove(
    _ wanted: Key, tag: UInt32, stamp: UInt64? = nil, leavingGhost: Bool
  ) -> RemovedRow<Key, Slot>? {
    let at = position(of: wanted, tag: tag)
    guard at >= 0 else { return nil }
    let row = Self.row(index.unsafelyUnwrapped[at])
    let found = header(row).pointee.stamp
    guard found > Header.ghost, stamp == nil || stamp == found else { return nil }
    let value = slot(row).move()
    live &-= 1
    if leavingGhost {
      header(row).pointee.stamp = Header.ghost
      ghosts &+= 1
      return RemovedRow(key: nil, slot: value)
    }
    let removed = RemovedRow(key: key(row).move(), slot: value)
    leaveGap(row, at: at)
    if capacity > 64, (live &+ ghosts) &* 8 < capacity { rebuild(capacity: capacity / 4) }
    return removed
  }

  /// Takes a row, whose key and value are moved out already, from index and run.
  @inlinable
  mutating func leaveGap(_ row: Int, at position: Int) {
    header(row).pointee.stamp = Header.gap
    Self.leave(position, in: index.unsafelyUnwrapped, mask: mask)
    if row == end &- 1 {
      repeat { end &-= 1 } while end > 0 && header(end &- 1).pointee.stamp == Header.gap
    }
  }
}

// MARK: Memory

extension HashShard {
  @inlinable
  static func enter(_ entry: UInt64, in index: UnsafeMutablePointer<UInt64>, mask: Int) {
    var at = Int(truncatingIfNeeded: entry >> 32) & mask
    while index[at] != 0 { at = (at &+ 1) & mask }
    index[at] = entry
  }

  /// Frees a place in the index and moves up those behind it that it kept from their own.
  @inlinable
  static func leave(_ position: Int, in index: UnsafeMutablePointer<UInt64>, mask: Int) {
    var hole = position
    var next = (position &+ 1) & mask
    while index[next] != 0 {
      let home = Int(truncatingIfNeeded: index[next] >> 32) & mask
      if (next &- home) & mask >= (next &- hole) & mask {
        index[hole] = index[next]
        hole = next
      }
      next = (next &+ 1) & mask
    }
    index[hole] = 0
  }

  /// Makes place for one more row: closes the gaps if they are half of the run, else doubles it.
  @inlinable
  mutating func makeRoom() {
    let used = live &+ ghosts
    if used > 0, used &* 2 <= capacity {
      closeGaps()
    } else {
      rebuild(capacity: max(4, capacity &* 2))
    }
  }

  /// Moves the rows together, in their order, so that the free place is behind them.
  @inlinable
  mutating func closeGaps() {
    guard live &+ ghosts < end, let index, let rows else { return }
    // Where each row goes. Its place in the index does not depend on it.
    let places = UnsafeMutablePointer<UInt32>.allocate(capacity: end)
    defer { places.deallocate() }
    var row = 0
    for old in 0..<end {
      (places + old).initialize(to: UInt32(truncatingIfNeeded: row))
      guard header(old).pointee.stamp != Header.gap else { continue }
      if row < old { Self.move(old, of: rows, to: row, of: rows) }
      row += 1
    }
    end = row
    for at in 0...mask where index[at] != 0 {
      let entry = index[at]
      index[at] = Self.entry(
        UInt32(truncatingIfNeeded: entry >> 32), Int(places[Self.row(entry)]))
    }
  }

  /// Moves a row, which is no gap, to a place that is free.
  @inlinable
  static func move(
    _ old: Int, of oldRows: UnsafeMutableRawPointer, to new: Int,
    of newRows: UnsafeMutableRawPointer
  ) {
    header(newRows, new).moveInitialize(from: header(oldRows, old), count: 1)
    key(newRows, new).moveInitialize(from: key(oldRows, old), count: 1)
    if header(newRows, new).pointee.isLive {
      slot(newRows, new).moveInitialize(from: slot(oldRows, old), count: 1)
    }
  }

  /// Moves all rows to new memory, in their order and without the gaps.
  @inlinable
  mutating func rebuild(capacity newCapacity: Int) {
    closeGaps()
    let newMask = newCapacity * 2 - 1
    let newIndex = UnsafeMutablePointer<UInt64>.allocate(capacity: newMask + 1)
    newIndex.initialize(repeating: 0, count: newMask + 1)
    let size = newCapacity * Self.stride
    // Where there are many rows, none of those that could be in one cache line shall be in two.
    let newRows = UnsafeMutableRawPointer.allocate(
      byteCount: size, alignment: size < 512 ? Self.alignment : max(64, Self.alignment))
    if let index, let rows {
      for row in 0..<end { Self.move(row, of: rows, to: row, of: newRows) }
      for at in 0...mask where index[at] != 0 {
        Self.enter(index[at], in: newIndex, mask: newMask)
      }
      index.deallocate()
      rows.deallocate()
    }
    (index, mask, rows, capacity) = (newIndex, newMask, newRows, newCapacity)
  }

  /// What the shard's memory takes, in bytes; what the rows refer to is not counted.
  @inlinable
  package var byteCount: Int {
    index == nil ? 0 : (mask &+ 1) &* MemoryLayout<UInt64>.stride &+ capacity &* Self.stride
  }

  /// Empties the shard without releasing anything.
  ///
  /// - Returns: another shard that holds all that was in here, for the caller to `destroy`.
  @inlinable
  package mutating func takeAll() -> HashShard {
    let all = self
    self = HashShard()
    clock = all.clock
    return all
  }

  /// Releases every row and the memory. The shard must not be used any more.
  @inlinable
  package func destroy() {
    guard let index, let rows else { return }
    // Asked for once: a table's end is not compiled for its types.
    let (stride, keyOffset, slotOffset) = (Self.stride, Self.keyOffset, Self.slotOffset)
    var row = rows
    for _ in 0..<end {
      let stamp = row.assumingMemoryBound(to: Header.self).pointee.stamp
      if stamp >= Header.ghost {
        (row + keyOffset).assumingMemoryBound(to: Key.self).deinitialize(count: 1)
      }
      if stamp > Header.ghost {
        (row + slotOffset).assumingMemoryBound(to: Slot.self).deinitialize(count: 1)
      }
      row += stride
    }
    index.deallocate()
    rows.deallocate()
  }
}
