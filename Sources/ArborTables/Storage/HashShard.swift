/// One shard of a hash table's rows: the pure part, which knows of no lock.
///
/// The rows stand in one dense run in the order of their births, and an open-addressing index
/// beside it leads from a hash to a row. A birth is a number that only grows, and neither growing nor
/// closing gaps changes the order of the run. So "all that was born after number n" is a place that
/// a traversal can come back to, whatever has been inserted and deleted meanwhile.
///
/// What a change throws out is returned, never released here: the caller drops it after the lock is
/// let go, since releasing it may run a user's `deinit`. The one foreign code that runs in here is
/// the key's `==`.
///
/// Copies share the memory: there is one shard per lock, and `destroy` frees it.
@usableFromInline
package struct HashShard<Key: Hashable, Slot> {
  /// Open addressing, linear probing. Zero is free, else the tag (32 bits) and the row's number + 1.
  @usableFromInline var index: UnsafeMutablePointer<UInt64>?
  @usableFromInline var mask = 0
  @usableFromInline var rows: UnsafeMutableRawPointer?
  /// Rows in use, gaps included.
  @usableFromInline var end = 0
  @usableFromInline var capacity = 0
  @usableFromInline package var live = 0
  /// Deleted rows whose keys are kept, so that `next(after:)` still knows where they stood.
  @usableFromInline package var ghosts = 0
  /// The last stamp or birth that was given out.
  @usableFromInline package var clock: UInt64 = Header.ghost
  /// How many values the slots hold, if they hold several; the storage keeps it.
  @usableFromInline package var objects = 0

  /// What stands before each row.
  @usableFromInline
  package struct Header {
    /// Says whether the row is there, and changes with each write of it.
    @usableFromInline var stamp: UInt64
    @usableFromInline var birth: UInt64

    @inlinable static var gap: UInt64 { 0 }
    @inlinable static var ghost: UInt64 { 1 }

    @inlinable
    init(stamp: UInt64, birth: UInt64) {
      self.stamp = stamp
      self.birth = birth
    }

    @inlinable var isLive: Bool { stamp > Header.ghost }
  }

  @inlinable
  package init() {}

  /// The part of a hash that stands in the index.
  @inlinable
  package static func tag(_ hash: UInt64) -> UInt32 { UInt32(truncatingIfNeeded: hash) }
}

// MARK: Where things lie in a row: header, key, value, each at its alignment.

extension HashShard {
  @inlinable
  static func round(_ size: Int, up alignment: Int) -> Int {
    (size &+ alignment &- 1) & ~(alignment &- 1)
  }
  @inlinable static var keyOffset: Int {
    round(MemoryLayout<Header>.size, up: MemoryLayout<Key>.alignment)
  }
  @inlinable static var slotOffset: Int {
    round(keyOffset &+ MemoryLayout<Key>.size, up: MemoryLayout<Slot>.alignment)
  }
  @inlinable static var alignment: Int {
    max(
      MemoryLayout<Header>.alignment,
      max(MemoryLayout<Key>.alignment, MemoryLayout<Slot>.alignment))
  }
  @inlinable static var stride: Int {
    round(slotOffset &+ MemoryLayout<Slot>.size, up: alignment)
  }

  @inlinable
  static func header(_ rows: UnsafeMutableRawPointer, _ row: Int) -> UnsafeMutablePointer<Header> {
    (rows + row &* stride).assumingMemoryBound(to: Header.self)
  }
  @inlinable
  static func key(_ rows: UnsafeMutableRawPointer, _ row: Int) -> UnsafeMutablePointer<Key> {
    (rows + (row &* stride &+ keyOffset)).assumingMemoryBound(to: Key.self)
  }
  @inlinable
  static func slot(_ rows: UnsafeMutableRawPointer, _ row: Int) -> UnsafeMutablePointer<Slot> {
    (rows + (row &* stride &+ slotOffset)).assumingMemoryBound(to: Slot.self)
  }

  // The same for this shard's rows; to be asked only for a row that the index gave.
  @inlinable func header(_ row: Int) -> UnsafeMutablePointer<Header> {
    Self.header(rows.unsafelyUnwrapped, row)
  }
  @inlinable func key(_ row: Int) -> UnsafeMutablePointer<Key> {
    Self.key(rows.unsafelyUnwrapped, row)
  }
  @inlinable func slot(_ row: Int) -> UnsafeMutablePointer<Slot> {
    Self.slot(rows.unsafelyUnwrapped, row)
  }

  /// The row that an index entry leads to.
  @inlinable
  static func row(_ entry: UInt64) -> Int { Int(UInt32(truncatingIfNeeded: entry)) &- 1 }

  @inlinable
  static func entry(_ tag: UInt32, _ row: Int) -> UInt64 {
    UInt64(tag) << 32 | UInt64(UInt32(truncatingIfNeeded: row &+ 1))
  }
}

// MARK: Finding

extension HashShard {
  /// Where in the index the key stands, ghosts included; -1 if nowhere.
  @inlinable @inline(__always)
  func position(of wanted: Key, tag: UInt32) -> Int {
    guard let index else { return -1 }
    var at = Int(tag) & mask
    while true {
      let entry = index[at]
      if entry == 0 { return -1 }
      if UInt32(truncatingIfNeeded: entry >> 32) == tag, key(Self.row(entry)).pointee == wanted {
        return at
      }
      at = (at &+ 1) & mask
    }
  }

  /// The number of the key's row; -1 if it is not there.
  @inlinable @inline(__always)
  func liveRow(of wanted: Key, tag: UInt32) -> Int {
    let at = position(of: wanted, tag: tag)
    guard at >= 0 else { return -1 }
    let row = Self.row(index.unsafelyUnwrapped[at])
    return header(row).pointee.isLive ? row : -1
  }

  @inlinable @inline(__always)
  package func lookup(_ wanted: Key, tag: UInt32) -> Slot? {
    let row = liveRow(of: wanted, tag: tag)
    return row >= 0 ? slot(row).pointee : nil
  }

  @inlinable @inline(__always)
  package func contains(_ wanted: Key, tag: UInt32) -> Bool {
    liveRow(of: wanted, tag: tag) >= 0
  }

  /// The stamp of the key's row; a gap's if it has none.
  @inlinable
  package func stamp(of wanted: Key, tag: UInt32) -> UInt64 {
    let row = liveRow(of: wanted, tag: tag)
    return row >= 0 ? header(row).pointee.stamp : Header.gap
  }

  /// The row with its stamp, for a change that is worked out without the lock: `replace` and
  /// `remove` take it back and refuse if the row was written meanwhile.
  @inlinable @inline(__always)
  package func lookupStamped(_ wanted: Key, tag: UInt32) -> (slot: Slot, stamp: UInt64)? {
    let row = liveRow(of: wanted, tag: tag)
    return row >= 0 ? (slot(row).pointee, header(row).pointee.stamp) : nil
  }
}
