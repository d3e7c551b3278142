/// A first-in-first-out queue of words that grows; no lock inside.
package struct WordDeque {
  private var cells: [UInt] = []
  private var start = 0
  package private(set) var count = 0

  package init() {}

  package var isEmpty: Bool { count == 0 }

  package mutating func append(_ word: UInt) {
    if count == cells.count { grow() }
    cells[(start + count) & (cells.count - 1)] = word
    count += 1
  }

  package mutating func popFirst() -> UInt? {
    guard count > 0 else { return nil }
    let word = cells[start]
    start = (start + 1) & (cells.count - 1)
    count -= 1
    // What a burst has made large is given back once it is over.
    if count == 0, cells.count > 4096 { self = WordDeque() }
    return word
  }

  private mutating func grow() {
    var larger = [UInt](repeating: 0, count: max(16, cells.count * 2))
    for index in 0..<count { larger[index] = cells[(start + index) & (cells.count - 1)] }
    cells = larger
    start = 0
  }
}
