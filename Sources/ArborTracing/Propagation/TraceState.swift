/// What tracing systems tell their own kind further along a trace: a `tracestate`, an entry for each
/// system, the latest first.
///
///     var state = TraceState(header: "congo=t61rcWkgMzE")
///     try state?.set("rojo", to: "00f067aa0ba902b7")
///     print(state!)     // rojo=00f067aa0ba902b7,congo=t61rcWkgMzE
///
/// Data of the application belong into ``Baggage``.
///
/// W3C Trace Context, "tracestate". It is passed on in full, whatever its length.
public struct TraceState: Hashable, Sendable {
  public struct Entry: Hashable, Sendable {
    public let key: String
    public let value: String
  }

  /// The latest first. No key twice.
  public private(set) var entries: [Entry] = []

  /// How many entries there may be.
  public static let entryLimit = 32
  /// How long a key may be, and a value.
  static let textLimit = 256

  /// No entries.
  public init() {}

  public var isEmpty: Bool { entries.isEmpty }

  /// The value of a key; nil if there is none.
  public subscript(key: String) -> String? { entries.first { $0.key == key }?.value }

  /// Sets an entry, and puts it in front, as the standard has it of one that is changed. The last
  /// entry falls out if there are too many.
  ///
  /// - Throws: ``PropagationError``: `invalidKey` if it is not up to 256 of `a` to `z`, `0` to `9`, `_`, `-`, `*`,
  ///   `/`, `@`, the first a letter or digit; `invalidValue` if it is not up to 256 printable ASCII characters,
  ///   none of them a comma or an equals sign, the last no blank.
  public mutating func set(_ key: String, to value: String) throws(PropagationError) {
    guard Self.isKey(HeaderBytes(key)) else { throw .invalidKey(key) }
    guard Self.isValue(HeaderBytes(value)) else { throw .invalidValue(value) }
    remove(key)
    entries.insert(Entry(key: key, value: value), at: 0)
    if entries.count > Self.entryLimit { entries.removeLast() }
  }

  /// Removes an entry. Leave those of others alone: it breaks their traces.
  public mutating func remove(_ key: String) { entries.removeAll { $0.key == key } }
}

extension TraceState: CustomStringConvertible {
  /// Reads a `tracestate`; several are joined by commas first.
  ///
  /// - Returns: nil if anything in it is not as the standard has it, or there are more than 32 entries.
  ///   Of two entries of one key the first, which is the later one, counts.
  public init?(header: String) {
    var count = 0
    for part in HeaderBytes(header).parts(at: .comma) {
      // Blanks before a member are not its own. Those before a value are, those behind it not.
      let member = part.trimmed
      if member.isEmpty { continue }
      count += 1
      guard count <= Self.entryLimit, let (key, value) = member.cut(at: .equals), Self.isKey(key),
        Self.isValue(value)
      else { return nil }
      if self[key.text] == nil { entries.append(Entry(key: key.text, value: value.text)) }
    }
  }

  /// The `tracestate` to send; empty if there are no entries.
  public var description: String {
    entries.map { "\($0.key)=\($0.value)" }.joined(separator: ",")
  }

  private static func isKey(_ bytes: HeaderBytes) -> Bool {
    guard let first = bytes.first, first.isLowercaseLetter || first.isDigit,
      bytes.count <= textLimit
    else { return false }
    return bytes.allSatisfy { $0.isLowercaseLetter || $0.isDigit || "_-*/@".utf8.contains($0) }
  }

  private static func isValue(_ bytes: HeaderBytes) -> Bool {
    guard let last = bytes.last, last != UInt8(ascii: " "), bytes.count <= textLimit else {
      return false
    }
    return bytes.allSatisfy { (0x20...0x7e).contains($0) && $0 != .comma && $0 != .equals }
  }
}
