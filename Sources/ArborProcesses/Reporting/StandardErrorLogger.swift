import ArborPrimitives

#if canImport(Glibc)
import Glibc
#elseif canImport(Musl)
import Musl
#elseif canImport(Darwin)
import Darwin
#endif

/// Writes each record as a line to standard error.
///
/// More than a hundred in one second are not written; how many is said afterwards. A thousand processes
/// that crash for one cause would else keep everybody waiting for a terminal.
///
/// OTP: `logger_std_h`, with its burst limit.
public final class StandardErrorLogger: NodeLogger {
  /// The one that nodes have at first. ARBOR_LOG in the environment is its level, or `off`: for tests,
  /// whose processes crash on purpose.
  public static let shared = StandardErrorLogger(
    minimumLevel: getenv("ARBOR_LOG").map { LogLevel(named: String(cString: $0)) } ?? .info)

  public let minimumLevel: LogLevel?
  private let meter = Lock(BurstMeter(limit: 100))

  /// - Parameter minimumLevel: what is below is not written; nil writes nothing.
  public init(minimumLevel: LogLevel? = .info) { self.minimumLevel = minimumLevel }

  public func log(_ record: LogRecord) {
    guard let minimumLevel, record.level >= minimumLevel else { return }
    let (isWritten, leftOut) = meter.withLock { $0.admit(at: record.time) }
    guard isWritten else { return }
    var lines = "\(record)\n"
    if leftOut > 0 {
      lines = "\(timestamp(record.time)) [warning] \(leftOut) lines left out\n" + lines
    }
    lines.withUTF8 { _ = write(2, $0.baseAddress, $0.count) }
  }
}

/// How many records may be written in each second. Pure.
struct BurstMeter: Sendable {
  let limit: Int
  private var second: UInt64 = 0
  private var written = 0
  private var leftOut = 0

  init(limit: Int) { self.limit = limit }

  /// - Parameter time: nanoseconds since 1970.
  /// - Returns: whether to write it, and how many were not written before it.
  mutating func admit(at time: UInt64) -> (isWritten: Bool, leftOut: Int) {
    if time / 1_000_000_000 != second {
      second = time / 1_000_000_000
      written = 0
    }
    guard written < limit else {
      leftOut += 1
      return (false, 0)
    }
    written += 1
    defer { leftOut = 0 }
    return (true, leftOut)
  }
}
