/// Up to 128 rows of an ordered set, in three runs side by side: stamps, keys, values.
@usableFromInline
package struct OrderedLeaf<Key, Slot> {
  @usableFromInline var count = 0
  @usableFromInline let stamps: UnsafeMutablePointer<UInt64>
  @usableFromInline let keys: UnsafeMutablePointer<Key>
  @usableFromInline let slots: UnsafeMutablePointer<Slot>

  @inlinable static var capacity: Int { 128 }

  @inlinable
  init() {
    stamps = .allocate(capacity: Self.capacity)
    keys = .allocate(capacity: Self.capacity)
    slots = .allocate(capacity: Self.capacity)
  }

  @inlinable
  mutating func insert(_ key: Key, _ slot: Slot, stamp: UInt64, at row: Int) {
    let above = count &- row
    (stamps + row + 1).moveInitialize(from: stamps + row, count: above)
    (keys + row + 1).moveInitialize(from: keys + row, count: above)
    (slots + row + 1).moveInitialize(from: slots + row, count: above)
    (stamps + row).initialize(to: stamp)
    (keys + row).initialize(to: key)
    (slots + row).initialize(to: slot)
    count &+= 1
  }

  @inlinable
  mutating func remove(at row: Int) -> RemovedRow<Key, Slot> {
    let removed = RemovedRow(key: (keys + row).move(), slot: (slots + row).move())
    count &-= 1
    let above = count &- row
    (stamps + row).moveInitialize(from: stamps + row + 1, count: above)
    (keys + row).moveInitialize(from: keys + row + 1, count: above)
    (slots + row).moveInitialize(from: slots + row + 1, count: above)
    return removed
  }

  /// Moves the rows from `row` on to the end of another leaf.
  @inlinable
  mutating func move(from row: Int, to other: inout OrderedLeaf) {
    let moved = count &- row
    (other.stamps + other.count).moveInitialize(from: stamps + row, count: moved)
    (other.keys + other.count).moveInitialize(from: keys + row, count: moved)
    (other.slots + other.count).moveInitialize(from: slots + row, count: moved)
    other.count &+= moved
    count = row
  }

  @usableFromInline
  func free() {
    stamps.deallocate()
    keys.deallocate()
    slots.deallocate()
  }
}
