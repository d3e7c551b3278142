extension OrderedRows {
  /// Copies out up to `limit` rows behind `key`, all if it is nil, that are not behind `last`.
  ///
  /// - Returns: true if there may be more.
  @inlinable
  package func copyRows(
    after key: Key?, upTo last: Key?, limit: Int, into copies: inout [TraversedRow<Key, Slot>]
  ) -> Bool {
    var place = key.map { self.place(of: $0, after: true) } ?? Place(leaf: 0, row: 0)
    var left = limit
    while place.leaf < leaves.count {
      let leaf = leaves[place.leaf]
      while place.row < leaf.count {
        if let last, isLess(last, leaf.keys[place.row]) { return false }
        if left == 0 { return true }
        copies.append(
          TraversedRow(
            key: leaf.keys[place.row], slot: leaf.slots[place.row], stamp: leaf.stamps[place.row]))
        left &-= 1
        place.row &+= 1
      }
      place = Place(leaf: place.leaf &+ 1, row: 0)
    }
    return false
  }

  @inlinable
  package func first() -> Key? { leaves.first?.keys[0] }

  @inlinable
  package func last() -> Key? { leaves.last.map { $0.keys[$0.count &- 1] } }

  @inlinable
  package func next(after key: Key) -> Key? {
    let place = place(of: key, after: true)
    guard place.leaf < leaves.count, place.row < leaves[place.leaf].count else { return nil }
    return leaves[place.leaf].keys[place.row]
  }

  @inlinable
  package func previous(before key: Key) -> Key? {
    let place = place(of: key)
    if place.row > 0 { return leaves[place.leaf].keys[place.row &- 1] }
    guard place.leaf > 0 else { return nil }
    let leaf = leaves[place.leaf &- 1]
    return leaf.keys[leaf.count &- 1]
  }
}
