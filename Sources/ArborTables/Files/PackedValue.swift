/// What an encoded value is made of: the tree between `Codable` and the bytes.
enum PackedValue: Sendable, Equatable {
  case null
  case bool(Bool)
  case signed(Int64)
  case unsigned(UInt64)
  case float(Float)
  case double(Double)
  case string(String)
  case list([PackedValue])
  case record([Field])

  struct Field: Sendable, Equatable {
    var name: String
    var value: PackedValue
  }

  fileprivate enum Tag: UInt8 {
    case null
    case no
    case yes
    case signed
    case unsigned
    case float
    case double
    case string
    case list
    case record
  }
}

// MARK: To bytes

extension PackedValue {
  func append(to bytes: inout [UInt8]) {
    func tag(_ tag: Tag) { bytes.append(tag.rawValue) }
    switch self {
    case .null: tag(.null)
    case .bool(let value): tag(value ? .yes : .no)
    case .signed(let value):
      tag(.signed)
      // Zigzag: small numbers of either sign are short.
      Self.append(UInt64(bitPattern: value << 1 ^ value >> 63), to: &bytes)
    case .unsigned(let value):
      tag(.unsigned)
      Self.append(value, to: &bytes)
    case .float(let value):
      tag(.float)
      withUnsafeBytes(of: value.bitPattern.littleEndian) { bytes.append(contentsOf: $0) }
    case .double(let value):
      tag(.double)
      withUnsafeBytes(of: value.bitPattern.littleEndian) { bytes.append(contentsOf: $0) }
    case .string(let value):
      tag(.string)
      Self.append(value, to: &bytes)
    case .list(let values):
      tag(.list)
      Self.append(UInt64(values.count), to: &bytes)
      for value in values { value.append(to: &bytes) }
    case .record(let fields):
      tag(.record)
      Self.append(UInt64(fields.count), to: &bytes)
      for field in fields {
        Self.append(field.name, to: &bytes)
        field.value.append(to: &bytes)
      }
    }
  }

  /// Seven bits to a byte, the lowest first.
  private static func append(_ number: UInt64, to bytes: inout [UInt8]) {
    var rest = number
    while rest >= 0x80 {
      bytes.append(UInt8(truncatingIfNeeded: rest) | 0x80)
      rest >>= 7
    }
    bytes.append(UInt8(rest))
  }

  private static func append(_ text: String, to bytes: inout [UInt8]) {
    append(UInt64(text.utf8.count), to: &bytes)
    bytes.append(contentsOf: text.utf8)
  }
}

// MARK: From bytes

/// The bytes are no packed value.
struct UnreadablePackedValue: Error {}

/// Reads packed values one after the other. Never reads beyond its bytes, whatever is in them.
struct PackedReader {
  private let bytes: ArraySlice<UInt8>
  private var position: Int

  /// How deep values may be nested: far more than any type is, far less than the stack is.
  private static let maxDepth = 200

  init(_ bytes: ArraySlice<UInt8>) {
    self.bytes = bytes
    position = bytes.startIndex
  }

  var isAtEnd: Bool { position == bytes.endIndex }

  mutating func read(depth: Int = 0) throws(UnreadablePackedValue) -> PackedValue {
    guard depth < Self.maxDepth, let tag = PackedValue.Tag(rawValue: try byte()) else {
      throw UnreadablePackedValue()
    }
    switch tag {
    case .null: return .null
    case .no: return .bool(false)
    case .yes: return .bool(true)
    case .signed:
      let number = try number()
      return .signed(Int64(bitPattern: number >> 1) ^ -Int64(bitPattern: number & 1))
    case .unsigned: return .unsigned(try number())
    case .float: return .float(Float(bitPattern: try fixed(UInt32.self)))
    case .double: return .double(Double(bitPattern: try fixed(UInt64.self)))
    case .string: return .string(try text())
    case .list:
      var values: [PackedValue] = []
      for _ in 0..<(try count()) { values.append(try read(depth: depth + 1)) }
      return .list(values)
    case .record:
      var fields: [PackedValue.Field] = []
      for _ in 0..<(try count()) {
        let name = try text()
        fields.append(PackedValue.Field(name: name, value: try read(depth: depth + 1)))
      }
      return .record(fields)
    }
  }

  private mutating func byte() throws(UnreadablePackedValue) -> UInt8 {
    guard position < bytes.endIndex else { throw UnreadablePackedValue() }
    defer { position += 1 }
    return bytes[position]
  }

  private mutating func number() throws(UnreadablePackedValue) -> UInt64 {
    var number: UInt64 = 0
    for shift in stride(from: UInt64(0), to: 64, by: 7) {
      let byte = try byte()
      number |= UInt64(byte & 0x7F) << shift
      if byte < 0x80 { return number }
    }
    throw UnreadablePackedValue()
  }

  private mutating func fixed<Number: FixedWidthInteger>(
    _: Number.Type
  ) throws(UnreadablePackedValue) -> Number {
    var number: Number = 0
    for shift in stride(from: 0, to: Number.bitWidth, by: 8) {
      number |= Number(truncatingIfNeeded: try byte()) << shift
    }
    return number
  }

  /// A count of things that take at least a byte each.
  private mutating func count() throws(UnreadablePackedValue) -> Int {
    let count = try number()
    guard count <= UInt64(bytes.endIndex - position) else { throw UnreadablePackedValue() }
    return Int(count)
  }

  private mutating func text() throws(UnreadablePackedValue) -> String {
    let length = try count()
    let end = position + length
    guard let text = String(validating: bytes[position..<end], as: UTF8.self) else {
      throw UnreadablePackedValue()
    }
    position = end
    return text
  }
}
