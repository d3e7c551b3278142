/// What the three W3C headers have in common: they are lists of ASCII, read byte by byte.
typealias HeaderBytes = ArraySlice<UInt8>

extension HeaderBytes {
  init(_ text: String) { self = Array(text.utf8)[...] }

  /// Without the blanks and tabs at both ends: the grammars' `OWS`.
  var trimmed: HeaderBytes {
    var rest = self
    while let byte = rest.first, byte.isBlank { rest.removeFirst() }
    while let byte = rest.last, byte.isBlank { rest.removeLast() }
    return rest
  }

  /// The parts between the separators, empty ones too.
  func parts(at separator: UInt8) -> [HeaderBytes] {
    split(separator: separator, omittingEmptySubsequences: false)
  }

  /// What is before the first such byte, and what is after it; nil if there is none.
  func cut(at separator: UInt8) -> (before: HeaderBytes, after: HeaderBytes)? {
    guard let index = firstIndex(of: separator) else { return nil }
    return (self[..<index], self[(index + 1)...])
  }

  /// As text. The bytes have been looked at: they are ASCII.
  var text: String { String(decoding: self, as: UTF8.self) }

  /// The number that all of these digits are; nil if one is not a lower-case hexadecimal digit, or
  /// there are more than 16.
  var lowercaseHexadecimal: UInt64? {
    guard !isEmpty, count <= 16 else { return nil }
    var number: UInt64 = 0
    for byte in self {
      guard let digit = byte.lowercaseHexadecimalDigit else { return nil }
      number = number << 4 | UInt64(digit)
    }
    return number
  }
}

extension UInt8 {
  static let comma = UInt8(ascii: ",")
  static let semicolon = UInt8(ascii: ";")
  static let equals = UInt8(ascii: "=")
  static let percent = UInt8(ascii: "%")
  static let dash = UInt8(ascii: "-")

  var isBlank: Bool { self == UInt8(ascii: " ") || self == UInt8(ascii: "\t") }
  var isLowercaseLetter: Bool { (UInt8(ascii: "a")...UInt8(ascii: "z")).contains(self) }
  var isUppercaseLetter: Bool { (UInt8(ascii: "A")...UInt8(ascii: "Z")).contains(self) }
  var isDigit: Bool { (UInt8(ascii: "0")...UInt8(ascii: "9")).contains(self) }

  var lowercaseHexadecimalDigit: UInt8? {
    switch self {
    case UInt8(ascii: "0")...UInt8(ascii: "9"): self - UInt8(ascii: "0")
    case UInt8(ascii: "a")...UInt8(ascii: "f"): self - UInt8(ascii: "a") + 10
    default: nil
    }
  }

  var hexadecimalDigit: UInt8? {
    (isUppercaseLetter ? self | 0x20 : self).lowercaseHexadecimalDigit
  }
}

extension String {
  /// Equal but for the case of ASCII letters, as the names of headers are.
  func isHeaderName(_ lowercase: String) -> Bool {
    utf8.count == lowercase.utf8.count
      && zip(utf8, lowercase.utf8).allSatisfy { ($0.isUppercaseLetter ? $0 | 0x20 : $0) == $1 }
  }
}
