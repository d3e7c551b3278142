import Foundation

/// The table that people read, and the file that programs read.
enum Report {
  static let header =
    columns("row", "arbor", "beam", "ratio", "goal", "then", "raw")

  static func line(_ result: RowResult) -> String {
    let unit = result.row.unit
    return columns(
      result.row.name, result.arbor.map { amount($0, unit) } ?? "-",
      result.peer.map { amount($0, unit) } ?? "-", result.ratio.map(number) ?? "-",
      result.row.goal.map(number) ?? "-", result.row.laterGoal.map(number) ?? "-",
      result.floor.map { amount($0, unit) } ?? "-", mark(result))
  }

  /// The traced processes around must cost a child span nothing: the second half of its goal.
  static func flatness(_ results: [RowResult]) -> String? {
    func arbor(_ name: String) -> Double? {
      results.first { $0.row.name == name }?.arbor
    }
    guard let alone = arbor("span-child"), let crowded = arbor("span-child-10k-clients") else {
      return nil
    }
    let growth = number(crowded / alone)
    return "span-child beside 10 000 traced processes costs \(growth) times as much as alone"
  }

  static func json(_ results: [RowResult]) throws -> Data {
    let encoder = JSONEncoder()
    encoder.outputFormatting = [.prettyPrinted, .sortedKeys]
    return try encoder.encode(results.map(Entry.init))
  }

  private static func mark(_ result: RowResult) -> String {
    guard let ratio = result.ratio, let goal = result.row.goal else { return "" }
    if let later = result.row.laterGoal, ratio <= later { return "**" }
    return ratio <= goal ? "*" : ""
  }

  private static func columns(_ name: String, _ figures: String...) -> String {
    let cells = figures.prefix(6).map { leftPadded($0, to: 10) }.joined()
    return rightPadded(name, to: 24) + cells + " " + figures.dropFirst(6).joined()
  }

  static func amount(_ value: Double, _ unit: String) -> String {
    switch (unit, value) {
    case ("bytes", _): String(format: "%.0f B", value)
    case (_, ..<1_000): String(format: "%.4g ns", value)
    case (_, ..<1_000_000): String(format: "%.3g us", value / 1_000)
    case (_, ..<1_000_000_000): String(format: "%.3g ms", value / 1_000_000)
    default: String(format: "%.3g s", value / 1_000_000_000)
    }
  }

  private static func number(_ value: Double) -> String { String(format: "%.3g", value) }

  private static func leftPadded(_ text: String, to width: Int) -> String {
    String(repeating: " ", count: max(width - text.count, 1)) + text
  }

  private static func rightPadded(_ text: String, to width: Int) -> String {
    text + String(repeating: " ", count: max(width - text.count, 0))
  }

  /// Written by hand so that a missing figure is a null, not a missing key.
  private struct Entry: Encodable {
    let result: RowResult

    enum Keys: String, CodingKey {
      case name, ratio, goal, unit
      case arbor = "arbor_ns"
      case peer = "peer_ns"
    }

    func encode(to encoder: any Encoder) throws {
      var container = encoder.container(keyedBy: Keys.self)
      try container.encode(result.row.name, forKey: .name)
      try container.encode(result.arbor, forKey: .arbor)
      try container.encode(result.peer, forKey: .peer)
      try container.encode(result.ratio, forKey: .ratio)
      try container.encode(result.row.goal, forKey: .goal)
      try container.encode(result.row.unit, forKey: .unit)
    }
  }
}
