import ArborPrimitives
import ArborProcesses
import Testing

private typealias Machine = ProcessMachine<Int>

/// The deadlines of a process's waits, which share one alarm.
@Suite struct WaitAlarmTests {
  @Test("the first deadline sets the alarm, later ones are watched by it, earlier ones are not")
  func entering() {
    var machine = Machine(hasMailbox: true)
    guard case .watched = machine.enter(SleepWait(), until: .max) else {
      Issue.record("without a deadline there is nothing to set")
      return
    }
    guard case .wantsAlarm = machine.enter(SleepWait(), until: 100) else {
      Issue.record("the first deadline sets the alarm")
      return
    }
    guard case .watched = machine.enter(SleepWait(), until: 150) else {
      Issue.record("the alarm comes before a later deadline")
      return
    }
    guard case .wantsTimer = machine.enter(SleepWait(), until: 50) else {
      Issue.record("the alarm would be too late")
      return
    }
  }

  @Test("the alarm ends the wait whose deadline has passed, and is set anew for one whose has not")
  func ringing() {
    var machine = Machine(hasMailbox: true)
    _ = machine.enter(SleepWait(), until: 100)
    let wait = SleepWait()
    _ = machine.enter(wait, until: 150)
    let early = machine.alarmRang(at: 100)
    #expect(early.expired == nil && early.next == 150)
    let due = machine.alarmRang(at: 150)
    #expect(due.expired === wait && due.next == nil)
  }

  @Test("a wait that is over is left alone, and so is one that has a timer of its own")
  func leavingAlone() {
    var machine = Machine(hasMailbox: true)
    let over = SleepWait()
    _ = machine.enter(over, until: 100)
    over.interrupt(.cancelled)
    let none = machine.alarmRang(at: 100)
    #expect(none.expired == nil && none.next == nil)
    _ = machine.enter(SleepWait(), until: 200)
    _ = machine.enter(SleepWait(), until: 120)
    let other = machine.alarmRang(at: 200)
    #expect(other.expired == nil && other.next == nil)
  }

  @Test("no wait begins in a process that is exiting or cancelled")
  func refusing() {
    var exiting = Machine(hasMailbox: true)
    _ = exiting.beginExit(.shutdown)
    guard case .over(.exiting) = exiting.enter(SleepWait(), until: 100) else {
      Issue.record("it is exiting")
      return
    }
    var cancelled = Machine(hasMailbox: true)
    cancelled.isCancelled = true
    guard case .over(.cancelled) = cancelled.enter(SleepWait(), until: 100) else {
      Issue.record("it is cancelled")
      return
    }
  }

  @Test("the deadline of a receive that is over ends no later one")
  func lateDeadline() {
    var machine = Machine(hasMailbox: true)
    let first = machine.beginWait()
    let hasParked = machine.park(1)
    let delivery = machine.deliver(Mail.make(.message, "in time", context: nil))
    guard hasParked, case .woke(1) = delivery, case .mail = machine.next() else {
      Issue.record("who waits is woken by what comes in time")
      return
    }
    let second = machine.beginWait()
    let parksAgain = machine.park(2)
    let late = machine.receiveTimedOut(first)
    #expect(parksAgain && late == nil && machine.receiver == 2)
    let due = machine.receiveTimedOut(second)
    #expect(due == 2)
  }
}
