public import ArborProcesses

extension Table where Key: Codable, Value: Codable {
  /// Writes the table to a file, in place of one that is there.
  ///
  ///     try scores.save(to: "/var/lib/game/scores.table")
  ///     …
  ///     let scores = try Table<String, Int>.load(from: "/var/lib/game/scores.table", as: .set)
  ///
  /// The file is written beside the old one and takes its place when it is whole and on the disk, so
  /// that a crash leaves the one or the other. Every row that is there throughout is in it; rows
  /// that are written meanwhile are or are not.
  ///
  /// - Throws: ``TableFileError``; ``TableError`` if the caller may not read the table; what a row's
  ///   own `encode(to:)` throws. Then the old file is as it was.
  ///
  /// OTP: `ets:tab2file/3`, with its checksum.
  public func save(to path: String) throws {
    try checkMayRead()
    let suffix = "\(String(node.nextRandom(), radix: 36)).tmp"
    try PosixFile.replace(path, suffix: suffix) { write in
      var buffer = TableFile.magic
      func add(_ value: PackedValue) throws {
        buffer += TableFile.record(value)
        guard buffer.count >= 1 << 16 else { return }
        try write(buffer[...])
        buffer.removeAll(keepingCapacity: true)
      }
      let info = TableFileInfo(
        name: name, kind: kind.name, access: access, typeName: typeName)
      try add(PackedEncoder.pack(info))
      var rowCount = 0
      try visit { key, value in
        try add(.list([PackedEncoder.pack(key), PackedEncoder.pack(value)]))
        rowCount += 1
      }
      try add(PackedEncoder.pack(TableFile.Footer(rowCount: rowCount)))
      try write(buffer[...])
    }
  }

  /// Makes a table from a file that ``save(to:)`` wrote.
  ///
  /// The whole file is read and checked first: if anything is wrong with it, no table is made.
  ///
  /// - Parameters:
  ///   - path: the file.
  ///   - kind: the kind that the file's table has.
  ///   - name: a name for the table; it gets none if not said, whatever it had.
  ///   - access: who may read and write; whoever might in the table that was saved, if not said. The
  ///     others are those of `init`.
  /// - Throws: ``TableFileError``, which says at which byte and row a damaged file broke, or
  ///   what `init` throws.
  ///
  /// OTP: `ets:file2tab/2`, with `verify`.
  public static func load(
    from path: String, as kind: TableKind<Key, Value>, named name: String? = nil,
    access: TableAccess? = nil, owner: PID? = nil, heir: PID? = nil,
    heirData: (any Sendable)? = nil
  ) throws -> Table {
    var reader = try TableFile.Reader(path: path)
    let info = try TableFile.info(from: &reader)
    guard info.kind == kind.name else {
      throw TableFileError.wrongKind(path: path, found: info.kind)
    }
    var rows: [(key: Key, value: Value)] = []
    while true {
      let damage = reader.damage("the record is neither a row nor the end")
      let row = reader.row
      switch try reader.next() {
      case .list(let pair):
        guard pair.count == 2 else { throw damage }
        do {
          let key = try PackedDecoder.unpack(pair[0], as: Key.self)
          rows.append((key, try PackedDecoder.unpack(pair[1], as: Value.self)))
        } catch {
          throw TableFileError.wrongType(path: path, row: row, "\(error)")
        }
      case let footer:
        let footer = try? PackedDecoder.unpack(footer, as: TableFile.Footer.self)
        guard footer?.rowCount == rows.count else { throw damage }
        guard reader.isAtEnd else { throw reader.damage("the file goes on behind its end") }
        return try Table(
          kind, rows: rows, named: name, access: access ?? info.access, owner: owner, heir: heir,
          heirData: heirData, rowOwner: nil)
      }
    }
  }
}

extension TableFileInfo {
  /// Reads what a table's file says about it, without reading its rows.
  ///
  /// - Throws: ``TableFileError``.
  ///
  /// OTP: `ets:tabfile_info/1`.
  public init(path: String) throws {
    var reader = try TableFile.Reader(path: path)
    self = try TableFile.info(from: &reader)
  }
}

extension TableFile {
  static func info(from reader: inout Reader) throws -> TableFileInfo {
    let damage = reader.damage("the record is not a table's header")
    let header = try reader.next()
    guard let info = try? PackedDecoder.unpack(header, as: TableFileInfo.self) else { throw damage }
    return info
  }
}
