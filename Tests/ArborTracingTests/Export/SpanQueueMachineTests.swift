import Testing

@testable import ArborTracing

@Suite struct SpanQueueMachineTests {
  private func span(_ number: UInt64) -> TraceSpan {
    TraceSpan(
      id: SpanID(number), traceID: TraceID(high: 1, low: 1), parentID: nil, name: "\(number)",
      processID: 1, startTime: 0)
  }

  @Test("the first span wakes the timer, a whole batch the export, one too many nobody")
  func wakes() {
    var machine = SpanQueueMachine(capacity: 5, batchSize: 3)
    #expect(
      (1...6).map { machine.append(span($0)) } == [
        .first, .nobody, .batch, .nobody, .nobody, .nobody,
      ])
    #expect(machine.statistics.queued == 5 && machine.statistics.dropped == 1 && machine.taken == 5)
    #expect(machine.hasBatch)
    #expect(machine.takeBatch().map(\.name) == ["1", "2", "3"])
    #expect(machine.statistics.exporting == 3 && !machine.hasBatch && machine.settled == 0)
    machine.finish(hasFailed: false)
    #expect(machine.takeBatch().map(\.name) == ["4", "5"] && machine.isEmpty)
    machine.finish(hasFailed: true)
    #expect(machine.statistics.exported == 3 && machine.statistics.failed == 2)
    #expect(machine.takeBatch().isEmpty && machine.settled == 5 && machine.statistics.ended == 6)
    #expect(machine.append(span(7)) == .first)
  }

  @Test("a batch of one is a batch")
  func one() {
    var machine = SpanQueueMachine(capacity: 1, batchSize: 1)
    #expect(machine.append(span(1)) == .batch && machine.append(span(2)) == .nobody)
  }

  @Test("whatever comes in which order, each span leaves once, in order")
  func order() {
    var random = SystemRandomNumberGenerator()
    var machine = SpanQueueMachine(capacity: 40, batchSize: 7)
    var (accepted, left): ([String], [String]) = ([], [])
    for number in 1...2_000 as ClosedRange<UInt64> {
      let before = machine.statistics.dropped
      _ = machine.append(span(number))
      if machine.statistics.dropped == before { accepted.append("\(number)") }
      if Int.random(in: 0..<8, using: &random) == 0 {
        left += machine.takeBatch().map(\.name)
        machine.finish(hasFailed: false)
      }
      #expect(machine.statistics.ended == Int(number))
    }
    while !machine.isEmpty { left += machine.takeBatch().map(\.name) }
    #expect(left == accepted)
  }
}
