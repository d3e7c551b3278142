import ArborPrimitives
import Testing

@testable import ArborTables

/// A key with as many collisions as a test wants.
private struct ClashingKey: Hashable, Sendable {
  let number: Int
  var tag: UInt32 { UInt32(number % 7) }
}

/// The pure part of the hash tables, without a lock or a thread, against a dictionary.
@Suite struct HashShardTests {
  fileprivate typealias Shard = HashShard<ClashingKey, String>

  @Test("does what a dictionary does, whatever clashes", arguments: 0..<40)
  func model(seed: UInt64) {
    var random = SeededGenerator(seed: seed)
    var shard = Shard()
    defer { shard.destroy() }
    var model: [ClashingKey: String] = [:]
    for step in 0..<2000 {
      // Grows first and shrinks later, so that both directions of `rebuild` run.
      let key = ClashingKey(number: Int(random.next() % 150))
      let isGrowing = step < 1000
      switch random.next() % (isGrowing ? 6 : 8) {
      case 0, 1:
        let old = shard.insert(key, tag: key.tag, "\(step)")
        #expect(old == model.updateValue("\(step)", forKey: key))
      case 2:
        let isNew = shard.insertNew(key, tag: key.tag, "\(step)")
        #expect(isNew == (model[key] == nil))
        if isNew { model[key] = "\(step)" }
      case 3: #expect(shard.lookup(key, tag: key.tag) == model[key])
      case 4:
        let changed: Void? = shard.modify(key, tag: key.tag) { $0 += "!" }
        #expect((changed != nil) == (model[key] != nil))
        model[key]?.append("!")
      default:
        let removed = shard.remove(key, tag: key.tag, leavingGhost: step % 3 == 0)
        #expect(removed?.slot == model.removeValue(forKey: key))
      }
      if step % 500 == 499 { _ = shard.takeGhosts() }
      #expect(shard.live == model.count)
    }
    var rows: [TraversedRow<ClashingKey, String>] = []
    #expect(shard.copyRows(after: 0, upTo: .max, limit: .max, into: &rows) == nil)
    #expect(Dictionary(uniqueKeysWithValues: rows.map { ($0.key, $0.slot) }) == model)
  }

  @Test("a write with the stamp of a row that changed meanwhile is refused")
  func stamps() throws {
    var shard = Shard()
    defer { shard.destroy() }
    let key = ClashingKey(number: 1)
    _ = shard.insert(key, tag: key.tag, "a")
    let read = try #require(shard.lookupStamped(key, tag: key.tag))
    #expect(shard.replace(key, tag: key.tag, stamp: read.stamp, with: "b") == "a")
    #expect(shard.replace(key, tag: key.tag, stamp: read.stamp, with: "c") == nil)
    #expect(shard.remove(key, tag: key.tag, stamp: read.stamp, leavingGhost: false) == nil)
    // Deleted and put back, it is another row.
    let second = try #require(shard.lookupStamped(key, tag: key.tag))
    _ = shard.remove(key, tag: key.tag, leavingGhost: false)
    _ = shard.insert(key, tag: key.tag, "b")
    #expect(shard.replace(key, tag: key.tag, stamp: second.stamp, with: "c") == nil)
    #expect(shard.lookup(key, tag: key.tag) == "b")
  }

  @Test(
    "a traversal meets every lasting row once, through growth, gaps and shrinking",
    arguments: 0..<20)
  func traversal(seed: UInt64) {
    var random = SeededGenerator(seed: seed)
    var shard = Shard()
    defer { shard.destroy() }
    let lasting = (0..<60).map { ClashingKey(number: $0 * 2) }
    for key in lasting { _ = shard.insert(key, tag: key.tag, "") }
    for number in 0..<400 {
      let key = ClashingKey(number: number * 2 + 1)
      _ = shard.insert(key, tag: key.tag, "")
    }
    var met: [TraversedRow<ClashingKey, String>] = []
    var place: UInt64? = 0
    let last = shard.clock
    while let birth = place {
      place = shard.copyRows(after: birth, upTo: last, limit: 3, into: &met)
      for _ in 0..<12 {
        let key = ClashingKey(number: Int(random.next() % 900) * 2 + 1)
        if random.next() % 4 == 0 {
          _ = shard.insert(key, tag: key.tag, "")
        } else {
          _ = shard.remove(key, tag: key.tag, leavingGhost: random.next() % 2 == 0)
        }
      }
      let key = lasting[Int(random.next() % 60)]
      _ = shard.insert(key, tag: key.tag, "changed")
    }
    #expect(met.map(\.key).filter { $0.number % 2 == 0 } == lasting)
  }
}
