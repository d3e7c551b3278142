/// Why an entry was not put into a ``TraceState`` or a ``Baggage``; nothing was changed then.
public enum PropagationError: Error, Hashable, Sendable {
  /// The key is empty, too long, or has characters that the header's grammar does not allow.
  case invalidKey(String)
  /// The value is too long, or has characters that the header's grammar does not allow. In baggage any
  /// value can stand.
  case invalidValue(String)
  /// There are as many entries as the header may have.
  case tooMany(limit: Int)
  /// The header would be longer than it may be.
  case tooLong(limit: Int)
}

extension PropagationError: CustomStringConvertible {
  public var description: String {
    switch self {
    case .invalidKey(let key): "\"\(key)\" cannot be a key there"
    case .invalidValue(let value): "\"\(value)\" cannot be a value there"
    case .tooMany(let limit): "there are \(limit) entries already, and no more are allowed"
    case .tooLong(let limit): "the header would be longer than \(limit) bytes"
    }
  }
}
