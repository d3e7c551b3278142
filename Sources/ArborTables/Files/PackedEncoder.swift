/// Turns `Encodable` values into ``PackedValue``s.
struct PackedEncoder: Encoder {
  let codingPath: [any CodingKey]
  let userInfo: [CodingUserInfoKey: Any] = [:]
  private let target: Box

  /// Where a value is put while it is built; shared by the containers that build it.
  fileprivate final class Box {
    enum Content {
      case value(PackedValue)
      case list([Box])
      case record([(name: String, box: Box)])
    }
    var content: Content = .value(.null)
    /// Where each name of a record is.
    private var places: [String: Int] = [:]

    init() {}
    init(_ value: PackedValue) { content = .value(value) }

    var packed: PackedValue {
      switch content {
      case .value(let value): value
      case .list(let boxes): .list(boxes.map(\.packed))
      case .record(let fields):
        .record(fields.map { PackedValue.Field(name: $0.name, value: $0.box.packed) })
      }
    }

    func append(_ box: Box) {
      var boxes: [Box] = []
      if case .list(let some) = content { boxes = some }
      content = .value(.null)  // so that the list is appended to in place
      boxes.append(box)
      content = .list(boxes)
    }

    func set(_ name: String, to box: Box) {
      var fields: [(name: String, box: Box)] = []
      if case .record(let some) = content { fields = some }
      content = .value(.null)
      // As a dictionary has it, the last one counts.
      if let place = places[name] {
        fields[place].box = box
      } else {
        places[name] = fields.count
        fields.append((name, box))
      }
      content = .record(fields)
    }

    var count: Int { if case .list(let boxes) = content { boxes.count } else { 0 } }
  }

  private init(_ target: Box, path: [any CodingKey]) {
    self.target = target
    codingPath = path
  }

  static func pack(_ value: some Encodable) throws -> PackedValue {
    try box(value, path: []).packed
  }

  fileprivate static func box(_ value: some Encodable, path: [any CodingKey]) throws -> Box {
    if let leaf = leaf(value) { return Box(leaf) }
    let box = Box()
    try value.encode(to: PackedEncoder(box, path: path))
    return box
  }

  /// The types that need no container.
  private static func leaf(_ value: some Encodable) -> PackedValue? {
    switch value {
    case let value as Bool: .bool(value)
    case let value as String: .string(value)
    case let value as Double: .double(value)
    case let value as Float: .float(value)
    case let value as Int: .signed(Int64(value))
    case let value as Int8: .signed(Int64(value))
    case let value as Int16: .signed(Int64(value))
    case let value as Int32: .signed(Int64(value))
    case let value as Int64: .signed(value)
    case let value as UInt: .unsigned(UInt64(value))
    case let value as UInt8: .unsigned(UInt64(value))
    case let value as UInt16: .unsigned(UInt64(value))
    case let value as UInt32: .unsigned(UInt64(value))
    case let value as UInt64: .unsigned(value)
    case let value as Int128: words(UInt128(bitPattern: value))
    case let value as UInt128: words(value)
    default: nil
    }
  }

  /// The upper and the lower half.
  private static func words(_ value: UInt128) -> PackedValue {
    .list([
      .unsigned(UInt64(truncatingIfNeeded: value >> 64)),
      .unsigned(UInt64(truncatingIfNeeded: value)),
    ])
  }

  func container<Key: CodingKey>(keyedBy type: Key.Type) -> KeyedEncodingContainer<Key> {
    if case .record = target.content {} else { target.content = .record([]) }
    return KeyedEncodingContainer(Record<Key>(box: target, codingPath: codingPath))
  }

  func unkeyedContainer() -> any UnkeyedEncodingContainer {
    if case .list = target.content {} else { target.content = .list([]) }
    return List(box: target, codingPath: codingPath)
  }

  func singleValueContainer() -> any SingleValueEncodingContainer {
    Single(box: target, codingPath: codingPath)
  }
}

extension PackedEncoder {
  private struct Record<Key: CodingKey>: KeyedEncodingContainerProtocol {
    let box: Box
    let codingPath: [any CodingKey]

    mutating func encodeNil(forKey key: Key) { box.set(key.stringValue, to: Box(.null)) }

    mutating func encode(_ value: some Encodable, forKey key: Key) throws {
      box.set(key.stringValue, to: try PackedEncoder.box(value, path: codingPath + [key]))
    }

    // For the wide ones the protocol has implementations of its own, which refuse.
    mutating func encode(_ value: Int128, forKey key: Key) throws {
      box.set(key.stringValue, to: try PackedEncoder.box(value, path: codingPath))
    }
    mutating func encode(_ value: UInt128, forKey key: Key) throws {
      box.set(key.stringValue, to: try PackedEncoder.box(value, path: codingPath))
    }

    private func nested(_ key: any CodingKey) -> PackedEncoder {
      let inner = Box()
      box.set(key.stringValue, to: inner)
      return PackedEncoder(inner, path: codingPath + [key])
    }

    mutating func nestedContainer<Nested: CodingKey>(
      keyedBy type: Nested.Type, forKey key: Key
    ) -> KeyedEncodingContainer<Nested> { nested(key).container(keyedBy: type) }

    mutating func nestedUnkeyedContainer(forKey key: Key) -> any UnkeyedEncodingContainer {
      nested(key).unkeyedContainer()
    }

    mutating func superEncoder() -> any Encoder { nested(SuperKey()) }
    mutating func superEncoder(forKey key: Key) -> any Encoder { nested(key) }
  }

  private struct List: UnkeyedEncodingContainer {
    let box: Box
    let codingPath: [any CodingKey]
    var count: Int { box.count }

    mutating func encodeNil() { box.append(Box(.null)) }

    mutating func encode(_ value: some Encodable) throws {
      box.append(try PackedEncoder.box(value, path: codingPath))
    }

    mutating func encode(_ value: Int128) throws {
      box.append(try PackedEncoder.box(value, path: codingPath))
    }
    mutating func encode(_ value: UInt128) throws {
      box.append(try PackedEncoder.box(value, path: codingPath))
    }

    private func nested() -> PackedEncoder {
      let inner = Box()
      box.append(inner)
      return PackedEncoder(inner, path: codingPath)
    }

    mutating func nestedContainer<Nested: CodingKey>(
      keyedBy type: Nested.Type
    ) -> KeyedEncodingContainer<Nested> { nested().container(keyedBy: type) }

    mutating func nestedUnkeyedContainer() -> any UnkeyedEncodingContainer {
      nested().unkeyedContainer()
    }

    mutating func superEncoder() -> any Encoder { nested() }
  }

  private struct Single: SingleValueEncodingContainer {
    let box: Box
    let codingPath: [any CodingKey]

    mutating func encodeNil() { box.content = .value(.null) }

    mutating func encode(_ value: some Encodable) throws {
      box.content = try PackedEncoder.box(value, path: codingPath).content
    }
    mutating func encode(_ value: Int128) throws {
      box.content = try PackedEncoder.box(value, path: codingPath).content
    }
    mutating func encode(_ value: UInt128) throws {
      box.content = try PackedEncoder.box(value, path: codingPath).content
    }
  }
}

/// Where a class puts what its superclass encodes.
struct SuperKey: CodingKey {
  let stringValue = "super"
  let intValue: Int? = nil
  init() {}
  init?(stringValue: String) { if stringValue != "super" { return nil } }
  init?(intValue: Int) { nil }
}
