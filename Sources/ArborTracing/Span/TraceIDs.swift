/// The 16 bytes that all spans of one trace share, as W3C Trace Context has them. Never all zero.
public struct TraceID: Hashable, Sendable {
  public let high: UInt64
  public let low: UInt64

  public init(high: UInt64, low: UInt64) {
    self.high = high
    self.low = low
  }
}

extension TraceID: CustomStringConvertible {
  /// 32 lower-case hexadecimal digits.
  public var description: String { high.hexadecimal + low.hexadecimal }
}

/// The 8 bytes that name one span, as W3C Trace Context has them. Never zero.
public struct SpanID: Hashable, Sendable {
  public let bits: UInt64
  public init(_ bits: UInt64) { self.bits = bits }
}

extension SpanID: CustomStringConvertible {
  /// 16 lower-case hexadecimal digits.
  public var description: String { bits.hexadecimal }
}

extension UInt64 {
  /// All 16 digits, leading zeros included.
  fileprivate var hexadecimal: String {
    let digits = String(self, radix: 16)
    return String(repeating: "0", count: 16 - digits.count) + digits
  }
}
