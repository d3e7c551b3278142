extension TimerWheel {
  /// Moves the wheel's time on and takes out what is due at `now`.
  ///
  /// The entries are appended to `due` in the order of their deadlines, those of one deadline in the
  /// order they were added. They are not fired.
  package func advance(to now: UInt64, into due: inout [TimerEntry]) {
    // A wheel's time never goes back; what is due in its present slot is still found.
    let target = max(now >> TimerWheel.tickBits, elapsed)
    while let next = firstOccupied(), next.start <= target {
      elapsed = next.start
      if next.level > 0 {
        forgetAll(in: next.slot) { place($0) }
        continue
      }
      takeDue(in: next.slot, at: now, into: &due)
      // What is left of the present slot is due later in this tick.
      if slots[next.slot].first != nil { break }
    }
    elapsed = target
  }

  /// A time before which nothing is due; nil if nothing waits.
  ///
  /// It is the next deadline itself if that is in the next 64 ticks or so, else a lower bound: the
  /// time at which the wheel wants to be advanced to sort its entries more finely.
  package var nextDeadline: UInt64? {
    guard let next = firstOccupied() else { return nil }
    if next.level > 0 { return next.start << TimerWheel.tickBits }
    var earliest = UInt64.max
    var link = slots[next.slot].first
    while let entry = link {
      entry._withUnsafeGuaranteedRef {
        earliest = min(earliest, $0.deadline)
        link = $0.next
      }
    }
    return earliest
  }

  /// The slot whose entries are due before all others, and the tick at which it begins.
  private func firstOccupied() -> (level: Int, slot: Int, start: UInt64)? {
    for level in 0..<TimerWheel.levels where occupied[level] != 0 {
      let digit = occupied[level].trailingZeroBitCount
      let shift = UInt64(level) * TimerWheel.digitBits
      let below: UInt64 = (1 << (shift + TimerWheel.digitBits)) - 1
      let start = (elapsed & ~below) | (UInt64(digit) << shift)
      return (level, level * TimerWheel.slotsPerLevel + digit, start)
    }
    return nil
  }

  private func takeDue(in slot: Int, at now: UInt64, into due: inout [TimerEntry]) {
    let firstTaken = due.count
    var link = slots[slot].first
    while let unmanaged = link {
      let entry = unmanaged.takeUnretainedValue()
      link = entry.next
      guard entry.deadline <= now else { continue }
      unlink(entry)
      count -= 1
      due.append(entry)
      unmanaged.release()
    }
    guard due.count > firstTaken + 1 else { return }
    due[firstTaken...].sort { ($0.deadline, $0.sequence) < ($1.deadline, $1.sequence) }
  }

  /// Links an entry, whose reference the caller hands over, into the slot of its deadline.
  func place(_ unmanaged: Unmanaged<TimerEntry>) {
    let entry = unmanaged._withUnsafeGuaranteedRef { $0 }
    // What is overdue goes to the present slot, the first one looked at.
    let tick = max(entry.deadline >> TimerWheel.tickBits, elapsed)
    let highestBit = UInt64(63 - ((tick ^ elapsed) | 1).leadingZeroBitCount)
    let level = Int(highestBit / TimerWheel.digitBits)
    let digit = Int(tick >> (UInt64(level) * TimerWheel.digitBits)) & (TimerWheel.slotsPerLevel - 1)
    let slot = level * TimerWheel.slotsPerLevel + digit

    entry.slot = Int32(truncatingIfNeeded: slot)
    entry.next = nil
    entry.previous = slots[slot].last
    if let last = slots[slot].last {
      last._withUnsafeGuaranteedRef { $0.next = unmanaged }
    } else {
      slots[slot].first = unmanaged
      occupied[level] |= 1 << UInt64(digit)
    }
    slots[slot].last = unmanaged
  }

  /// Takes an entry out of its slot's list; the wheel's reference to it stays with the caller.
  func unlink(_ entry: TimerEntry) {
    let slot = Int(entry.slot)
    if let previous = entry.previous {
      previous._withUnsafeGuaranteedRef { $0.next = entry.next }
    } else {
      slots[slot].first = entry.next
    }
    if let next = entry.next {
      next._withUnsafeGuaranteedRef { $0.previous = entry.previous }
    } else {
      slots[slot].last = entry.previous
    }
    entry.next = nil
    entry.previous = nil
    entry.slot = TimerEntry.nowhere
    if slots[slot].first == nil { clearOccupied(slot) }
  }

  /// Empties a slot's list and hands each entry, with the wheel's reference to it, to `body`.
  func forgetAll(in slot: Int, _ body: (Unmanaged<TimerEntry>) -> Void) {
    guard var unmanaged = slots[slot].first else { return }
    slots[slot] = Slot()
    clearOccupied(slot)
    while true {
      let following = unmanaged._withUnsafeGuaranteedRef { entry in
        defer {
          entry.next = nil
          entry.previous = nil
          entry.slot = TimerEntry.nowhere
        }
        return entry.next
      }
      body(unmanaged)
      guard let following else { return }
      unmanaged = following
    }
  }

  private func clearOccupied(_ slot: Int) {
    occupied[slot / TimerWheel.slotsPerLevel] &= ~(1 << UInt64(slot % TimerWheel.slotsPerLevel))
  }
}
