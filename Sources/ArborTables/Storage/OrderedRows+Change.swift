extension OrderedRows {
  /// Puts the row into its place; returns the one that stood there, whose key may be another one
  /// of the same place.
  @inlinable
  package mutating func insert(_ key: Key, _ slot: Slot) -> RemovedRow<Key, Slot>? {
    let place = place(of: key)
    clock &+= 1
    if place.leaf < leaves.count {
      let leaf = leaves[place.leaf]
      if place.row < leaf.count, !isLess(key, leaf.keys[place.row]) {
        leaf.stamps[place.row] = clock
        let old = RemovedRow(
          key: (leaf.keys + place.row).move(), slot: (leaf.slots + place.row).move())
        (leaf.keys + place.row).initialize(to: key)
        (leaf.slots + place.row).initialize(to: slot)
        return old
      }
    }
    add(key, slot, at: place)
    return nil
  }

  @inlinable
  package mutating func insertNew(_ key: Key, _ slot: Slot) -> Bool {
    if contains(key) { return false }
    return insert(key, slot) == nil
  }

  @inlinable
  mutating func add(_ key: Key, _ slot: Slot, at place: Place) {
    count &+= 1
    if leaves.isEmpty { leaves.append(OrderedLeaf()) }
    // At the border of two leaves the new row goes to the end of the lower one, if that has room.
    var place = place
    if place.row == 0, place.leaf > 0 {
      let below = leaves[place.leaf &- 1].count
      if below < OrderedLeaf<Key, Slot>.capacity {
        place = Place(leaf: place.leaf &- 1, row: below)
      }
    }
    if leaves[place.leaf].count == OrderedLeaf<Key, Slot>.capacity {
      // Rows that come in order leave full leaves behind them.
      let isLast = place.leaf == leaves.count &- 1 && place.row == OrderedLeaf<Key, Slot>.capacity
      let half = isLast ? place.row : OrderedLeaf<Key, Slot>.capacity / 2
      var upper = OrderedLeaf<Key, Slot>()
      leaves[place.leaf].move(from: half, to: &upper)
      leaves.insert(upper, at: place.leaf &+ 1)
      if place.row >= half && (isLast || place.row > half) {
        place = Place(leaf: place.leaf &+ 1, row: place.row &- half)
      }
    }
    leaves[place.leaf].insert(key, slot, stamp: clock, at: place.row)
  }

  @inlinable
  package mutating func modify<Result>(
    _ key: Key, _ change: (inout Slot) -> Result
  ) -> Result? {
    guard let place = find(key) else { return nil }
    clock &+= 1
    leaves[place.leaf].stamps[place.row] = clock
    return change(&leaves[place.leaf].slots[place.row])
  }

  @inlinable
  package mutating func replace(_ key: Key, stamp: UInt64, with slot: Slot) -> Slot? {
    guard let place = find(key), leaves[place.leaf].stamps[place.row] == stamp else { return nil }
    clock &+= 1
    let leaf = leaves[place.leaf]
    leaf.stamps[place.row] = clock
    let old = (leaf.slots + place.row).move()
    (leaf.slots + place.row).initialize(to: slot)
    return old
  }

  @inlinable
  package mutating func remove(_ key: Key, stamp: UInt64? = nil) -> RemovedRow<Key, Slot>? {
    guard let place = find(key),
      stamp == nil || stamp == leaves[place.leaf].stamps[place.row]
    else { return nil }
    count &-= 1
    let removed = leaves[place.leaf].remove(at: place.row)
    tidy(place.leaf)
    return removed
  }

  /// Gives an empty leaf back, and puts two together that have become small.
  @inlinable
  mutating func tidy(_ leaf: Int) {
    if leaves[leaf].count == 0 {
      leaves.remove(at: leaf).free()
      return
    }
    let limit = OrderedLeaf<Key, Slot>.capacity / 2
    guard leaves[leaf].count < limit / 2 else { return }
    for lower in [leaf &- 1, leaf] where lower >= 0 && lower &+ 1 < leaves.count {
      guard leaves[lower].count &+ leaves[lower &+ 1].count <= limit else { continue }
      var upper = leaves.remove(at: lower &+ 1)
      upper.move(from: 0, to: &leaves[lower])
      upper.free()
      return
    }
  }

  /// Empties the run without releasing anything; returns what was in it, to be destroyed.
  @inlinable
  package mutating func takeAll() -> OrderedRows {
    let all = self
    leaves = []
    count = 0
    return all
  }

  @usableFromInline
  package func destroy() {
    for leaf in leaves {
      leaf.keys.deinitialize(count: leaf.count)
      leaf.slots.deinitialize(count: leaf.count)
      leaf.free()
    }
  }

  @inlinable
  package var byteCount: Int {
    leaves.capacity &* MemoryLayout<OrderedLeaf<Key, Slot>>.stride
      &+ leaves.count &* OrderedLeaf<Key, Slot>.capacity
      &* (MemoryLayout<UInt64>.stride &+ MemoryLayout<Key>.stride &+ MemoryLayout<Slot>.stride)
  }
}
