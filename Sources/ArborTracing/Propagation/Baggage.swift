/// What an application sends along a trace: names and values that every process and machine further
/// down can read.
///
///     try await Trace.withBaggage(["user": "ada"]) {
///       try await cart.call { .checkout($0) }       // in its handler Trace.baggage["user"] is "ada"
///     }
///
/// It goes to everybody, in the open: nothing that is secret belongs here, and nothing that comes
/// from outside is to be trusted.
///
/// W3C Baggage. There are at most 64 entries, and the header has at most 8192 bytes.
public struct Baggage: Hashable, Sendable {
  public struct Entry: Hashable, Sendable {
    public let key: String
    public let value: String
    /// What is said of the entry beside its value; the standard gives it no meaning.
    public let properties: [Property]
  }

  public struct Property: Hashable, Sendable {
    public let key: String
    /// Nil for one that is a key alone.
    public let value: String?

    /// - Throws: ``PropagationError/invalidKey(_:)``.
    public init(_ key: String, _ value: String? = nil) throws(PropagationError) {
      guard Baggage.isKey(HeaderBytes(key)) else { throw .invalidKey(key) }
      self.key = key
      self.value = value
    }

    init(checked key: String, _ value: String?) {
      self.key = key
      self.value = value
    }
  }

  /// In the order in which they were set. No key twice.
  public private(set) var entries: [Entry] = []
  /// The bytes of the header.
  private(set) var length = 0

  public static let entryLimit = 64
  public static let lengthLimit = 8192

  /// No entries.
  public init() {}

  public var isEmpty: Bool { entries.isEmpty }

  /// The value of a key; nil if there is none.
  public subscript(key: String) -> String? { entries.first { $0.key == key }?.value }

  /// Sets an entry, at the place of the one of that key if there is one.
  ///
  /// - Parameters:
  ///   - key: one or more ASCII letters, digits or `` !#$%&'*+-.^_`|~ ``.
  ///   - value: any text.
  ///   - properties: what is said of the entry beside its value.
  /// - Throws: ``PropagationError``: `invalidKey`; `tooMany` and `tooLong` if it does not fit.
  public mutating func set(
    _ key: String, to value: String, properties: [Property] = []
  ) throws(PropagationError) {
    guard Self.isKey(HeaderBytes(key)) else { throw .invalidKey(key) }
    let entry = Entry(key: key, value: value, properties: properties)
    guard let index = entries.firstIndex(where: { $0.key == key }) else {
      return try insert(entry, at: entries.count)
    }
    let changed = length - entries[index].length + entry.length
    guard changed <= Self.lengthLimit else { throw .tooLong(limit: Self.lengthLimit) }
    entries[index] = entry
    length = changed
  }

  /// Removes an entry, if there is one of that key.
  public mutating func remove(_ key: String) {
    guard let index = entries.firstIndex(where: { $0.key == key }) else { return }
    length -= entries[index].length + (entries.count > 1 ? 1 : 0)
    entries.remove(at: index)
  }

  /// Takes over other entries, whose values replace those of the same key. They have precedence: what
  /// was here and finds no more room falls out, the oldest first.
  ///
  /// - Returns: how many fell out.
  @discardableResult
  public mutating func merge(_ other: Baggage) -> Int {
    var merged = other
    var dropped = 0
    for entry in entries.reversed() where other[entry.key] == nil {
      do throws(PropagationError) {
        try merged.insert(entry, at: 0)
      } catch {
        dropped += 1
      }
    }
    self = merged
    return dropped
  }

  private mutating func insert(_ entry: Entry, at index: Int) throws(PropagationError) {
    guard entries.count < Self.entryLimit else { throw .tooMany(limit: Self.entryLimit) }
    let changed = length + entry.length + (isEmpty ? 0 : 1)
    guard changed <= Self.lengthLimit else { throw .tooLong(limit: Self.lengthLimit) }
    entries.insert(entry, at: index)
    length = changed
  }
}

extension Baggage: ExpressibleByDictionaryLiteral {
  /// The entries of a literal; of two of one key the last counts. A key that the standard does not
  /// allow, or more than fits, is a mistake in the program and stops it: what is only known at run
  /// time is for ``set(_:to:properties:)``.
  public init(dictionaryLiteral elements: (String, String)...) {
    for (key, value) in elements {
      do {
        try set(key, to: value)
      } catch {
        preconditionFailure("a literal of Baggage: \(error)")
      }
    }
  }
}
