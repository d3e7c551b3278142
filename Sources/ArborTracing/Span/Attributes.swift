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
  private var entries: [Entry] = []

  private struct Entry: Sendable, Hashable {
    let name: String
    var value: AttributeValue
  }

  public init() {}

  public var isEmpty: Bool { entries.isEmpty }
  public var count: Int { entries.count }

  /// The value of an attribute; nil removes it.
  public subscript(name: String) -> AttributeValue? {
    get { entries.first { $0.name == name }?.value }
    set {
      let index = entries.firstIndex { $0.name == name }
      switch (index, newValue) {
      case (let index?, let value?): entries[index].value = value
      case (let index?, nil): entries.remove(at: index)
      case (nil, let value?): entries.append(Entry(name: name, value: value))
      case (nil, nil): break
      }
    }
  }

  /// Keeps the first so many.
  mutating func cut(to count: Int) { entries = Array(entries.prefix(Swift.max(count, 0))) }

  /// Takes over other attributes, whose values replace those of the same name.
  public mutating func merge(_ other: Attributes) {
    for entry in other.entries { self[entry.name] = entry.value }
  }
}

extension Attributes: ExpressibleByDictionaryLiteral {
  public init(dictionaryLiteral elements: (String, any AttributeConvertible)...) {
    entries.reserveCapacity(elements.count)
    for (name, value) in elements { self[name] = value.attributeValue }
  }
}

extension Attributes: Sequence {
  public func makeIterator() -> some IteratorProtocol<(name: String, value: AttributeValue)> {
    entries.lazy.map { (name: $0.name, value: $0.value) }.makeIterator()
  }
}

extension Attributes: CustomStringConvertible {
  public var description: String {
    "[" + entries.map { "\($0.name): \($0.value)" }.joined(separator: ", ") + "]"
  }
}
