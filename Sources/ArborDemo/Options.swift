import Foundation

/// What the command line asks for.
struct Options {
  var folder = Options.repository
  var kills = 0
  var seed = UInt64.random(in: 0..<1_000_000)

  /// The folder of the package that this program was built from, or where it was started if that is
  /// no more.
  static var repository: String {
    let sources = URL(fileURLWithPath: #filePath)
    let root = sources.deletingLastPathComponent().deletingLastPathComponent()
      .deletingLastPathComponent().path
    return FileManager.default.fileExists(atPath: root)
      ? root : FileManager.default.currentDirectoryPath
  }

  init(_ arguments: [String]) throws(Complaint) {
    var rest = arguments[...]
    var folders: [String] = []
    while let argument = rest.popFirst() {
      switch argument {
      case "--kill": kills = try Self.number(argument, rest.popFirst(), as: Int.self)
      case "--seed": seed = try Self.number(argument, rest.popFirst(), as: UInt64.self)
      case "--help", "-h": throw Complaint(Self.usage)
      default:
        if argument.hasPrefix("-") {
          throw Complaint("there is no option \(argument)\n\(Self.usage)")
        }
        folders.append(argument)
      }
    }
    if folders.count > 1 { throw Complaint("one folder at a time\n\(Self.usage)") }
    if let folder = folders.first { self.folder = folder }
  }

  private static let usage = "usage: demo [FOLDER] [--kill N] [--seed S]"

  private static func number<Number: FixedWidthInteger>(
    _ option: String, _ text: String?, as type: Number.Type
  ) throws(Complaint) -> Number {
    guard let text, let number = Number(text), number >= 0 else {
      throw Complaint("\(option) takes a number, 0 or more, not \(text ?? "nothing")\n\(usage)")
    }
    return number
  }
}

/// What is wrong with the command line or the folder, for people.
struct Complaint: Error, CustomStringConvertible {
  let description: String
  init(_ description: String) { self.description = description }
}

/// A generator that repeats itself from its seed.
struct Random {
  private var state: UInt64
  init(seed: UInt64) { state = seed }

  mutating func next(below limit: Int) -> Int {
    state = state &* 6_364_136_223_846_793_005 &+ 1_442_695_040_888_963_407
    return Int((state >> 33) % UInt64(limit))
  }
}
