import ArborPrimitives

/// How much somebody should care.
public enum LogLevel: Int, Sendable, Comparable, CaseIterable, CustomStringConvertible {
  case debug, info, notice, warning, error

  /// Nil for a word that is no level's.
  init?(named word: String) {
    guard let level = Self.allCases.first(where: { $0.description == word }) else { return nil }
    self = level
  }

  public static func < (left: LogLevel, right: LogLevel) -> Bool { left.rawValue < right.rawValue }

  public var description: String {
    switch self {
    case .debug: "debug"
    case .info: "info"
    case .notice: "notice"
    case .warning: "warning"
    case .error: "error"
    }
  }
}

/// Something for people to read: who says it, in which trace, and what.
///
/// OTP: a log event of `logger`.
public struct LogRecord: Sendable {
  public let level: LogLevel
  /// Nanoseconds since 1970.
  public let time: UInt64
  public let pid: PID?
  /// The first name of the process.
  public let name: ProcessName?
  /// 32 hexadecimal digits, as W3C Trace Context has them; nil outside of every trace.
  public let traceID: String?
  /// 16 hexadecimal digits.
  public let spanID: String?
  public let message: String
  /// What the message tells of, for loggers that want more than text: a ``CrashReport``, or the `Info`
  /// that a server did not expect.
  public let report: (any Sendable)?
}

extension LogRecord: CustomStringConvertible {
  /// The message, each line of it behind when, how bad, who and in which trace:
  /// `2026-11-29T15:30:00.125Z [error] #PID<7> counter trace=4bf9… #PID<7> crashed: negative(-1)`
  public var description: String {
    var words = [timestamp(time), "[\(level)]"]
    if let pid { words.append("\(pid)") }
    if let name { words.append(name.text) }
    if let traceID { words.append("trace=\(traceID)") }
    let head = words.joined(separator: " ")
    return message.split(omittingEmptySubsequences: false, whereSeparator: \.isNewline)
      .map { "\(head) \($0)" }.joined(separator: "\n")
  }
}

/// Where a node's reports go: a node has one, ``Node/logger``.
///
///     struct Collector: NodeLogger {
///       func log(_ record: LogRecord) { … }
///     }
///     node.logger = Collector()
///
/// It is called by the process that the record is of, possibly by several at once; so it is quick, and
/// calls no server.
///
/// OTP: a handler of `logger`.
public protocol NodeLogger: Sendable {
  func log(_ record: LogRecord)
}

extension Node {
  /// Where reports of this node's processes go; nil drops them. At first it is a
  /// ``StandardErrorLogger``.
  public var logger: (any NodeLogger)? {
    get { loggerInUse.withLock { $0 } }
    set {
      let old = loggerInUse.withLock { logger in
        defer { logger = newValue }
        return logger
      }
      _ = old  // let go of here, without the lock
    }
  }

  /// Writes something for people to read.
  ///
  /// - Parameters:
  ///   - core: whom it is of.
  ///   - cursor: the trace it belongs to; that of the caller if not said.
  package func log(
    _ level: LogLevel, _ message: @autoclosure () -> String, of core: ProcessCore?,
    in cursor: TraceCursor? = nil, report: (any Sendable)? = nil
  ) {
    guard let logger else { return }
    var cursor = cursor ?? Ambient.current?.cursor
    if cursor?.isOutside == true { cursor = nil }
    logger.log(
      LogRecord(
        level: level, time: clock.wallTime(), pid: core?.pid,
        name: core?.machine.withLock { $0.names.first }, traceID: cursor?.traceText,
        spanID: cursor.map { hexadecimal($0.spanID) }, message: message(), report: report))
  }
}

extension TraceCursor {
  /// The id of the trace as 32 digits.
  package var traceText: String { hexadecimal(traceHigh) + hexadecimal(traceLow) }
}

/// 16 digits.
private func hexadecimal(_ word: UInt64) -> String {
  let digits = String(word, radix: 16)
  return String(repeating: "0", count: 16 - digits.count) + digits
}

/// A time since 1970 as RFC 3339 has it, in milliseconds.
func timestamp(_ nanoseconds: UInt64) -> String {
  func padded(_ number: UInt64, _ width: Int) -> String {
    let text = String(number)
    return String(repeating: "0", count: max(width - text.count, 0)) + text
  }
  let seconds = nanoseconds / 1_000_000_000
  // The civil calendar from a count of days: years begin in March, so that the leap day is the last.
  let days = seconds / 86_400 + 719_468
  let era = days / 146_097
  let dayOfEra = days % 146_097
  let yearOfEra = (dayOfEra - dayOfEra / 1460 + dayOfEra / 36_524 - dayOfEra / 146_096) / 365
  let dayOfYear = dayOfEra - (365 * yearOfEra + yearOfEra / 4 - yearOfEra / 100)
  let month = (5 * dayOfYear + 2) / 153
  let day = dayOfYear - (153 * month + 2) / 5 + 1
  let year = yearOfEra + era * 400 + (month >= 10 ? 1 : 0)
  let date =
    "\(padded(year, 4))-\(padded(month < 10 ? month + 3 : month - 9, 2))-\(padded(day, 2))"
  let time = [seconds / 3600 % 24, seconds / 60 % 60, seconds % 60].map { padded($0, 2) }
  return date + "T" + time.joined(separator: ":")
    + ".\(padded(nanoseconds / 1_000_000 % 1000, 3))Z"
}
