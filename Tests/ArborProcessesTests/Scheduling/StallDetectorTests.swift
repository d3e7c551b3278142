import Testing

@testable import ArborProcesses

@Suite struct StallDetectorTests {
  typealias Sight = StallDetector.Sight
  typealias Verdict = StallDetector.Verdict

  private func busy(_ turn: UInt, work: Bool = false) -> Sight {
    Sight(turn: turn, hasWork: work, isIdle: false)
  }
  private let idle = Sight(turn: 0, hasWork: false, isIdle: true)

  @Test("a worker with work waiting is stuck when two ticks see it in one turn")
  func stuck() {
    var detector = StallDetector(workers: 2, patience: 20)
    #expect(detector.tick([busy(7, work: true), busy(1, work: true)], at: 0) == Verdict())
    #expect(
      detector.tick([busy(7, work: true), busy(2, work: true)], at: 2).stuck == [0])
    #expect(detector.tick([busy(7), busy(3)], at: 4).stuck == [])
    #expect(detector.tick([busy(8, work: true), busy(4)], at: 6).stuck == [])
    #expect(detector.tick([busy(8, work: true), busy(4)], at: 8).stuck == [0])
  }

  @Test("a worker that has slept in between begins anew")
  func slept() {
    var detector = StallDetector(workers: 1, patience: 20)
    _ = detector.tick([busy(7)], at: 0)
    _ = detector.tick([idle], at: 2)
    #expect(detector.tick([busy(7, work: true)], at: 4) == Verdict())
  }

  @Test("all are stuck when each has been in its turn for as long as the patience lasts")
  func allStuck() {
    var detector = StallDetector(workers: 3, patience: 20)
    #expect(detector.tick([busy(1), busy(1), idle], at: 100).allStuck == false)
    #expect(detector.tick([busy(1), busy(2), idle], at: 110).allStuck == false)
    #expect(detector.tick([busy(1), busy(2), idle], at: 120).allStuck == false)
    #expect(detector.tick([busy(1), busy(2), idle], at: 129).allStuck == false)
    #expect(detector.tick([busy(1), busy(2), idle], at: 130).allStuck == true)
    // A spare has come.
    #expect(detector.tick([busy(1), busy(2), busy(0)], at: 140).allStuck == false)
    #expect(detector.tick([busy(1), busy(2), busy(0)], at: 160).allStuck == true)
    #expect(detector.tick([busy(1), busy(3), busy(0)], at: 170).allStuck == false)
  }

  @Test("nobody is stuck when nobody is awake")
  func nobody() {
    var detector = StallDetector(workers: 2, patience: 0)
    _ = detector.tick([idle, idle], at: 0)
    #expect(detector.tick([idle, idle], at: 100) == Verdict())
  }
}
