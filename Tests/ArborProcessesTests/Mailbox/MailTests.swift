import ArborPrimitives
import ArborTestKit
import Synchronization
import Testing

@testable import ArborProcesses

/// How many values have been let go of.
private final class Count: Sendable {
  private let count = Atomic(0)
  func add() { count.wrappingAdd(1, ordering: .relaxed) }
  var value: Int { count.load(ordering: .relaxed) }
}

private protocol Named: Sendable { var name: String { get } }

/// Counts its own end.
private class Thing: Named, @unchecked Sendable {
  // Unchecked because it is not final: written once.
  let ended: Count
  init(_ ended: Count) { self.ended = ended }
  deinit { ended.add() }
  var name: String { "thing" }
}

private final class SpecialThing: Thing, @unchecked Sendable {
  override var name: String { "special" }
}

private struct Words4: Sendable, Equatable { var a = 1, b = 2, c = 3, d = 4 }
/// As much as has room in a mail.
private struct Bytes41: Sendable, Equatable { var words = Words4(), word = 5, byte: UInt8 = 6 }
/// A byte more.
private struct Bytes42: Sendable, Equatable { var bytes = Bytes41(), byte: UInt8 = 7 }
private struct Words25: Sendable, Equatable {
  var one = Words4(), two = Words4(), three = Words4(), four = Words4(), five = Words4()
  var six = Words4(), last = 25
}
private struct Wide: Sendable, Equatable { var vector = SIMD4<Float>(1, 2, 3, 4), byte: UInt8 = 7 }
private struct Nothing: Sendable, Equatable {}

private enum Choice: Sendable, Equatable {
  case none
  case number(Int)
  case text(String, Int)
  indirect case nested(Choice)
}

private struct Inline: Sendable { var thing: Thing, numbers = (1, 2, 3) }
private struct Large: Sendable { var thing: Thing, numbers = (1, 2, 3, 4, 5) }
private struct Large16: Sendable { var thing: Thing, vector = SIMD2<Double>(1, 2) }

// As functions, because an expectation cannot compare types, nor look at what is not copied.

private func are(_ one: Any.Type?, _ other: Any.Type) -> Bool { one == other }

/// Mails that one alone has.
private final class Spares {
  var mail = SpareMail()
  var isFull: Bool { mail.isFull }
  func push(_ spare: inout Mail?) { mail.push(&spare) }
  func pop() -> Mail? { mail.pop() }
}

/// What is inside a mail, of whatever type it is.
@Suite struct MailTests {
  private func make<Value: Sendable>(of type: Value.Type, _ value: Value) -> Mail {
    Mail.make(.message, value, context: nil)
  }

  private func check<Value: Sendable & Equatable>(_ value: Value, fits: Bool) {
    #expect(Mail.fits(Value.self) == fits, "\(Value.self)")
    let mail = make(of: Value.self, value)
    for _ in 0..<2 {  // looking changes nothing
      #expect(mail.exactValue(of: Value.self) == value)
      #expect(mail.value(as: Value.self) == value)
      #expect(mail.payload as? Value == value)
    }
    #expect(are(mail.valueType, Value.self))
    #expect(mail.exactValue(of: Never.self) == nil)
    #expect(mail.exactValue(of: Nothing?.self) == nil)
    #expect(mail.value(as: Count.self) == nil)
  }

  @Test("a value comes out as it went in, whether it has room in the mail or not")
  func shapes() {
    check(true, fits: true)
    check(-5, fits: true)
    check(UInt8(7), fits: true)
    check("short", fits: true)
    check("a text that is too long to be kept in the word of a string itself", fits: true)
    check([1, 2, 3], fits: true)
    check([String](), fits: true)
    check(["a": [1], "b": []], fits: true)
    check(3 as Int?, fits: true)
    check(nil as String?, fits: true)
    check(nil as Words25?, fits: false)
    check(Nothing(), fits: true)
    check(Choice.none, fits: true)
    check(Choice.number(5), fits: true)
    check(Choice.text("five", 5), fits: true)
    check(Choice.nested(.text("five", 5)), fits: true)
    check(Words4(), fits: true)
    check(Bytes41(), fits: true)
    check(Bytes42(), fits: false)
    check(Words25(), fits: false)
    check(SIMD2<Double>(1, 2), fits: false)
    check(SIMD16<Float>(repeating: 0.5), fits: false)
    check(Wide(), fits: false)
    check(Wide() as Wide?, fits: false)
    #expect(MemoryLayout<Bytes41>.size == 41 && MemoryLayout<Bytes42>.size == 42)
    #expect(Mail.fits(Down.self), "a DOWN is to need no object of its own")
  }

  @Test("one without a size, and one that is a type or a function")
  func oddShapes() {
    let none = make(of: Void.self, ())
    #expect(none.exactValue(of: Void.self) != nil && are(none.valueType, Void.self))
    #expect(none.payload is Void && none.value(as: Int.self) == nil)
    let type = make(of: Int.Type.self, Int.self)
    #expect(are(type.exactValue(of: Int.Type.self), Int.self))
    let function = make(of: (@Sendable (Int) -> Int).self) { $0 + 1 }
    #expect(function.exactValue(of: (@Sendable (Int) -> Int).self)?(1) == 2)
  }

  @Test("an object comes out as itself, as its superclass, and as what it conforms to")
  func objects() {
    let thing = SpecialThing(Count())
    let mail = make(of: SpecialThing.self, thing)
    #expect(mail.exactValue(of: SpecialThing.self) === thing)
    #expect(mail.exactValue(of: Thing.self) == nil)
    #expect(mail.value(as: Thing.self) === thing)
    #expect(mail.value(as: (any Named).self)?.name == "special")
    #expect(mail.value(as: (any Sendable).self) is SpecialThing)
    #expect(mail.payload as? Thing === thing)
    // Known by less than it is.
    let general = make(of: Thing.self, thing)
    #expect(general.exactValue(of: SpecialThing.self) == nil)
    #expect(general.value(as: SpecialThing.self) === thing)
    #expect(are(general.valueType, Thing.self))
  }

  @Test("an existential comes out as it is, and as what is in it")
  func existentials() {
    let thing = SpecialThing(Count())
    let named = make(of: (any Named).self, thing)
    #expect(are(named.valueType, (any Named).self))
    #expect(named.exactValue(of: (any Named).self)?.name == "special")
    #expect(named.exactValue(of: SpecialThing.self) == nil)
    #expect(named.value(as: SpecialThing.self) === thing)
    #expect(named.value(as: Int.self) == nil)

    let any = make(of: (any Sendable).self, 5)
    #expect(Mail.fits((any Sendable).self))
    #expect(any.exactValue(of: (any Sendable).self) as? Int == 5)
    #expect(any.value(as: Int.self) == 5)
    #expect(any.payload as? Int == 5)
    #expect(any.value(as: String.self) == nil)

    let error = make(of: (any Error).self, CancellationError())
    #expect(error.value(as: CancellationError.self) != nil)
    #expect(error.value(as: CallError.self) == nil)
  }

  @Test("letting go of a mail lets go of its value, once", arguments: [false, true])
  func lettingGo(isTakenOut: Bool) {
    func check<Value: Sendable>(_ makeValue: (Thing) -> Value) {
      let ended = Count()
      do {
        let mail = make(of: Value.self, makeValue(SpecialThing(ended)))
        #expect(ended.value == 0)
        if isTakenOut {
          let copy = mail.exactValue(of: Value.self)
          _ = mail.payload
          mail.clear(as: Value.self)
          #expect(mail.type == nil && ended.value == 0)
          withExtendedLifetime(copy) {}
        }
      }
      #expect(ended.value == 1, "\(Value.self)")
    }
    check { $0 }
    check { Inline(thing: $0) }
    check { Large(thing: $0) }
    check { Large16(thing: $0) }
    check { [$0] }
    check { $0 as Thing? }
    check { thing -> any Named in thing }
    check { thing -> any Sendable in thing }
    check { thing -> @Sendable () -> String in { thing.name } }
  }
}

/// Mail that is used again.
@Suite struct SpareMailTests {
  private static let trace = Ambient(
    process: nil, cursor: TraceCursor(traceHigh: 1, traceLow: 2, spanID: 3, owner: 0))

  @Test("carries another type and kind, and nothing of what it was")
  func again() throws {
    let ended = Count()
    let spare = Spares()
    var mail: Mail? = Mail.make(.call, Large(thing: Thing(ended)), context: Self.trace)
    mail?.ticket = 7
    let identity = mail.map(ObjectIdentifier.init)
    mail?.empty()
    #expect(ended.value == 1)
    spare.push(&mail)
    #expect(mail == nil)
    let again = try #require(spare.pop())
    #expect(ObjectIdentifier(again) == identity)
    #expect(again.type == nil && again.context == nil && again.ticket == 0 && again.next == nil)
    again.fill(.cast, "another", nil)
    #expect(again.kind == .cast && again.context == nil)
    #expect(again.exactValue(of: String.self) == "another")
    #expect(again.value(as: Large.self) == nil)
    again.clear(as: String.self)
    again.fill(.message, Words25(), Self.trace)
    #expect(again.kind == .message && again.context === Self.trace)
    #expect(again.exactValue(of: Words25.self) == Words25())
  }

  @Test("the last that came goes first, and none that was not there")
  func order() {
    let spare = Spares()
    #expect(spare.pop() == nil)
    var identities: [ObjectIdentifier] = []
    for number in 0..<SpareMail.limit {
      #expect(!spare.isFull)
      var mail: Mail? = Mail.make(.message, number, context: nil)
      identities += mail.map { [ObjectIdentifier($0)] } ?? []
      spare.push(&mail)
    }
    #expect(spare.isFull)
    var popped: [Mail] = []
    while let mail = spare.pop() { popped.append(mail) }
    #expect(popped.map(ObjectIdentifier.init) == identities.reversed())
    #expect(!spare.isFull && spare.pop() == nil)
    var none: Mail?
    spare.push(&none)
    #expect(spare.pop() == nil)
  }

  @Test("a depot hands on what one has, whole, and no more than its limit")
  func depot() throws {
    let depot = SpareMailDepot()
    #expect(depot.take() == nil && depot.hasRoom)
    weak var last: Mail?
    for number in 0...SpareMailDepot.limit {
      #expect(depot.hasRoom == (number < SpareMailDepot.limit))
      let spare = Spares()
      for _ in 0...number {
        var mail: Mail? = Mail.make(.message, number, context: nil)
        last = mail
        spare.push(&mail)
      }
      depot.put(spare.mail.takeAll())
      #expect(spare.pop() == nil && !spare.isFull)
    }
    #expect(last == nil, "what has no room is let go of")
    for number in (0..<SpareMailDepot.limit).reversed() {
      let stack = try #require(depot.take())
      #expect(depot.hasRoom)
      let spare = Spares()
      spare.mail.fill(stack)
      var count = 0
      while spare.pop() != nil { count += 1 }
      #expect(count == number + 1)
    }
    #expect(depot.take() == nil)
  }
}

/// Mail that processes use again.
@Suite struct RecycledMailTests {
  private let node = Node(workers: 1)

  @Test("the next message goes into the mail of the one before")
  func again() async {
    await withProcess(on: node) { context in
      let core = context.core
      let first = core.makeMail(.call, 1, context: nil)
      let identity = ObjectIdentifier(first)
      core.recycle(consume first, as: Int.self)
      let second = core.makeMail(.cast, Words25(), context: nil)
      #expect(ObjectIdentifier(second) == identity)
      #expect(second.kind == .cast && second.exactValue(of: Words25.self) == Words25())
      let third = core.makeMail(.cast, 3, context: nil)
      #expect(third !== second)
    }
  }

  @Test("its value is let go of at once, whatever was thought to be inside")
  func lettingGo() async {
    await withProcess(on: node) { context in
      let core = context.core
      func check<Value: Sendable>(_ makeValue: (Thing) -> Value) {
        let ended = Count()
        core.recycle(core.makeMail(.message, makeValue(Thing(ended)), context: nil), as: Value.self)
        #expect(ended.value == 1)
        core.recycle(core.makeMail(.message, makeValue(Thing(ended)), context: nil), as: Int.self)
        #expect(ended.value == 2)
      }
      check { $0 }
      check { Inline(thing: $0) }
      check { Large(thing: $0) }
      check { thing -> any Named in thing }
    }
  }

  @Test("not one that somebody else holds: that one keeps its value")
  func held() async {
    await withProcess(on: node) { context in
      let core = context.core
      let ended = Count()
      do {
        let held = core.makeMail(.message, Thing(ended), context: nil)
        core.recycle(held, as: Thing.self)
        var others: [Mail] = []
        for number in 0..<200 { others.append(core.makeMail(.message, number, context: nil)) }
        #expect(others.allSatisfy { $0 !== held })
        #expect(held.exactValue(of: Thing.self) != nil && ended.value == 0)
      }
      #expect(ended.value == 1)
    }
  }

  @Test("not one that was shown to others")
  func shown() async {
    await withProcess(on: node) { context in
      let core = context.core
      weak var known: Mail?
      do {
        let mail = core.makeMail(.message, 1, context: nil)
        mail.isShown = true
        known = mail
        core.recycle(consume mail, as: Int.self)
      }
      #expect(known == nil)
    }
  }

  @Test("a worker hands over what is too much, and takes it from the others when it has none")
  func handingOver() async throws {
    try await withProcess(on: node) { context in
      let core = context.core
      let worker = try #require(node.currentWorker?.takeUnretainedValue())
      while worker.takeSpareMail() != nil {}
      #expect(worker.core.spareMail.take() == nil)
      // Two more than it keeps.
      var mail: [Mail] = []
      for number in 0..<SpareMail.limit + 2 {
        mail.append(core.makeMail(.message, number, context: nil))
      }
      while let last = mail.popLast() { core.recycle(consume last, as: Int.self) }
      var own = 0
      while worker.spareMail.pop() != nil { own += 1 }
      #expect(own == 2)
      var others = 0
      while worker.takeSpareMail() != nil { others += 1 }
      #expect(others == SpareMail.limit)
    }
  }

  @Test("keeps no more than it may: what comes then is let go of, and nothing hands over nothing")
  func tooMuch() async throws {
    try await withProcess(on: node) { context in
      let core = context.core
      let worker = try #require(node.currentWorker?.takeUnretainedValue())
      while worker.takeSpareMail() != nil {}
      let most = SpareMail.limit * (SpareMailDepot.limit + 1)
      let ended = Count()
      var mail: [Mail] = []
      for _ in 0..<most + 10 { mail.append(core.makeMail(.message, Thing(ended), context: nil)) }
      while let last = mail.popLast() { core.recycle(consume last, as: Thing.self) }
      #expect(ended.value == most + 10)
      var kept = 0
      while worker.takeSpareMail() != nil { kept += 1 }
      #expect(kept == most)
    }
  }

  @Test("a thread that is none of the node's makes its mail, and lets go of it")
  func otherThread() {
    let core = ProcessCore(node: node, parent: nil)
    let ended = Count()
    weak var known: Mail?
    do {
      let mail = core.makeMail(.cast, Thing(ended), context: nil)
      known = mail
      core.recycle(consume mail, as: Thing.self)
    }
    #expect(known == nil && ended.value == 1)
  }

  @Test("a value that sends messages as it is let go of disturbs nothing")
  func sendingInDeinit() async throws {
    try await withProcess(on: node) { context in
      let core = context.core
      for round in 0..<200 {
        let count = round % 5
        // Thought to be another, the value is let go of only when the mail is emptied.
        let mail = core.makeMail(.message, Farewell(context.pid, count: count), context: nil)
        core.recycle(consume mail, as: Int.self)
        for number in 0..<count {
          let next = try await context.receive(Int.self, timeout: .zero)
          #expect(next == number)
        }
      }
      #expect(context.mailbox.queued == 0)
    }
  }
}

/// Says so when it is let go of.
private final class Farewell: Named {
  let receiver: PID
  let count: Int
  init(_ receiver: PID, count: Int) {
    self.receiver = receiver
    self.count = count
  }
  var name: String { "farewell" }
  deinit { for number in 0..<count { receiver.send(number) } }
}
