import ArborPrimitives
import ArborProcesses
import Foundation
import Testing

@testable import ArborTables

/// Tables in files: what comes back, and what is refused.
@Suite struct TableFileTests {
  let node = Node(workers: 2)

  /// Runs the body in a process, with a path in a folder of its own.
  func withFile(_ body: @Sendable (String) throws -> Void) async throws {
    let folder = NSTemporaryDirectory() + "arbor-" + UUID().uuidString
    try FileManager.default.createDirectory(atPath: folder, withIntermediateDirectories: true)
    defer { try? FileManager.default.removeItem(atPath: folder) }
    try await withProcess(on: node) { _ in try body(folder + "/rows.table") }
    // Nothing was left beside the file.
    let left = try FileManager.default.contentsOfDirectory(atPath: folder)
    #expect(left == ["rows.table"] || left.isEmpty)
  }

  struct Row: Codable, Equatable, Sendable {
    enum Colour: String, Codable {
      case red
      case green
    }
    enum Shape: Codable, Equatable {
      case dot
      case line(length: Double)
      case text(String)
    }
    var name: String
    var colour: Colour?
    var shapes: [Shape]
    var sizes: [String: Int]
    var wide: UInt128
    var deep: [[UInt8]]
  }

  @Test("ETS:tab2file", arguments: Kind.allCases)
  func roundTrip(kind: Kind) async throws {
    try await withFile { path in
      let table = try Table<OwnKey, Row>(kind.of(), named: "saved", access: .public)
      for number in 0..<300 {
        try table.insert(
          OwnKey(number / 2),
          Row(
            name: "row \(number) äöü", colour: number % 3 == 0 ? .green : nil,
            shapes: [.dot, .line(length: Double(number) / 7), .text("")],
            sizes: ["a": -number, "b": .max], wide: .max, deep: [[], [UInt8(number % 256)]]))
      }
      try table.save(to: path)
      let info = try TableFileInfo(path: path)
      #expect(info.name == "saved" && info.kind.rawValue == kind.rawValue)
      #expect(info.typeName == "Table<OwnKey, Row>" && info.access == .public)
      let back = try Table<OwnKey, Row>.load(from: path, as: kind.of(), named: "back")
      #expect(try back.count == table.count)
      // It is the same table as far as the file says, unless one says otherwise.
      #expect(back.access == .public && back.name == "back" && back.owner == table.owner)
      let own = try Table<OwnKey, Row>.load(from: path, as: kind.of(), access: .private)
      #expect(own.access == .private && own.name == nil)
      #expect(throws: TableError.nameTaken("saved")) {
        try Table<OwnKey, Row>.load(from: path, as: kind.of(), named: "saved")
      }
      #expect(node.tables.count == 3)
      for number in 0..<150 {
        #expect(try back.lookupAll(OwnKey(number)) == table.lookupAll(OwnKey(number)))
      }
      // Over the old file, also when it was larger.
      try table.deleteAll()
      try table.save(to: path)
      let empty = try Table<OwnKey, Row>.load(from: path, as: kind.of())
      #expect(try empty.count == 0)
    }
  }

  @Test("a file that was cut or altered anywhere is refused, saying where")
  func damage() async throws {
    try await withFile { path in
      let table = try Table<String, Int>(.orderedSet)
      for number in 0..<6 { try table.insert("key \(number)", number) }
      try table.save(to: path)
      let whole = [UInt8](try Data(contentsOf: URL(fileURLWithPath: path)))
      // Where each record begins, and which row it is.
      var starts: [(offset: Int, row: Int?)] = [(8, nil)]
      while let last = starts.last, last.offset < whole.count {
        let length = (0..<4).reduce(0) { $0 | Int(whole[last.offset + $1]) << (8 * $1) }
        starts.append((last.offset + 8 + length, (last.row ?? -1) + 1))
      }
      func load(_ bytes: [UInt8]) throws -> TableFileError? {
        try Data(bytes).write(to: URL(fileURLWithPath: path))
        do {
          _ = try Table<String, Int>.load(from: path, as: .orderedSet, named: "loaded")
          return nil
        } catch {
          return error as? TableFileError
        }
      }
      #expect(try load(whole) == nil)
      try Table<String, Int>.named("loaded").deleteTable()
      for offset in whole.indices {
        var altered = whole
        altered[offset] ^= 0x10
        let error = try load(altered)
        let place = starts.last { $0.offset <= offset }
        if let place {
          guard case .damaged(path, place.offset, place.row, _) = error else {
            Issue.record("byte \(offset): \(String(describing: error)) instead of \(place)")
            continue
          }
        } else {
          #expect(error == .notATable(path: path))
        }
        guard case .damaged(path, _, _, _) = try load(Array(whole[..<offset])) else {
          Issue.record("cut at byte \(offset)")
          continue
        }
      }
      guard case .damaged(path, whole.count, _, _) = try load(whole + [0]) else {
        Issue.record("what is behind the end was not seen")
        return
      }
      // Nothing of all that became a table.
      #expect(node.tables.count == 1)
    }
  }

  @Test("a file of other rows, of another kind, or of none is refused")
  func mismatch() async throws {
    try await withFile { path in
      let table = try Table<String, Int>()
      try table.insert("a", 1)
      try table.save(to: path)
      #expect(throws: TableFileError.wrongKind(path: path, found: .set)) {
        try Table<String, Int>.load(from: path, as: .bag)
      }
      do {
        _ = try Table<String, [Int]>.load(from: path, as: .set)
        Issue.record("an Int became a list")
      } catch TableFileError.wrongType(path, 0, _) {
      }
      try table.insert("a", 300)
      try table.save(to: path)
      do {
        _ = try Table<String, Int8>.load(from: path, as: .set)
        Issue.record("300 became an Int8")
      } catch TableFileError.wrongType(path, 0, _) {
      }
      #expect(throws: TableFileError.system("open", path: path + "x", code: ENOENT)) {
        try Table<String, Int>.load(from: path + "x", as: .set)
      }
      try Data("no table at all".utf8).write(to: URL(fileURLWithPath: path))
      #expect(throws: TableFileError.notATable(path: path)) { try TableFileInfo(path: path) }
      #expect(node.tables.count == 1)
    }
  }

  @Test("a failed save leaves the file that was there")
  func failedSave() async throws {
    struct Stubborn: Codable, Sendable {
      struct Refusal: Error {}
      var number: Int
      func encode(to encoder: any Encoder) throws {
        if number > 100 { throw Refusal() }
        try number.encode(to: encoder)
      }
      init(number: Int) { self.number = number }
      init(from decoder: any Decoder) throws { number = try Int(from: decoder) }
    }
    try await withFile { path in
      let table = try Table<Int, Stubborn>()
      try table.insert(1, Stubborn(number: 1))
      try table.save(to: path)
      for number in 0..<5000 { try table.insert(number, Stubborn(number: number)) }
      #expect(throws: Stubborn.Refusal.self) { try table.save(to: path) }
      let back = try Table<Int, Stubborn>.load(from: path, as: .set)
      #expect(try back.count == 1)
      let nowhere = path + "/none/rows.table"
      #expect(throws: TableFileError.self) { try table.save(to: nowhere) }
    }
  }

  @Test("what Codable types do comes back")
  func codable() throws {
    class Base: Codable {
      var base = 1
    }
    final class Derived: Base {
      var more = [1.5, -.infinity]
      enum CodingKeys: CodingKey { case more }
      override init() { super.init() }
      required init(from decoder: any Decoder) throws {
        let container = try decoder.container(keyedBy: CodingKeys.self)
        more = try container.decode([Double].self, forKey: .more)
        try super.init(from: container.superDecoder())
      }
      override func encode(to encoder: any Encoder) throws {
        var container = encoder.container(keyedBy: CodingKeys.self)
        try container.encode(more, forKey: .more)
        try super.encode(to: container.superEncoder())
      }
    }
    func trip<Value: Codable>(_ value: Value) throws -> Value {
      let bytes = TableFile.record(try PackedEncoder.pack(value))
      var reader = PackedReader(bytes[8...])
      return try PackedDecoder.unpack(reader.read(), as: Value.self)
    }
    let derived = Derived()
    derived.base = 7
    let back = try trip(derived)
    #expect(back.base == 7 && back.more == [1.5, -.infinity])
    #expect(try trip([Int?](arrayLiteral: 1, nil, .min)) == [1, nil, .min])
    #expect(try trip([3: "c", -4: "d"]) == [3: "c", -4: "d"])
    #expect(try trip(Int128.min) == .min)
    #expect(try trip([Int128.max, -1]) == [.max, -1])
    #expect(try trip(Float.nan).isNaN)
    #expect(try trip(UInt64.max) == .max)
    let many = Dictionary(uniqueKeysWithValues: (0..<500).map { ("\($0)", $0) })
    #expect(try trip(many) == many)
    #expect(try trip("") == "")
    let url = try #require(URL(string: "https://example.org/a"))
    #expect(try trip(url) == url)
    let date = Date(timeIntervalSinceReferenceDate: 1.25)
    #expect(try trip([date: true]) == [date: true])
    #expect(try trip(Data([1, 2, 3])) == Data([1, 2, 3]))
  }

  @Test("no bytes make the reader trap", arguments: 0..<50)
  func fuzz(seed: UInt64) {
    var random = SeededGenerator(seed: seed)
    for _ in 0..<500 {
      let bytes = (0..<Int(random.next() % 60)).map { _ in UInt8(random.next() % 14) }
      var reader = PackedReader(bytes[...])
      _ = try? reader.read()
    }
    guard seed == 0 else { return }
    let deep = (0..<200_000).map { UInt8($0 % 2 == 0 ? 8 : 1) }
    var reader = PackedReader(deep[...])
    #expect(throws: UnreadablePackedValue.self) { try reader.read() }
  }
}
