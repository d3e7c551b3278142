// W3C Trace Context, "traceparent":
//
//     00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01
//     version, trace id, id of the parent span, flags; 55 characters

extension TraceContext.Parent {
  /// Reads a `traceparent`.
  ///
  ///     let parent = TraceContext.Parent(
  ///       traceparent: "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01")
  ///
  /// Of a version that is not known yet, what stands behind the flags is skipped; the result is as
  /// if it had been version 00.
  ///
  /// - Returns: nil if it is not exactly as the standard has it.
  public init?(traceparent: String) {
    let bytes = HeaderBytes(traceparent).trimmed
    guard bytes.count >= 55 else { return nil }
    func field(_ offset: Int, _ length: Int) -> HeaderBytes {
      bytes[(bytes.startIndex + offset)..<(bytes.startIndex + offset + length)]
    }
    for dash in [2, 35, 52] where bytes[bytes.startIndex + dash] != .dash { return nil }
    guard let version = field(0, 2).lowercaseHexadecimal, version != 0xff,
      let high = field(3, 16).lowercaseHexadecimal, let low = field(19, 16).lowercaseHexadecimal,
      let span = field(36, 16).lowercaseHexadecimal, let flags = field(53, 2).lowercaseHexadecimal
    else { return nil }
    if bytes.count > 55 {
      // Version 00 ends here. A later one may go on, behind another dash.
      guard version != 0, bytes[bytes.startIndex + 55] == .dash else { return nil }
    }
    self.init(
      traceID: TraceID(high: high, low: low), spanID: SpanID(span),
      flags: TraceFlags(rawValue: UInt8(flags)))
  }

  /// The `traceparent` to send, in version 00.
  public var traceparent: String {
    "00-\(traceID)-\(spanID)-0\(String(flags.intersection(.known).rawValue, radix: 16))"
  }
}

extension TraceID: LosslessStringConvertible {
  /// Reads what ``description`` writes.
  ///
  /// - Returns: nil if it is not 32 lower-case hexadecimal digits, or all are zero.
  public init?(_ description: String) {
    let bytes = HeaderBytes(description)
    guard bytes.count == 32, let high = bytes.prefix(16).lowercaseHexadecimal,
      let low = bytes.suffix(16).lowercaseHexadecimal, high != 0 || low != 0
    else { return nil }
    self.init(high: high, low: low)
  }
}

extension SpanID: LosslessStringConvertible {
  /// Reads what ``description`` writes.
  ///
  /// - Returns: nil if it is not 16 lower-case hexadecimal digits, or all are zero.
  public init?(_ description: String) {
    let bytes = HeaderBytes(description)
    guard bytes.count == 16, let bits = bytes.lowercaseHexadecimal, bits != 0 else { return nil }
    self.init(bits)
  }
}
