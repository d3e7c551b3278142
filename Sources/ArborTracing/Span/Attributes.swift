/// A value that an attribute may have.
public enum AttributeValue: Sendable, Hashable {
  case string(String)
  case int(Int)
  case double(Double)
  case bool(Bool)
  case strings([String])
  case ints([Int])
  case doubles([Double])
  case bools([Bool])
}

extension AttributeValue: CustomStringConvertible {
  public var description: String {
    switch self {
    case .string(let value): value
    case .int(let value): "\(value)"
    case .double(let value): "\(value)"
    case .bool(let value): "\(value)"
    case .strings(let values): "\(values)"
    case .ints(let values): "\(values)"
    case .doubles(let values): "\(values)"
    case .bools(let values): "\(values)"
    }
  }
}

/// A type whose values can stand as an attribute: `String`, `Int`, `Double`, `Bool`, arrays of these,
/// and what an extension adds.
public protocol AttributeConvertible: Sendable {
  var attributeValue: AttributeValue { get }
}

extension AttributeValue: AttributeConvertible {
  public var attributeValue: AttributeValue { self }
}
extension String: AttributeConvertible {
  public var attributeValue: AttributeValue { .string(self) }
}
extension Int: AttributeConvertible {
  public var attributeValue: AttributeValue { .int(self) }
}
extension Double: AttributeConvertible {
  public var attributeValue: AttributeValue { .double(self) }
}
extension Bool: AttributeConvertible {
  public var attributeValue: AttributeValue { .bool(self) }
}
extension Array: AttributeConvertible where Element: AttributeConvertible {
  /// An array of one type as that type's array; of several, as their descriptions.
  public var attributeValue: AttributeValue {
    if let values = self as? [String] { return .strings(values) }
    if let values = self as? [Int] { return .ints(values) }
    if let values = self as? [Double] { return .doubles(values) }
    if let values = self as? [Bool] { return .bools(values) }
    return .strings(map { $0.attributeValue.description })
  }
}

/// What is known about a span beside its name and times: names and values, in the order in which
/// they were set.
///
///     Trace.withSpan("checkout", ["cart": cart.count, "user": user.name]) { … }
public struct Attributes: Sendable, Hashable {
  // The first stands here and the others in an array: most spans have one, and make no array for it.
  @usableFromInline var first: Entry?
  @usableFromInline var others: [Entry] = []

  @usableFromInline
  struct Entry: Sendable, Hashable {
    @usableFromInline let name: String
    @usableFromInline var value: AttributeValue

    @usableFromInline
    init(name: String, value: AttributeValue) {
      self.name = name
      self.value = value
    }
  }

  @inlinable
  public init() {}

  public var isEmpty: Bool { if case nil = first { true } else { false } }
  public var count: Int { isEmpty ? 0 : 1 + others.count }

  /// The value of an attribute; nil removes it.
  public subscript(name: String) -> AttributeValue? {
    get {
      if let first, first.name == name { return first.value }
      return others.first { $0.name == name }?.value
    }
    set {
      if let newValue { set(name, to: newValue) } else { remove(name) }
    }
  }

  @usableFromInline
  mutating func set(_ name: consuming String, to value: consuming AttributeValue) {
    if isEmpty {
      first = Entry(name: name, value: value)
    } else if first?.name == name {
      first?.value = value
    } else if let index = others.firstIndex(where: { $0.name == name }) {
      others[index].value = value
    } else {
      others.append(Entry(name: name, value: value))
    }
  }

  /// - Parameter pair: not changed. But of one that could not be the compiler copies the whole to read a
  ///   part, by way of the runtime, which takes a tenth of a span's time.
  @usableFromInline
  mutating func set(_ pair: inout (String, any AttributeConvertible)) {
    set(pair.0, to: pair.1.attributeValue)
  }

  private mutating func remove(_ name: String) {
    if first?.name == name {
      first = others.isEmpty ? nil : others.removeFirst()
    } else {
      others.removeAll { $0.name == name }
    }
  }

  /// Keeps the first so many.
  mutating func cut(to count: Int) {
    if count < 1 {
      self = Attributes()
    } else if others.count > count - 1 {
      others.removeSubrange((count - 1)...)
    }
  }

  /// Takes over other attributes, whose values replace those of the same name.
  public mutating func merge(_ other: Attributes) {
    for (name, value) in other { set(name, to: value) }
  }
}

extension Attributes: ExpressibleByDictionaryLiteral {
  @inlinable
  public init(dictionaryLiteral elements: (String, any AttributeConvertible)...) {
    self.init()
    elements.withUnsafeBufferPointer { elements in
      let pairs = UnsafeMutableBufferPointer(mutating: elements)
      for index in pairs.indices { set(&pairs[index]) }
    }
  }
}

extension Attributes: Sequence {
  public struct Iterator: IteratorProtocol {
    fileprivate let attributes: Attributes
    fileprivate var index = 0

    public mutating func next() -> (name: String, value: AttributeValue)? {
      guard index < attributes.count else { return nil }
      defer { index += 1 }
      guard index > 0 else { return attributes.first.map { ($0.name, $0.value) } }
      let entry = attributes.others[index - 1]
      return (entry.name, entry.value)
    }
  }

  public func makeIterator() -> Iterator { Iterator(attributes: self) }
}

extension Attributes: CustomStringConvertible {
  public var description: String {
    "[" + map { "\($0.name): \($0.value)" }.joined(separator: ", ") + "]"
  }
}
