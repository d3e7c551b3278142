/// The rows of an ordered set: the pure part, which knows of no lock.
///
/// A list of leaves in the order of their keys, each of up to 128 rows in order. A search halves the
/// list and then the leaf; an insertion moves half a leaf at most, and where a leaf is full splits it.
///
/// As in ``HashShard``, what a change throws out is returned and never released here, and the one
/// foreign code that runs in here is the keys' `<`. Keys of which neither is less are the same.
/// Copies share the memory; `destroy` frees it.
@usableFromInline
package struct OrderedRows<Key, Slot> {
  @usableFromInline var leaves: [OrderedLeaf<Key, Slot>] = []
  @usableFromInline package var count = 0
  /// The last stamp that was given out.
  @usableFromInline var clock: UInt64 = 0
  @usableFromInline let isLess: @Sendable (Key, Key) -> Bool

  @inlinable
  package init(isLess: @escaping @Sendable (Key, Key) -> Bool) { self.isLess = isLess }

  /// Where a row is, or would be.
  @usableFromInline
  struct Place {
    @usableFromInline var leaf: Int
    @usableFromInline var row: Int
    @inlinable
    init(leaf: Int, row: Int) {
      self.leaf = leaf
      self.row = row
    }
  }
}

// MARK: Finding

extension OrderedRows {
  /// The place of the first row that is not less than the key, or with `after`, that is greater.
  ///
  /// If that is in no leaf, the place behind the last row of the last one.
  @inlinable
  func place(of key: Key, after: Bool = false) -> Place {
    // The last leaf whose first row comes before what is sought: the place is in it or right behind.
    var low = 0
    var high = leaves.count
    while low < high {
      let middle = (low &+ high) / 2
      let first = leaves[middle].keys[0]
      if after ? !isLess(key, first) : isLess(first, key) {
        low = middle &+ 1
      } else {
        high = middle
      }
    }
    guard low > 0 else { return Place(leaf: 0, row: 0) }
    let leaf = leaves[low &- 1]
    var lower = 0
    var upper = leaf.count
    while lower < upper {
      let middle = (lower &+ upper) / 2
      if after ? !isLess(key, leaf.keys[middle]) : isLess(leaf.keys[middle], key) {
        lower = middle &+ 1
      } else {
        upper = middle
      }
    }
    if lower == leaf.count, low < leaves.count { return Place(leaf: low, row: 0) }
    return Place(leaf: low &- 1, row: lower)
  }

  /// The place of the key's row; nil if it has none.
  @inlinable
  func find(_ key: Key) -> Place? {
    let place = place(of: key)
    guard place.leaf < leaves.count, place.row < leaves[place.leaf].count,
      !isLess(key, leaves[place.leaf].keys[place.row])
    else { return nil }
    return place
  }

  @inlinable
  package func lookup(_ key: Key) -> Slot? {
    find(key).map { leaves[$0.leaf].slots[$0.row] }
  }

  @inlinable
  package func contains(_ key: Key) -> Bool { find(key) != nil }

  @inlinable
  package func lookupStamped(_ key: Key) -> (slot: Slot, stamp: UInt64)? {
    find(key).map { (leaves[$0.leaf].slots[$0.row], leaves[$0.leaf].stamps[$0.row]) }
  }
}
