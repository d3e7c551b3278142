/// What an event carries: values by name, in the order in which they were set.
///
///     let measurements: TelemetryValues = ["duration": 1_500, "count": 2]
///     let duration = measurements["duration", as: Int.self]
///
/// An event has two of these, its measurements (numbers that can be added up) and its metadata
/// (everything else). Meant for a handful of values: a name is searched from end to end.
///
/// OTP: the maps `event_measurements()` and `event_metadata()` of Elixir's `:telemetry`.
public struct TelemetryValues: Sendable {
  @usableFromInline package var entries: [Element]

  /// No values.
  public init() { entries = [] }

  /// The value of that name, as it was set; nil if there is none. Setting nil removes it.
  public subscript(name: String) -> (any Sendable)? {
    get { entries.first { $0.name == name }?.value }
    set {
      switch (entries.firstIndex { $0.name == name }, newValue) {
      case (let index?, let value?): entries[index].value = value
      case (let index?, nil): entries.remove(at: index)
      case (nil, let value?): entries.append((name, value))
      case (nil, nil): break
      }
    }
  }

  /// The value of that name if it is of that type; nil if there is none or it is of another.
  public subscript<Value>(name: String, as type: Value.Type) -> Value? {
    self[name] as? Value
  }

  /// The names, in order.
  public var names: [String] { entries.map(\.name) }

  /// Sets every value of `other` here; of two by one name the other's wins and takes the old place.
  public mutating func merge(_ other: TelemetryValues) {
    for (name, value) in other { self[name] = value }
  }

  /// These values and those of `other`; of two by one name the other's wins and takes the old place.
  public func merging(_ other: TelemetryValues) -> TelemetryValues {
    var merged = self
    merged.merge(other)
    return merged
  }
}

extension TelemetryValues: ExpressibleByDictionaryLiteral {
  /// The values of a literal; of two by one name the last wins.
  public init(dictionaryLiteral elements: (String, any Sendable)...) {
    entries = []
    entries.reserveCapacity(elements.count)
    for (name, value) in elements { self[name] = value }
  }
}

extension TelemetryValues: RandomAccessCollection {
  public typealias Element = (name: String, value: any Sendable)

  public var startIndex: Int { 0 }
  public var endIndex: Int { entries.count }
  public subscript(position: Int) -> Element { entries[position] }
}

extension TelemetryValues: CustomStringConvertible {
  /// `[duration: 1500, count: 2]`
  public var description: String {
    isEmpty ? "[:]" : "[" + map { "\($0.name): \($0.value)" }.joined(separator: ", ") + "]"
  }
}
