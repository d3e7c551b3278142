/// Why a table could not be written to a file or read from one.
public enum TableFileError: Error, Sendable, Equatable {
  /// The system refused a call on the path, with this `errno`.
  case system(String, path: String, code: Int32)
  /// The file is no table file, or of a later format.
  case notATable(path: String)
  /// The file is cut off or altered.
  ///
  /// `offset` is the byte at which the damaged part begins, `row` the number of the row that it is,
  /// from 0; nil if it is none.
  case damaged(path: String, offset: Int, row: Int?, String)
  /// The file's table is of another kind than was asked for.
  case wrongKind(path: String, found: TableKindName)
  /// A row of the file does not fit the types that were asked for.
  case wrongType(path: String, row: Int, String)
}

extension TableFileError: CustomStringConvertible {
  public var description: String {
    switch self {
    case .system(let call, let path, let code):
      "\(call) of \(path) failed with errno \(code): \(PosixFile.message(of: code))"
    case .notATable(let path): "\(path) is no table file of this version"
    case .damaged(let path, let offset, let row, let what):
      "\(path) is damaged at byte \(offset)\(row.map { ", row \($0)" } ?? ""): \(what)"
    case .wrongKind(let path, let found): "\(path) holds a \(found.rawValue)"
    case .wrongType(let path, let row, let what):
      "row \(row) of \(path) has other types than were asked for: \(what)"
    }
  }
}
