import Testing

@testable import ArborProcesses

@Suite struct LookoutTests {
  private func afterShortSleeps(_ count: Int) -> Lookout {
    var lookout = Lookout()
    for _ in 0..<count { lookout.slept(Lookout.shortSleep) }
    return lookout
  }

  @Test("a worker looks out only after some short sleeps in a row")
  func begins() {
    #expect(!Lookout().isWorthwhile)
    #expect(!afterShortSleeps(Lookout.wanted - 1).isWorthwhile)
    #expect(afterShortSleeps(Lookout.wanted).isWorthwhile)
    var lookout = afterShortSleeps(Lookout.wanted - 1)
    lookout.slept(Lookout.shortSleep + 1)
    lookout.slept(1)
    #expect(!lookout.isWorthwhile)
  }

  @Test("in vain a few times, it gives up: an idle pool sleeps")
  func ends() {
    var lookout = afterShortSleeps(1000)
    var looks = 0
    while lookout.isWorthwhile {
      lookout.ended(successfully: false)
      looks += 1
    }
    #expect(looks <= 3)
    lookout = afterShortSleeps(1000)
    for _ in 0..<1000 { lookout.ended(successfully: true) }
    #expect(lookout.isWorthwhile)
  }
}
