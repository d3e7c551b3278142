extension Baggage: CustomStringConvertible {
  /// Reads a `baggage`; several are joined by commas first.
  ///
  /// A member that is not as the standard has it is left out, as a whole, and so is one that finds no
  /// more room within the limits. Of two of one key the last counts.
  public init(header: String) {
    for part in HeaderBytes(header).parts(at: .comma) {
      let pieces = part.parts(at: .semicolon)
      guard let first = pieces.first, let (key, value) = Self.pair(first), let value else {
        continue
      }
      var properties: [Property] = []
      for piece in pieces.dropFirst() {
        guard let (key, value) = Self.pair(piece) else { break }
        properties.append(Property(checked: key, value))
      }
      // One that is malformed makes its member so.
      guard properties.count == pieces.count - 1 else { continue }
      // Refused if it does not fit.
      try? set(key, to: value, properties: properties)
    }
  }

  /// The `baggage` to send; empty if there are no entries.
  public var description: String { entries.map(\.text).joined(separator: ",") }

  /// `key`, or `key = value`, decoded; nil if it is neither.
  private static func pair(_ bytes: HeaderBytes) -> (key: String, value: String?)? {
    guard let (key, value) = bytes.cut(at: .equals) else {
      let key = bytes.trimmed
      return isKey(key) ? (key.text, nil) : nil
    }
    let (name, text) = (key.trimmed, value.trimmed)
    guard isKey(name), text.allSatisfy(\.isBaggageOctet) else { return nil }
    return (name.text, text.percentDecoded)
  }

  /// A `token` of RFC 9110.
  static func isKey(_ bytes: HeaderBytes) -> Bool {
    !bytes.isEmpty
      && bytes.allSatisfy {
        $0.isLowercaseLetter || $0.isUppercaseLetter || $0.isDigit
          || "!#$%&'*+-.^_`|~".utf8.contains($0)
      }
  }
}

extension Baggage.Entry {
  fileprivate var text: String {
    var text = "\(key)=\(value.percentEncoded)"
    for property in properties {
      text += ";\(property.key)"
      if let value = property.value { text += "=\(value.percentEncoded)" }
    }
    return text
  }

  /// The bytes that it takes in a header.
  var length: Int {
    properties.reduce(key.utf8.count + 1 + value.percentEncodedLength) { length, property in
      length + 1 + property.key.utf8.count
        + (property.value.map { 1 + $0.percentEncodedLength } ?? 0)
    }
  }
}

extension UInt8 {
  /// What may stand in a value: printable ASCII but blank, `"`, comma, semicolon and backslash.
  fileprivate var isBaggageOctet: Bool {
    switch self {
    case 0x21, 0x23...0x2b, 0x2d...0x3a, 0x3c...0x5b, 0x5d...0x7e: true
    default: false
    }
  }

  fileprivate var standsForItself: Bool { isBaggageOctet && self != .percent }
}

extension String {
  fileprivate var percentEncoded: String {
    if utf8.allSatisfy(\.standsForItself) { return self }
    var bytes: [UInt8] = []
    for byte in utf8 {
      if byte.standsForItself {
        bytes.append(byte)
      } else {
        bytes.append(.percent)
        for digit in [byte >> 4, byte & 15] {
          bytes.append(digit < 10 ? UInt8(ascii: "0") + digit : UInt8(ascii: "A") + digit - 10)
        }
      }
    }
    return String(decoding: bytes, as: UTF8.self)
  }

  fileprivate var percentEncodedLength: Int {
    utf8.reduce(0) { $0 + ($1.standsForItself ? 1 : 3) }
  }
}

extension HeaderBytes {
  /// With `%41` as `A`. What is no UTF-8 becomes U+FFFD; a `%` without two digits stands for itself.
  fileprivate var percentDecoded: String {
    guard contains(.percent) else { return text }
    var bytes: [UInt8] = []
    var rest = self
    while let byte = rest.popFirst() {
      if byte == .percent, rest.count >= 2,
        let high = rest[rest.startIndex].hexadecimalDigit,
        let low = rest[rest.startIndex + 1].hexadecimalDigit
      {
        bytes.append(high << 4 | low)
        rest.removeFirst(2)
      } else {
        bytes.append(byte)
      }
    }
    return String(decoding: bytes, as: UTF8.self)
  }
}
