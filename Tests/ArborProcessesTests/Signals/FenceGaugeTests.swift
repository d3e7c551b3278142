import ArborPrimitives
import Testing

@testable import ArborProcesses

/// The gauge that spares writers a look at their own fence.
@Suite struct FenceGaugeTests {
  @Test("is raised exactly while a fenced process has code left", arguments: 0..<50)
  func model(seed: UInt64) {
    var random = SeededGenerator(seed: seed)
    let gauge = FenceGauge()
    let presence = Presence()
    var ambients = 0
    var isFenced = false
    for _ in 0..<100 {
      switch random.next() % 5 {
      case 0, 1:
        presence.enter(gauge)
        ambients += 1
      case 2, 3:
        guard ambients > 0 else { continue }
        presence.leave(gauge)
        ambients -= 1
      default:
        guard !isFenced else { continue }
        presence.fence(gauge)
        isFenced = true
      }
      #expect(gauge.isRaised == (isFenced && ambients > 0))
    }
  }

  @Test("is quiet until senders are to be asked where they are, and then never again")
  func quiet() {
    let gauge = FenceGauge()
    #expect(gauge.isQuiet && !gauge.isRaised)
    gauge.raise()
    #expect(!gauge.isQuiet && gauge.isRaised)
    gauge.lower()
    #expect(gauge.isQuiet && !gauge.isRaised)
    gauge.raise()
    gauge.askSenders()
    gauge.askSenders()
    #expect(!gauge.isQuiet && gauge.isRaised)
    gauge.lower()
    #expect(!gauge.isQuiet && !gauge.isRaised)
    gauge.raise()
    #expect(gauge.isRaised)
    gauge.lower()
    #expect(!gauge.isRaised)
  }

  @Test("is never down while code of a fenced process runs, and down afterwards")
  func race() async {
    for _ in 0..<500 {
      let gauge = FenceGauge()
      let presence = Share()
      presence.presence.enter(gauge)
      await withTaskGroup(of: Void.self) { group in
        for _ in 0..<2 {
          group.addTask {
            for _ in 0..<20 {
              presence.presence.enter(gauge)
              presence.presence.leave(gauge)
            }
          }
        }
        group.addTask {
          presence.presence.fence(gauge)
          // The first one is still there.
          for _ in 0..<20 { #expect(gauge.isRaised) }
        }
      }
      #expect(gauge.isRaised)
      presence.presence.leave(gauge)
      #expect(!gauge.isRaised)
    }
  }
}

private final class Share: Sendable {
  let presence = Presence()
}
