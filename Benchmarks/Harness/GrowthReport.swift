import Foundation

/// What a ``Growth`` has found, as Markdown tables for RESULTS.md.
enum GrowthReport {
  static func table(_ heading: String, _ sizes: [Int], _ lines: [Growth.Line]) -> String {
    var rows = [
      "| \(heading) | " + sizes.map { "\(count($0)) | beam" }.joined(separator: " | ") + " |"
    ]
    rows.append("| --- |" + String(repeating: " ---: | ---: |", count: sizes.count))
    for line in lines {
      let cells = sizes.map { size in
        let figures = [line.arbor[size], line.peer[size]]
        return figures.map { $0.map { Report.amount($0, line.unit) } ?? "-" }
          .joined(separator: " | ")
      }
      rows.append("| `\(line.name)` | " + cells.joined(separator: " | ") + " |")
    }
    return rows.joined(separator: "\n")
  }

  /// `1 000 000` for a million.
  static func count(_ number: Int) -> String {
    var digits = Array("\(number)")
    for position in stride(from: digits.count - 3, to: 0, by: -3) {
      digits.insert(" ", at: position)
    }
    return String(digits)
  }
}
