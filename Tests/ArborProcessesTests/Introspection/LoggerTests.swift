import Testing

@testable import ArborProcesses

/// What the node's own logger writes, and when.
@Suite struct LoggerTests {
  private let second: UInt64 = 1_000_000_000

  @Test(
    "a burst is cut after the limit, each second has its own, and what was left out is told once")
  func burst() {
    var meter = BurstMeter(limit: 2)
    func admit(_ time: UInt64) -> [Int] {
      let (isWritten, leftOut) = meter.admit(at: time)
      return [isWritten ? 1 : 0, leftOut]
    }
    #expect(admit(0) == [1, 0])
    #expect(admit(second - 1) == [1, 0])
    #expect(admit(second - 1) == [0, 0])
    #expect(admit(second - 1) == [0, 0])
    #expect(admit(second) == [1, 2])
    #expect(admit(second + 1) == [1, 0])
    #expect(admit(second + 2) == [0, 0])
    // A clock that was set back begins a second too.
    #expect(admit(second - 1) == [1, 1])
    #expect(admit(9 * second) == [1, 0])
  }

  @Test(
    "the time of a line is that of the calendar, leap days and ends of years included",
    arguments: [
      (0, "1970-01-01T00:00:00.000Z"),
      (951_782_399, "2000-02-28T23:59:59.000Z"), (951_782_400, "2000-02-29T00:00:00.000Z"),
      (951_868_800, "2000-03-01T00:00:00.000Z"), (1_078_012_800, "2004-02-29T00:00:00.000Z"),
      (1_677_628_799, "2023-02-28T23:59:59.000Z"), (1_677_628_800, "2023-03-01T00:00:00.000Z"),
      (1_704_067_199, "2023-12-31T23:59:59.000Z"), (1_704_067_200, "2024-01-01T00:00:00.000Z"),
      (1_735_689_599, "2024-12-31T23:59:59.000Z"), (4_107_542_400, "2100-03-01T00:00:00.000Z"),
      (13_574_563_199, "2400-02-28T23:59:59.000Z"), (13_574_563_200, "2400-02-29T00:00:00.000Z"),
    ])
  func calendar(seconds: UInt64, text: String) {
    #expect(timestamp(seconds * second) == text)
  }

  @Test("to a millisecond, cut and not rounded")
  func milliseconds() {
    #expect(timestamp(7_999_999) == "1970-01-01T00:00:00.007Z")
    #expect(timestamp(second + 120_000_000) == "1970-01-01T00:00:01.120Z")
  }

  @Test("every line of a record is behind its head")
  func lines() {
    let pid = spawn { _ in }
    let record = LogRecord(
      level: .error, time: 0, pid: pid, name: "counter", traceID: "4bf9", spanID: nil,
      message: "one\n\ntwo", report: nil)
    let head = "1970-01-01T00:00:00.000Z [error] \(pid) counter trace=4bf9 "
    #expect("\(record)" == "\(head)one\n\(head)\n\(head)two")
  }

  @Test("a level is known by its word, and nothing else")
  func levels() {
    for level in LogLevel.allCases { #expect(LogLevel(named: "\(level)") == level) }
    #expect(LogLevel(named: "off") == nil && LogLevel(named: "Error") == nil)
    #expect(LogLevel.allCases == LogLevel.allCases.sorted())
  }
}
