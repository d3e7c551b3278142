import Testing

@testable import ArborProcesses

@Suite struct PoolRosterTests {
  typealias Actions = PoolRoster.Actions

  @Test("the first work starts a worker and the monitor; while one searches nobody else is woken")
  func firstWork() {
    var roster = PoolRoster(regulars: 2, spares: 1)
    #expect(roster.wantsWake)
    #expect(roster.workArrived() == Actions(worker: .start(0), monitor: .start))
    #expect(!roster.wantsWake)
    #expect(roster.workArrived() == .none)
    #expect(roster.foundWork(0) == true)
    #expect(roster.workArrived() == Actions(worker: .start(1)))
    #expect(roster.foundWork(1) == true)
    // Both run: they will look for themselves.
    #expect(!roster.wantsWake)
    #expect(roster.workArrived() == .none)
  }

  @Test("one who sleeps is woken before one is started, a regular worker before a spare")
  func preference() {
    var roster = PoolRoster(regulars: 2, spares: 2)
    _ = roster.workArrived()
    _ = roster.fallAsleep(0)
    #expect(roster.workArrived().worker == .wake(0))
    _ = roster.foundWork(0)
    _ = roster.workArrived()
    _ = roster.foundWork(1)
    #expect(roster.spareNeeded().worker == .start(2))
    #expect(roster.spareNeeded().worker == .nobody)
    _ = roster.foundWork(2)
    _ = roster.fallAsleep(2)
    // Nobody is awake to search; a sleeping spare does as well as a new one.
    #expect(roster.spareNeeded().worker == .wake(2))
    _ = roster.fallAsleep(2)
    _ = roster.fallAsleep(1)
    #expect(roster.workArrived().worker == .wake(1))
  }

  @Test("spares come up to their number, and go")
  func spares() {
    var roster = PoolRoster(regulars: 1, spares: 2)
    _ = roster.workArrived()
    for spare in 1...2 {
      _ = roster.foundWork(spare - 1)
      #expect(roster.spareNeeded().worker == .start(spare))
    }
    _ = roster.foundWork(2)
    #expect(roster.spareNeeded() == .none)
    #expect(roster.present == 3)
    _ = roster.fallAsleep(2)
    #expect(roster.retire(2) == true)
    #expect(roster.present == 2)
    #expect(roster.leave(2) == false)
    #expect(roster.spareNeeded().worker == .start(2))
  }

  @Test("one who is being woken neither stays awake by itself nor retires")
  func woken() {
    var roster = PoolRoster(regulars: 1, spares: 1)
    _ = roster.workArrived()
    #expect(roster.fallAsleep(0) == true)
    #expect(roster.stayAwake(0) == true)
    #expect(roster.fallAsleep(0) == true)
    _ = roster.workArrived()
    #expect(roster.stayAwake(0) == false)
    #expect(roster.retire(0) == false)
    #expect(roster.searching == 1)
  }

  @Test("no more than half of the workers search")
  func searchLimit() {
    var roster = PoolRoster(regulars: 4, spares: 0)
    for worker in 0..<4 {
      _ = roster.workArrived()
      _ = roster.foundWork(worker)
    }
    #expect(roster.beginSearch(0) == true)
    #expect(roster.beginSearch(1) == true)
    #expect(roster.beginSearch(2) == false)
    // It sleeps at once; those who search look after it.
    #expect(roster.fallAsleep(2) == false)
    #expect(roster.foundWork(0) == false)
    #expect(roster.fallAsleep(1) == true)
  }

  @Test("a worker whose thread cannot be had is replaced by one that sleeps, if there is one")
  func startFailed() {
    var roster = PoolRoster(regulars: 2, spares: 1)
    _ = roster.workArrived()
    #expect(roster.startFailed(0) == nil)
    _ = roster.workArrived()
    _ = roster.foundWork(0)
    _ = roster.workArrived()
    #expect(roster.startFailed(1) == Actions.none)
    #expect(roster.workArrived().worker == .start(1))
    _ = roster.fallAsleep(0)
    #expect(roster.startFailed(1)?.worker == .wake(0))
  }

  @Test("the monitor rests when all sleep, and is woken with the first of them")
  func monitor() {
    var roster = PoolRoster(regulars: 1, spares: 0)
    _ = roster.workArrived()
    #expect(roster.restMonitor() == false)
    _ = roster.fallAsleep(0)
    #expect(roster.workArrived() == Actions(worker: .wake(0)))
    _ = roster.fallAsleep(0)
    #expect(roster.restMonitor() == true)
    #expect(roster.workArrived() == Actions(worker: .wake(0), monitor: .wake))
    roster.monitorStartFailed()
    _ = roster.fallAsleep(0)
    #expect(roster.workArrived() == Actions(worker: .wake(0), monitor: .start))
  }

  @Test("a pool that never ran anything ends at once")
  func stopUnused() {
    var roster = PoolRoster(regulars: 2, spares: 1)
    #expect(roster.stop(hasQueued: false) == .none)
    #expect(roster.hasEnded)
    #expect(!roster.wantsWake)
  }

  @Test("a stopping pool ends when all sleep, not before, and the last to leave is told so")
  func stop() {
    var roster = PoolRoster(regulars: 2, spares: 0)
    for worker in 0..<2 {
      _ = roster.workArrived()
      _ = roster.foundWork(worker)
    }
    #expect(roster.endIfDone() == nil)
    #expect(roster.stop(hasQueued: true) == .none)
    #expect(roster.fallAsleep(0) == true)
    #expect(roster.endIfDone() == nil)
    #expect(roster.fallAsleep(1) == true)
    #expect(roster.endIfDone() == [0, 1])
    #expect(roster.endIfDone() == nil)
    #expect(roster.restMonitor() == false)
    #expect(roster.leave(0) == false)
    #expect(roster.leave(1) == true)
    #expect(roster.present == 0)
  }

  @Test("to stop a sleeping pool wakes one, who finds that it is done")
  func stopAsleep() {
    var roster = PoolRoster(regulars: 2, spares: 0)
    _ = roster.workArrived()
    _ = roster.fallAsleep(0)
    #expect(roster.stop(hasQueued: false).worker == .wake(0))
    _ = roster.fallAsleep(0)
    #expect(roster.endIfDone() == [0])
  }
}
