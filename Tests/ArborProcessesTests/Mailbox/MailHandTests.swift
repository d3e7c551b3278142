import ArborPrimitives
import ArborProcesses
import Testing

private typealias Machine = ProcessMachine<Int>

/// A mailbox and the loop that reads it: all mail at once, or one by one.
private struct Reader {
  var machine = Machine(hasMailbox: true)
  let takesAll: Bool
  private var hand: MailHand?

  init(takesAll: Bool) { self.takesAll = takesAll }

  /// The number of the next message; nil if there is none, -1 if the process is over.
  mutating func next() -> Int? {
    if let mail = hand?.next() { return mail.value(as: Int.self) }
    hand = nil
    switch machine.next() {
    case .empty: return nil
    case .interrupted: return -1
    case .mail(let mail):
      if takesAll, machine.mail.count > 0 { hand = machine.handOver()?.takeUnretainedValue() }
      return mail.value(as: Int.self)
    }
  }

  mutating func receive(where fits: (Int) -> Bool) -> Int? {
    guard machine.beginReceive() else { return nil }
    defer { machine.endReceive() }
    while case .mail(let mail) = machine.look() {
      let number = mail.value(as: Int.self) ?? -1
      if fits(number) { return machine.accept(mail) ? number : nil }
      _ = machine.skip(mail)
    }
    return nil
  }
}

private func message(_ number: Int, _ kind: Mail.Kind = .message) -> Mail {
  Mail.make(kind, number, context: nil)
}

/// A loop that takes all mail at once does what one does that takes it one by one: nobody else can tell.
@Suite struct MailHandTests {
  @Test(
    "after any sequence of events mail, ledger and length are those of one by one",
    arguments: 0..<500)
  func anySequence(seed: Int) throws {
    var random = SeededGenerator(seed: UInt64(seed))
    var readers = [Reader(takesAll: false), Reader(takesAll: true)]
    var seen: [[String]] = [[], []]
    for step in 0..<120 {
      let event = Int.random(in: 0..<(step > 100 ? 20 : 19), using: &random)
      let chosen = Int.random(in: 0...max(step, 1), using: &random)
      for index in readers.indices {
        func see(_ what: Any) { seen[index].append("\(step): \(what)") }
        switch event {
        case 0..<7: _ = readers[index].machine.deliver(message(step))
        case 7: _ = readers[index].machine.deliver(message(step, .down))
        case 8..<14: see(readers[index].next() as Any)
        case 14:
          let flushed = readers[index].machine.flush { $0.value(as: Int.self) == chosen }
          see(flushed?.value(as: Int.self) as Any)
        case 15: see(readers[index].receive { $0 >= chosen } as Any)
        case 16: see(readers[index].machine.countedLedger())
        case 17: see(readers[index].machine.queueLength)
        case 18:
          // As a receive of a task of the server's, which goes on while the loop does.
          _ = readers[index].machine.beginReceive()
          if case .mail(let mail) = readers[index].machine.look() {
            see(readers[index].next() as Any)
            _ = readers[index].machine.skip(mail)
          }
          readers[index].machine.endReceive()
        default:
          if readers[index].machine.status == .running {
            let ending = readers[index].machine.beginExit(.killed)
            see(ending.unread.mail.count)
            ending.unread.drop()
          }
        }
      }
    }
    #expect(seen[0] == seen[1])
    #expect(readers[0].machine.countedLedger() == readers[1].machine.countedLedger())
    let ledger = readers[1].machine.countedLedger()
    #expect(ledger.queued == readers[1].machine.queueLength)
  }

  @Test("most that ever waited, those in the hand included")
  func highWater() {
    var reader = Reader(takesAll: true)
    for number in 0..<4 { _ = reader.machine.deliver(message(number)) }
    #expect(reader.next() == 0)
    // Three in the hand, two behind.
    for number in 4..<6 { _ = reader.machine.deliver(message(number)) }
    #expect(reader.machine.ledger.highWater == 5)
    #expect(reader.next() == 1)
    _ = reader.machine.deliver(message(6))
    #expect(reader.machine.ledger.highWater == 5)
    _ = reader.machine.deliver(message(7))
    #expect(reader.machine.ledger.highWater == 6)
  }

  @Test("a bounded mailbox hands out one at a time: what leaves it makes room")
  func bounded() {
    var machine = Machine(hasMailbox: true, mailbox: .bounded(4, .fail))
    for number in 0..<4 { _ = machine.deliver(message(number)) }
    _ = machine.next()
    #expect(machine.handOver() == nil)
    #expect(machine.bounds?.load == 3)
  }

  @Test("a loop with mail in its hand does not park; once that is handled it does")
  func parking() {
    var machine = Machine(hasMailbox: true)
    for number in 0..<2 { _ = machine.deliver(message(number)) }
    _ = machine.next()
    let hand = machine.handOver()?.takeUnretainedValue()
    let parksEarly = machine.park(1)
    #expect(!parksEarly)
    #expect(hand?.next()?.value(as: Int.self) == 1)
    guard case .empty = machine.next() else {
      Issue.record("there is no more mail")
      return
    }
    let parks = machine.park(1)
    #expect(parks)
  }
}
