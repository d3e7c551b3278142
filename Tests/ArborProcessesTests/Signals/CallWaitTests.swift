import Testing

@testable import ArborProcesses

private typealias Machine = ProcessMachine<Int>

private final class Thing: Sendable {}

private struct Flaw: Error { let thing: Thing }

/// A process's waits for answers, which are used again one after the other.
@Suite struct CallWaitTests {
  private let node: Node
  private let server: ProcessCore
  private let other: ProcessCore

  init() {
    node = Node(workers: 1)
    server = ProcessCore(node: node, parent: nil)
    other = ProcessCore(node: node, parent: nil)
  }

  /// Enters a wait that nobody holds any more when this returns, and ends it.
  private func makeCall<Reply: Sendable>(
    _ machine: inout Machine, until deadline: UInt64 = .max, answer: Reply?
  ) -> ObjectIdentifier {
    let wait = CallWait<Reply>(server: server)
    _ = machine.enter(wait, until: deadline)
    if let answer { wait.reply(answer) }
    return ObjectIdentifier(wait)
  }

  /// The wait that is used again; nil if a new one is to be made.
  private func reenter<Reply: Sendable>(
    _ machine: inout Machine, _ type: CallWait<Reply>.Type, until deadline: UInt64 = .max
  ) -> (wait: CallWait<Reply>, entered: Machine.Entered)? {
    guard let (wait, entered) = machine.reenter(type, for: other, until: deadline) else {
      return nil
    }
    guard let wait = wait.takeRetainedValue() as? CallWait<Reply> else {
      Issue.record("it is of another type")
      return nil
    }
    return (wait, entered)
  }

  @Test("the wait of the call before, as new, and for the server of this one")
  func again() throws {
    var machine = Machine(hasMailbox: true)
    let first = makeCall(&machine, answer: 1)
    let (wait, _) = try #require(reenter(&machine, CallWait<Int>.self))
    #expect(ObjectIdentifier(wait) == first)
    #expect(machine.wait === wait && wait.server === other)
    #expect(!wait.isOver && !wait.isArmed && wait.ticket == 0 && wait.clock == nil)
    // It ends as a new one does: once, and for who is suspended in it.
    let job = unsafeBitCast(UInt(16), to: UnownedJob.self)
    #expect(wait.arm(.job(job, of: .passUnretained(other))))
    guard case (.job?, _)? = wait.claim() else {
      Issue.record("there is somebody to wake")
      return
    }
    #expect(wait.claim() == nil && wait.hasEnded)
  }

  @Test("taken out for a call in place, it is nobody's that an exit would end")
  func takenOut() throws {
    var machine = Machine(hasMailbox: true)
    let first = makeCall(&machine, answer: 1)
    let none = machine.takeLastWait(CallWait<String>.self, for: other)
    let last = machine.takeLastWait(CallWait<Int>.self, for: other)
    #expect(none == nil)
    let wait = try #require(last).takeRetainedValue()
    #expect(ObjectIdentifier(wait) == first && wait.server === other && !wait.isOver)
    let again = machine.takeLastWait(CallWait<Int>.self, for: other)
    #expect(machine.wait == nil && again == nil)
  }

  @Test("its second answer is the second one, and after one that came late there is none")
  func answers() throws {
    var machine = Machine(hasMailbox: true)
    _ = makeCall(&machine, answer: nil as Int?)
    (machine.wait as? CallWait<Int>)?.fail(.timeout)
    (machine.wait as? CallWait<Int>)?.reply(1)
    #expect(throws: CallError.timeout) { try (machine.wait as? CallWait<Int>)?.take() }
    do {
      let (wait, _) = try #require(reenter(&machine, CallWait<Int>.self))
      wait.reply(2)
      wait.reply(3)
      let answer = try wait.take()
      #expect(answer == 2)
    }
    do {
      let (wait, _) = try #require(reenter(&machine, CallWait<Int>.self))
      wait.fail(.noReply)
      #expect(throws: CallError.noReply) { try wait.take() }
    }
  }

  @Test("none that somebody else still knows of, who might answer it")
  func held() throws {
    var machine = Machine(hasMailbox: true)
    _ = makeCall(&machine, answer: 1)
    do {
      let from = machine.wait
      #expect(reenter(&machine, CallWait<Int>.self) == nil)
      #expect(machine.wait === from, "refusing one changes nothing")
      #expect((from as? AnyCallWait)?.hasEnded == true)
    }
    #expect(reenter(&machine, CallWait<Int>.self) != nil)
  }

  @Test("none of another type of answer, and none that is no call's")
  func otherType() {
    var machine = Machine(hasMailbox: true)
    #expect(reenter(&machine, CallWait<Int>.self) == nil, "there was none before")
    _ = makeCall(&machine, answer: 1)
    #expect(reenter(&machine, CallWait<Int?>.self) == nil)
    #expect(reenter(&machine, CallWait<Void>.self) == nil)
    _ = machine.enter(SleepWait(), until: .max)
    machine.wait?.interrupt(.timeout)
    #expect(reenter(&machine, CallWait<Int>.self) == nil)
  }

  @Test("none that has not ended")
  func running() {
    var machine = Machine(hasMailbox: true)
    _ = makeCall(&machine, answer: nil as Int?)
    #expect(reenter(&machine, CallWait<Int>.self) == nil)
    #expect(machine.wait?.isOver == false)
  }

  @Test("none in a process that is exiting or cancelled")
  func refusing() {
    var exiting = Machine(hasMailbox: true)
    _ = makeCall(&exiting, answer: 1)
    _ = exiting.beginExit(.shutdown)
    #expect(reenter(&exiting, CallWait<Int>.self) == nil)
    // One that was put there meanwhile changes nothing.
    let wait = CallWait<Int>(server: server)
    wait.reply(1)
    exiting.wait = consume wait
    #expect(reenter(&exiting, CallWait<Int>.self) == nil)

    var cancelled = Machine(hasMailbox: true)
    _ = makeCall(&cancelled, answer: 1)
    cancelled.isCancelled = true
    #expect(reenter(&cancelled, CallWait<Int>.self) == nil)
  }

  @Test("its deadline is watched by the alarm as that of a new one")
  func deadlines() throws {
    var machine = Machine(hasMailbox: true)
    _ = makeCall(&machine, answer: 1)
    do {
      let (wait, entered) = try #require(reenter(&machine, CallWait<Int>.self, until: 100))
      guard case .wantsAlarm = entered else {
        Issue.record("the first deadline sets the alarm")
        return
      }
      wait.reply(2)
    }
    do {
      let (wait, entered) = try #require(reenter(&machine, CallWait<Int>.self, until: 150))
      guard case .watched = entered else {
        Issue.record("the alarm comes before a later deadline")
        return
      }
      let early = machine.alarmRang(at: 100)
      #expect(early.expired == nil && early.next == 150)
      let due = machine.alarmRang(at: 150)
      #expect(due.expired === wait && due.next == nil)
      wait.fail(.timeout)
    }
    do {
      let (wait, entered) = try #require(reenter(&machine, CallWait<Int>.self, until: .max))
      guard case .watched = entered else {
        Issue.record("without a deadline there is nothing to set")
        return
      }
      let none = machine.alarmRang(at: 1000)
      #expect(none.expired == nil && none.next == nil, "the deadline of the call before is over")
      wait.reply(3)
    }
    _ = machine.enter(SleepWait(), until: 300)
    _ = makeCall(&machine, answer: 4)
    let (_, entered) = try #require(reenter(&machine, CallWait<Int>.self, until: 200))
    guard case .wantsTimer = entered else {
      Issue.record("the alarm would be too late")
      return
    }
  }

  @Test("keeps neither the answer that was taken nor the error")
  func keepsNothing() throws {
    var machine = Machine(hasMailbox: true)
    weak var answer: Thing?
    do {
      let thing = Thing()
      answer = thing
      _ = makeCall(&machine, answer: thing)
    }
    #expect(answer != nil)
    do {
      let taken = try (machine.wait as? CallWait<Thing>)?.take()
      #expect(taken === answer)
    }
    #expect(answer == nil)

    weak var flaw: Thing?
    do {
      let thing = Thing()
      flaw = thing
      let (wait, _) = try #require(reenter(&machine, CallWait<Thing>.self))
      wait.fail(.exit(.error(Flaw(thing: thing))))
    }
    #expect(flaw != nil)
    #expect(throws: CallError.self) { _ = try (machine.wait as? CallWait<Thing>)?.take() }
    #expect(flaw == nil)
  }
}
