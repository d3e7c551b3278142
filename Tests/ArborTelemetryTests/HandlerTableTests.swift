import ArborTelemetry
import Testing

/// The machine by itself: no lock, no thread.
@Suite struct HandlerTableTests {
  private func handler(_ id: String, _ events: TelemetryEvent...) -> AttachedHandler {
    AttachedHandler(id: id, events: events) { _, _, _ in }
  }

  @Test("an id is taken until its handler is detached")
  func takenID() {
    var table = HandlerTable()
    let results = [
      table.attach(handler("a", .first)), table.attach(handler("a", .second)),
    ]
    #expect(results == [true, false])
    #expect(table.handlers(to: .second).isEmpty)
    let detached = [table.detach(id: "a")?.id, table.detach(id: "a")?.id]
    #expect(detached == ["a", nil])
    let again = table.attach(handler("a", .second))
    #expect(again)
  }

  @Test("detaching by identity leaves the successor alone")
  func detachByIdentity() {
    var table = HandlerTable()
    let (old, new) = (handler("a", .first), handler("a", .first))
    _ = table.attach(old)
    _ = table.detach(id: "a")
    _ = table.attach(new)
    let tooLate = table.detach(old)
    #expect(tooLate == nil)
    #expect(table.handlers(to: .first).map(\.id) == ["a"])
    let removed = table.detach(new)
    #expect(removed === new)
    #expect(table.handlers(to: .first).isEmpty)
  }

  @Test("the filter is the union of the attached events' bits")
  func filter() {
    let bits = (
      first: TelemetryEvent.first.filterBit, second: TelemetryEvent.second.filterBit,
      third: TelemetryEvent.third.filterBit
    )
    var table = HandlerTable()
    #expect(table.filter == 0)
    _ = table.attach(handler("a", .first, .second))
    _ = table.attach(handler("b", .second, .third))
    #expect(table.filter == bits.first | bits.second | bits.third)
    _ = table.detach(id: "a")
    #expect(table.filter == bits.second | bits.third)
    let removed = table.detachAll()
    #expect(removed.map(\.id) == ["b"])
    #expect(table.filter == 0)
  }

  @Test("a handler is found by exactly its event, and listed by every beginning of it")
  func exactEvents() {
    var table = HandlerTable()
    _ = table.attach(handler("a", .test))
    #expect(table.handlers(to: .test).map(\.id) == ["a"])
    #expect(table.handlers(to: TelemetryEvent("a", "test")).isEmpty)
    #expect(table.handlers(to: TelemetryEvent("a", "test", "event", "more")).isEmpty)
    #expect(table.list(withPrefix: ["a", "test"]).map(\.event) == [.test])
    #expect(table.list(withPrefix: ["test"]).isEmpty)
  }

  @Test("a snapshot is not changed by what comes after")
  func snapshot() {
    var table = HandlerTable()
    _ = table.attach(handler("a", .first))
    let snapshot = table.handlers(to: .first)
    _ = table.attach(handler("b", .first))
    _ = table.detach(id: "a")
    #expect(snapshot.map(\.id) == ["a"])
    #expect(table.handlers(to: .first).map(\.id) == ["b"])
  }
}
