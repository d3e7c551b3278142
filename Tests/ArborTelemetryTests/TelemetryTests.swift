import ArborPrimitives
import ArborTelemetry
import Synchronization
import Testing

@Suite struct TelemetryTests {
  let telemetry = Telemetry()
  let log = Log()

  private func note(_ name: String) -> TelemetryHandler.Function {
    { [log] _, _, _ in log.append(name) }
  }

  @Test("handlers run in order of attachment, in the caller")
  func order() throws {
    for name in ["c", "a", "b"] { try telemetry.attach(name, to: .test, handler: note(name)) }
    telemetry.execute(.test)
    log.append("returned")
    #expect(log.lines == ["c", "a", "b", "returned"])
    #expect(telemetry.handlers().map(\.id) == ["c", "a", "b"])
  }

  @Test("measurements and metadata are made only for an event that has a handler, then once")
  func laziness() throws {
    let made = Atomic<Int>(0)
    func values() -> TelemetryValues {
      made.add(1, ordering: .relaxed)
      return ["n": 1]
    }
    telemetry.execute(.test, values(), values())
    #expect(made.load(ordering: .relaxed) == 0)
    // So many others that the event's filter bit is taken: what is left is the table.
    for number in 0..<500 {
      try telemetry.attach(
        "\(number)", to: TelemetryEvent("other", "\(number)"), handler: note("x"))
    }
    telemetry.execute(.test, values(), values())
    #expect(made.load(ordering: .relaxed) == 0)
    try telemetry.attach("one", to: .test, handler: note("one"))
    try telemetry.attach("two", to: .test, handler: note("two"))
    telemetry.execute(.test, values(), values())
    #expect(made.load(ordering: .relaxed) == 2)
    #expect(log.lines == ["one", "two"])
  }

  @Test("a failing handler leaves, its failure is told, the rest still run: in this order")
  func failureOrder() throws {
    try telemetry.attach("before", to: .test, handler: note("before"))
    try telemetry.attach("failing", to: [.first, .test], handler: failing)
    try telemetry.attach("after", to: .test, handler: note("after"))
    try telemetry.attach("failures", to: .handlerFailure) { [telemetry, log] _, _, metadata in
      let gone = telemetry.handlers().allSatisfy { $0.id != "failing" }
      log.append("\(metadata["handler_id"] ?? "?") failed, gone: \(gone)")
    }
    telemetry.execute(.test)
    #expect(log.lines == ["before", "failing failed, gone: true", "after"])
  }

  @Test("a handler of the failure event that fails leaves too, and nothing goes round in circles")
  func failingFailureHandler() throws {
    try telemetry.attach("failing", to: .test, handler: failing)
    for name in ["one", "two"] {
      try telemetry.attach(name, to: .handlerFailure) { [log] _, _, metadata in
        log.append("\(name) hears of \(metadata["handler_id"] ?? "?")")
        throw Refusal.gotEvent
      }
    }
    telemetry.execute(.test)
    #expect(telemetry.handlers().isEmpty)
    #expect(
      log.lines == ["one hears of failing", "two hears of one", "two hears of failing"])
  }

  @Test("a failure does not take out another handler that got the id meanwhile")
  func failureOfAPredecessor() throws {
    let note = note("successor")
    try telemetry.attach("id", to: .test) { [telemetry] _, _, _ in
      telemetry.detach("id")
      try telemetry.attach("id", to: .test, handler: note)
      throw Refusal.gotEvent
    }
    telemetry.execute(.test)
    #expect(log.lines == [])
    telemetry.execute(.test)
    #expect(log.lines == ["successor"])
  }

  @Test("a handler may attach, detach and execute; it counts from the next execution on")
  func reentrancy() throws {
    let note = note("new")
    let last = self.note("last")
    try telemetry.attach("changer", to: .test) { [telemetry, log] _, _, _ in
      log.append("changer")
      try telemetry.attach("new", to: .test, handler: note)
      telemetry.detach("last")
      telemetry.detach("changer")
      log.append("inner")
      telemetry.execute(.test)
      log.append("outer")
    }
    try telemetry.attach("last", to: .test, handler: last)
    telemetry.execute(.test)
    #expect(log.lines == ["changer", "inner", "new", "outer", "last"])
  }

  @Test("an event named twice counts once; attached to none, the id stays free")
  func oddLists() throws {
    try telemetry.attach("id", to: [], handler: note("none"))
    #expect(!telemetry.detach("id"))
    try telemetry.attach("id", to: [.test, .first, .test], handler: note("twice"))
    telemetry.execute(.test)
    #expect(log.lines == ["twice"])
    #expect(telemetry.handlers().map(\.event) == [.test, .first])
  }

  @Test("hasHandlers tells the exact event")
  func hasHandlers() throws {
    #expect(!telemetry.hasHandlers(for: .test))
    try telemetry.attach("id", to: .test, handler: note("x"))
    #expect(telemetry.hasHandlers(for: .test))
    #expect(!telemetry.hasHandlers(for: TelemetryEvent("a", "test")))
    telemetry.detach("id")
    #expect(!telemetry.hasHandlers(for: .test))
  }

  @Test("what a handler captured is freed outside the lock, where it may use the bus")
  func freedOutsideTheLock() throws {
    final class Farewell: Sendable {
      let telemetry: Telemetry
      init(_ telemetry: Telemetry) { self.telemetry = telemetry }
      deinit { telemetry.execute(.second) }
    }
    try telemetry.attach("listener", to: .second, handler: note("freed"))
    func attach(_ id: String) throws {
      let farewell = Farewell(telemetry)
      try telemetry.attach(id, to: [.test, .first]) { _, _, _ in _ = farewell }
    }
    try attach("by detach")
    telemetry.detach("by detach")
    #expect(log.lines == ["freed"])
    try attach("refused once")
    #expect(throws: TelemetryError.self) { try attach("refused once") }
    #expect(log.lines == ["freed", "freed"])
    telemetry.detachAll()
    #expect(telemetry.handlers().isEmpty)
  }

  @Test("from many threads: an execution that begins after a detach returned does not call it")
  func threads() async throws {
    await withTaskGroup(of: Void.self) { group in
      for task in 0..<4 {
        group.addTask { [telemetry] in
          let calls = Atomic<Int>(0)
          for round in 0..<300 {
            try? telemetry.attach("\(task)", to: [.test, .first]) { _, _, _ in
              calls.add(1, ordering: .relaxed)
              if round % 3 == 0 { throw Refusal.gotEvent }
            }
            telemetry.execute(.first)
            #expect(calls.load(ordering: .relaxed) >= 1)
            telemetry.detach("\(task)")
            #expect(!telemetry.handlers().contains { $0.id == "\(task)" })
          }
        }
      }
    }
    #expect(telemetry.handlers().isEmpty)
    #expect(!telemetry.hasHandlers(for: .first))
  }
}
