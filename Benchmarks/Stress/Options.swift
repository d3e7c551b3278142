/// What the command line asks for.
struct Options {
  let run: String
  var duration = Duration.seconds(60)
  var seed = UInt64.random(in: 0..<1_000_000)

  init(_ arguments: [String]) throws(Complaint) {
    guard let run = arguments.first, !["--help", "-h"].contains(run) else {
      throw Complaint(Self.usage)
    }
    guard run == "tracing" else { throw Complaint("there is no run \(run)\n\(Self.usage)") }
    self.run = run
    var rest = arguments.dropFirst()
    while let option = rest.popFirst() {
      switch option {
      case "--minutes":
        duration = .seconds(try Self.number(option, rest.popFirst(), atLeast: 1, as: Int.self) * 60)
      case "--seconds":
        duration = .seconds(try Self.number(option, rest.popFirst(), atLeast: 1, as: Int.self))
      case "--seed": seed = try Self.number(option, rest.popFirst(), atLeast: 0, as: UInt64.self)
      default: throw Complaint("there is no option \(option)\n\(Self.usage)")
      }
    }
  }

  private static let usage =
    "usage: stress tracing [--minutes M | --seconds S] [--seed N]"

  private static func number<Number: FixedWidthInteger>(
    _ option: String, _ text: String?, atLeast least: Number, as type: Number.Type
  ) throws(Complaint) -> Number {
    guard let text, let number = Number(text), number >= least, number < 1_000_000 || least == 0
    else {
      throw Complaint(
        "\(option) takes a whole number, \(least) or more, not \(text ?? "nothing")\n\(usage)")
    }
    return number
  }
}

/// What is wrong with the command line, for people.
struct Complaint: Error, CustomStringConvertible {
  let description: String
  init(_ description: String) { self.description = description }
}

/// A generator that repeats itself from its seed.
struct Random: Sendable {
  private var state: UInt64

  /// - Parameter stream: tells several generators of one seed apart.
  init(seed: UInt64, stream: Int = 0) {
    state = (seed &+ UInt64(bitPattern: Int64(stream)) &* 0x9E37_79B9_7F4A_7C15) | 1
    for _ in 0..<4 { _ = next(below: 2) }
  }

  mutating func next(below limit: Int) -> Int {
    state = state &* 6_364_136_223_846_793_005 &+ 1_442_695_040_888_963_407
    return Int((state >> 33) % UInt64(limit))
  }

  mutating func isOne(in chance: Int) -> Bool { next(below: chance) == 0 }
}
