/// Turns ``PackedValue``s back into `Decodable` values.
struct PackedDecoder: Decoder {
  let value: PackedValue
  let codingPath: [any CodingKey]
  let userInfo: [CodingUserInfoKey: Any] = [:]

  static func unpack<Result: Decodable>(
    _ value: PackedValue, as type: Result.Type
  ) throws -> Result {
    try PackedDecoder(value: value, codingPath: []).decode(type)
  }

  func decode<Result: Decodable>(_ type: Result.Type) throws -> Result {
    let leaf: Any? =
      switch type {
      case is Bool.Type: if case .bool(let value) = value { value } else { nil }
      case is String.Type: if case .string(let value) = value { value } else { nil }
      case is Double.Type: if case .double(let value) = value { value } else { nil }
      case is Float.Type: if case .float(let value) = value { value } else { nil }
      case is Int128.Type: words.map { Int128(bitPattern: $0) }
      case is UInt128.Type: words
      case let type as any FixedWidthInteger.Type: integer(type)
      default: nil
      }
    // Unwrapped first: a nil of any type would pass for a `Result` that is optional.
    if let leaf, let leaf = leaf as? Result { return leaf }
    switch type {
    case is Bool.Type, is String.Type, is Double.Type, is Float.Type,
      is any FixedWidthInteger.Type:
      throw mismatch(type)
    default: return try type.init(from: self)
    }
  }

  private func integer(_ type: any FixedWidthInteger.Type) -> Any? {
    switch value {
    case .signed(let value): type.init(exactly: value)
    case .unsigned(let value): type.init(exactly: value)
    default: nil
    }
  }

  private var words: UInt128? {
    guard case .list(let words) = value, words.count == 2, case .unsigned(let upper) = words[0],
      case .unsigned(let lower) = words[1]
    else { return nil }
    return UInt128(upper) << 64 | UInt128(lower)
  }

  private func mismatch(_ type: Any.Type) -> DecodingError {
    .typeMismatch(
      type,
      DecodingError.Context(
        codingPath: codingPath, debugDescription: "there is \(value) instead of a \(type)"))
  }

  func container<Key: CodingKey>(keyedBy type: Key.Type) throws -> KeyedDecodingContainer<Key> {
    guard case .record(let fields) = value else { throw mismatch([String: PackedValue].self) }
    return KeyedDecodingContainer(Record<Key>(fields: fields, codingPath: codingPath))
  }

  func unkeyedContainer() throws -> any UnkeyedDecodingContainer {
    guard case .list(let values) = value else { throw mismatch([PackedValue].self) }
    return List(values: values, codingPath: codingPath)
  }

  func singleValueContainer() -> any SingleValueDecodingContainer { Single(decoder: self) }
}

extension PackedDecoder {
  private struct Record<Key: CodingKey>: KeyedDecodingContainerProtocol {
    let fields: [PackedValue.Field]
    let codingPath: [any CodingKey]
    /// Where each name is, once there are too many to search; empty before.
    let places: [String: Int]

    init(fields: [PackedValue.Field], codingPath: [any CodingKey]) {
      self.fields = fields
      self.codingPath = codingPath
      places =
        fields.count < 16
        ? [:]
        : Dictionary(
          zip(fields.map(\.name), fields.indices), uniquingKeysWith: { first, _ in first })
    }

    private func field(_ name: String) -> PackedValue.Field? {
      if places.isEmpty { return fields.first { $0.name == name } }
      return places[name].map { fields[$0] }
    }

    var allKeys: [Key] { fields.compactMap { Key(stringValue: $0.name) } }
    func contains(_ key: Key) -> Bool { field(key.stringValue) != nil }
    func decodeNil(forKey key: Key) throws -> Bool { try nested(key).value == .null }

    func decode<Result: Decodable>(_ type: Result.Type, forKey key: Key) throws -> Result {
      try nested(key).decode(type)
    }

    // For the wide ones the protocol has implementations of its own, which refuse.
    func decode(_ type: Int128.Type, forKey key: Key) throws -> Int128 {
      try nested(key).decode(type)
    }
    func decode(_ type: UInt128.Type, forKey key: Key) throws -> UInt128 {
      try nested(key).decode(type)
    }

    private func nested(_ key: any CodingKey) throws -> PackedDecoder {
      guard let field = field(key.stringValue) else {
        throw DecodingError.keyNotFound(
          key,
          DecodingError.Context(
            codingPath: codingPath, debugDescription: "there is no \(key.stringValue)"))
      }
      return PackedDecoder(value: field.value, codingPath: codingPath + [key])
    }

    func nestedContainer<Nested: CodingKey>(
      keyedBy type: Nested.Type, forKey key: Key
    ) throws -> KeyedDecodingContainer<Nested> { try nested(key).container(keyedBy: type) }

    func nestedUnkeyedContainer(forKey key: Key) throws -> any UnkeyedDecodingContainer {
      try nested(key).unkeyedContainer()
    }

    func superDecoder() throws -> any Decoder { try nested(SuperKey()) }
    func superDecoder(forKey key: Key) throws -> any Decoder { try nested(key) }
  }

  private struct List: UnkeyedDecodingContainer {
    let values: [PackedValue]
    let codingPath: [any CodingKey]
    var currentIndex = 0

    init(values: [PackedValue], codingPath: [any CodingKey]) {
      self.values = values
      self.codingPath = codingPath
    }

    var count: Int? { values.count }
    var isAtEnd: Bool { currentIndex == values.count }

    mutating func decodeNil() throws -> Bool {
      guard try current().value == .null else { return false }
      currentIndex += 1
      return true
    }

    mutating func decode<Result: Decodable>(_ type: Result.Type) throws -> Result {
      let result = try current().decode(type)
      currentIndex += 1
      return result
    }

    mutating func decode(_ type: Int128.Type) throws -> Int128 { try next().decode(type) }
    mutating func decode(_ type: UInt128.Type) throws -> UInt128 { try next().decode(type) }

    private func current() throws -> PackedDecoder {
      guard !isAtEnd else {
        throw DecodingError.valueNotFound(
          PackedValue.self,
          DecodingError.Context(
            codingPath: codingPath, debugDescription: "there are only \(values.count) values"))
      }
      return PackedDecoder(value: values[currentIndex], codingPath: codingPath)
    }

    private mutating func next() throws -> PackedDecoder {
      let next = try current()
      currentIndex += 1
      return next
    }

    mutating func nestedContainer<Nested: CodingKey>(
      keyedBy type: Nested.Type
    ) throws -> KeyedDecodingContainer<Nested> { try next().container(keyedBy: type) }

    mutating func nestedUnkeyedContainer() throws -> any UnkeyedDecodingContainer {
      try next().unkeyedContainer()
    }

    mutating func superDecoder() throws -> any Decoder { try next() }
  }

  private struct Single: SingleValueDecodingContainer {
    let decoder: PackedDecoder
    var codingPath: [any CodingKey] { decoder.codingPath }
    func decodeNil() -> Bool { decoder.value == .null }
    func decode<Result: Decodable>(_ type: Result.Type) throws -> Result {
      try decoder.decode(type)
    }
    func decode(_ type: Int128.Type) throws -> Int128 { try decoder.decode(type) }
    func decode(_ type: UInt128.Type) throws -> UInt128 { try decoder.decode(type) }
  }
}
