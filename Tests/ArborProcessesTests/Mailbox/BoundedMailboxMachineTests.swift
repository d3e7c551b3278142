import ArborPrimitives
import ArborProcesses
import Testing

private typealias Machine = ProcessMachine<Int>

private func machine(_ capacity: Int, _ overflow: MailboxOverflow) -> Machine {
  Machine(hasMailbox: true, mailbox: .bounded(capacity, overflow))
}

private func message(_ number: Int, _ kind: Mail.Kind = .message) -> Mail {
  Mail.make(kind, number, context: nil)
}

private func request(_ number: Int) -> RoomRequest {
  RoomRequest(message(number), wait: Wait())
}

extension ProcessMachine {
  /// Takes what is queued, as a server's loop does, and says what it was.
  fileprivate mutating func drain() -> [Int] {
    var numbers: [Int] = []
    while true {
      switch next() {
      case .mail(let mail):
        _ = takeRoom()
        numbers.append(mail.value(as: Int.self) ?? -1)
      case .empty, .interrupted: return numbers
      }
    }
  }

  fileprivate var isBalanced: Bool {
    ledger.sent == ledger.handled + queueLength + ledger.dropped && ledger.queued == queueLength
  }
}

/// The rules of bounded mailboxes, without a thread.
@Suite struct BoundedMailboxMachineTests {
  @Test(
    "a full mailbox keeps what its policy says, and counts the rest by cause",
    arguments: [
      (MailboxOverflow.fail, [0, 1, 2]), (.dropNewest, [0, 1, 2]), (.dropOldest, [2, 3, 4]),
      (.suspend, [0, 1, 2]),
    ])
  func policies(overflow: MailboxOverflow, kept: [Int]) {
    var machine = machine(3, overflow)
    for number in 0..<5 {
      _ = machine.deliver(message(number, number.isMultiple(of: 2) ? .message : .cast))
      #expect(machine.isBalanced)
    }
    let ledger = machine.ledger
    #expect(ledger.sent == 5 && ledger.queued == 3 && ledger.dropped == 2)
    #expect(ledger.highWater == 3)
    switch overflow {
    case .fail, .suspend: #expect(ledger.refused == 2)
    case .dropNewest: #expect(ledger.droppedNewest == 2)
    case .dropOldest: #expect(ledger.droppedOldest == 2)
    }
    let drained = machine.drain()
    #expect(drained == kept)
    #expect(machine.isBalanced && machine.ledger.handled == 3)
  }

  @Test(
    "what the runtime says gets in, takes no room, and is not dropped for others",
    arguments: [MailboxOverflow.fail, .dropNewest, .dropOldest, .suspend])
  func exempt(overflow: MailboxOverflow) {
    var machine = machine(1, overflow)
    for kind in [Mail.Kind.down, .exit, .timeout, .system] {
      guard case .queued = machine.deliver(message(100, kind)) else {
        Issue.record("\(kind) was not queued")
        continue
      }
    }
    _ = machine.deliver(message(1))
    _ = machine.deliver(message(2))
    guard case .queued = machine.deliver(message(100, .down)) else {
      Issue.record("refused by a full mailbox")
      return
    }
    let kept = overflow == .dropOldest ? 2 : 1
    let drained = machine.drain()
    #expect(drained == [100, 100, 100, 100, kept, 100])
  }

  @Test("a call displaces nothing: it is refused")
  func callsDisplaceNothing() {
    for overflow in [MailboxOverflow.fail, .dropNewest, .dropOldest] {
      var machine = machine(1, overflow)
      _ = machine.deliver(message(1))
      guard case .full = machine.deliver(message(2, .call)) else {
        Issue.record("\(overflow): the call got in")
        continue
      }
      #expect(machine.ledger.refused == 1 && machine.isBalanced)
      let drained = machine.drain()
      #expect(drained == [1])
    }
  }

  @Test("who waits for room gets it in the order of asking; who gave up is passed over")
  func room() throws {
    var machine = machine(1, .suspend)
    _ = machine.deliver(message(0))
    let requests = (1...3).map { request($0) }
    for request in requests {
      guard case .waits = machine.deliverOrWait(request) else {
        Issue.record("there was no room")
        return
      }
    }
    #expect(machine.ledger.sent == 1)
    #expect(requests[0].wait.claim() != nil)  // its timeout, say
    guard case .mail(let mail) = machine.next() else {
      Issue.record("nothing was there")
      return
    }
    let made = machine.takeRoom()
    let room = try #require(made)
    #expect(mail.value(as: Int.self) == 0)
    #expect(room.admitted === requests[1] && room.ended.first === requests[0])
    // Its wait is over: nobody else may resume it.
    #expect(requests[1].wait.claim() == nil)
    #expect(machine.ledger.sent == 2 && machine.isBalanced)
    let drained = machine.drain()
    #expect(drained == [2, 3])
    #expect(machine.isBalanced && machine.ledger.handled == 3)
  }

  @Test("an exit takes the mail along and turns away those who wait for room")
  func exit() {
    var machine = machine(2, .suspend)
    for number in 0..<2 { _ = machine.deliver(message(number)) }
    let waiting = request(2)
    _ = machine.deliverOrWait(waiting)
    let ending = machine.beginExit(.shutdown)
    #expect(ending.unread.requests.count == 1 && ending.unread.requests.first === waiting)
    #expect(machine.ledger.droppedByExit == 2 && machine.ledger.queued == 0)
    guard case .admitted(.refused, _) = machine.deliverOrWait(request(3)) else {
      Issue.record("it waits for a process that is exiting")
      return
    }
    #expect(machine.isBalanced)
  }

  @Test("a message that is looked at counts, and the bound holds once it goes back")
  func looking() throws {
    var machine = machine(1, .dropOldest)
    _ = machine.deliver(message(1))
    let began = machine.beginReceive()
    #expect(began)
    guard case .mail(let looked) = machine.look() else {
      Issue.record("nothing to look at")
      return
    }
    #expect(machine.ledger.queued == 1 && machine.isBalanced)
    _ = machine.deliver(message(2))
    let dropped = machine.skip(looked)
    let displaced = try #require(dropped)
    #expect(displaced.mail === looked)
    machine.endReceive()
    let drained = machine.drain()
    #expect(machine.isBalanced && drained == [2])
    #expect(machine.ledger.droppedOldest == 1)
  }

  @Test("the list of those who wait does not keep the ones who gave up")
  func givenUp() {
    var machine = machine(1, .suspend)
    _ = machine.deliver(message(0))
    weak var last: RoomRequest?
    for number in 0..<1000 {
      let request = request(number)
      _ = machine.deliverOrWait(request)
      _ = request.wait.claim()
      last = request
    }
    #expect(last != nil)
    #expect((machine.bounds?.waitingCount ?? 0) < 32)
  }

  @Test("the ledger holds after any sequence of events", arguments: 0..<200)
  func anySequence(seed: Int) {
    var random = SeededGenerator(seed: UInt64(seed))
    let overflows: [MailboxOverflow] = [.fail, .dropNewest, .dropOldest, .suspend]
    let capacity = Int.random(in: 1...4, using: &random)
    var machine = machine(capacity, overflows.randomElement(using: &random) ?? .fail)
    var looked: Mail?
    for step in 0..<200 {
      switch Int.random(in: 0..<12, using: &random) {
      case 0..<4: _ = machine.deliver(message(step))
      case 4: _ = machine.deliver(message(step, .down))
      case 5: _ = machine.deliverOrWait(request(step))
      case 6: _ = machine.deliver(message(step, .call))
      case 7 where looked == nil: _ = machine.next()
      case 8 where looked == nil:
        _ = machine.beginReceive()
        if case .mail(let mail) = machine.look() { looked = mail }
      case 9:
        if let mail = looked { _ = machine.skip(mail) }
        looked = nil
      case 10:
        if let mail = looked { _ = machine.accept(mail) }
        looked = nil
      case 11 where looked == nil: machine.endReceive()
      default: break
      }
      #expect(machine.isBalanced)
      let load = machine.bounds?.load ?? 0
      #expect(load <= capacity + (looked == nil ? 0 : 1))
      #expect(load == machine.countOfWhatTakesRoom + (looked?.kind.takesRoom == true ? 1 : 0))
      #expect(load >= capacity || machine.bounds?.waitingCount == 0)
    }
  }
}

extension ProcessMachine {
  fileprivate var countOfWhatTakesRoom: Int {
    var count = 0
    mail.visit { count += $0.kind.takesRoom ? 1 : 0 }
    skipped.visit { count += $0.kind.takesRoom ? 1 : 0 }
    return count
  }
}
