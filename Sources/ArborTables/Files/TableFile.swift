// The file: eight bytes that say what it is, then records. A record is the length of its content
// (4 bytes), the checksum of length and content (4 bytes), and the content, a packed value. The
// first record is the header; one for each row follows; the last one is the footer, with the number of
// rows. Numbers have their lowest byte first. So every byte is under a checksum, a cut anywhere is
// seen, and where it broke can be told to the record.

/// What the file of a table says about it.
///
/// OTP: what `ets:tabfile_info/1` returns.
public struct TableFileInfo: Sendable, Codable, Equatable {
  public let name: String?
  public let kind: TableKindName
  public let access: TableAccess
  /// The types of the table's keys and values, as it was written.
  public let typeName: String
}

extension TableKindName: Codable {}
extension TableAccess: Codable {}

enum TableFile {
  static let magic = Array("ARBTAB\u{1}\n".utf8)

  struct Footer: Codable {
    var rowCount: Int
  }

  static func record(_ content: PackedValue) -> [UInt8] {
    var bytes: [UInt8] = [0, 0, 0, 0, 0, 0, 0, 0]
    content.append(to: &bytes)
    put(UInt32(bytes.count - 8), into: &bytes, at: 0)
    var checksum = Checksum()
    checksum.add(bytes[0..<4])
    checksum.add(bytes[8...])
    put(checksum.value, into: &bytes, at: 4)
    return bytes
  }

  private static func put(_ number: UInt32, into bytes: inout [UInt8], at offset: Int) {
    for byte in 0..<4 { bytes[offset + byte] = UInt8(truncatingIfNeeded: number >> (8 * byte)) }
  }

  /// A file's records, read and checked one after the other.
  struct Reader {
    let path: String
    private let bytes: [UInt8]
    private var offset = TableFile.magic.count
    /// How many row records have been read.
    private(set) var row = -1

    init(path: String) throws(TableFileError) {
      self.path = path
      bytes = try PosixFile.read(path)
      guard bytes.starts(with: TableFile.magic) else {
        if TableFile.magic.starts(with: bytes) {
          throw .damaged(path: path, offset: bytes.count, row: nil, "the file ends here")
        }
        throw .notATable(path: path)
      }
    }

    var isAtEnd: Bool { offset == bytes.count }

    func damage(_ what: String) -> TableFileError {
      .damaged(path: path, offset: offset, row: row < 0 ? nil : row, what)
    }

    /// The next record; the first is the header.
    mutating func next() throws(TableFileError) -> PackedValue {
      guard bytes.count - offset >= 8 else { throw damage("the file ends inside a record") }
      let length = Int(number(at: offset))
      guard bytes.count - offset - 8 >= length else {
        throw damage("the file ends inside a record, or the record's length is altered")
      }
      let content = bytes[(offset + 8)..<(offset + 8 + length)]
      var checksum = Checksum()
      checksum.add(bytes[offset..<(offset + 4)])
      checksum.add(content)
      guard checksum.value == number(at: offset + 4) else {
        throw damage("the record does not fit its checksum")
      }
      var reader = PackedReader(content)
      guard let value = try? reader.read(), reader.isAtEnd else {
        throw damage("the record is not readable")
      }
      offset += 8 + length
      row += 1
      return value
    }

    private func number(at offset: Int) -> UInt32 {
      (0..<4).reduce(0) { $0 | UInt32(bytes[offset + $1]) << (8 * UInt32($1)) }
    }
  }
}
