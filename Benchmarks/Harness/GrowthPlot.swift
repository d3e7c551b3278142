import Foundation

/// Draws the figures over the sizes as SVG: a small panel for each row, Arbor's line and the peer's,
/// from zero upwards, the sizes as their logarithms.
struct GrowthPlot {
  private let width = 250.0
  private let height = 150.0
  private let columns = 4
  private let left = 52.0
  private let top = 30.0
  private let right = 14.0
  private let bottom = 26.0

  func svg(_ tables: [Growth.Table]) -> String {
    var body: [String] = []
    var y = 46.0
    for table in tables {
      body.append(text(12, y, table.heading, size: 14, weight: "bold"))
      y += 10
      for (index, line) in table.lines.enumerated() {
        let x = Double(index % columns) * width
        if index > 0, index % columns == 0 { y += height }
        body.append(panel(line, table.sizes, x, y))
      }
      y += height + 28
    }
    let total = (w: width * Double(columns) + 10, h: y)
    return """
      <svg xmlns="http://www.w3.org/2000/svg" width="\(n(total.w))" height="\(n(total.h))" \
      viewBox="0 0 \(n(total.w)) \(n(total.h))" font-family="sans-serif">
      <rect width="100%" height="100%" fill="white"/>
      \(legend())
      \(body.joined(separator: "\n"))
      </svg>

      """
  }

  private func legend() -> String {
    [
      swatch(12, Self.arborColor), text(40, 20, "Arbor", size: 12),
      swatch(100, Self.peerColor), text(128, 20, "BEAM", size: 12),
      text(190, 20, "one operation, less is better; memory in bytes", size: 12),
    ].joined(separator: "\n")
  }

  private static let arborColor = "#c2410c"
  private static let peerColor = "#64748b"

  private func swatch(_ x: Double, _ color: String) -> String {
    "<line x1=\"\(n(x))\" y1=\"16\" x2=\"\(n(x + 22))\" y2=\"16\" stroke=\"\(color)\" "
      + "stroke-width=\"3\"/>"
  }

  private func panel(_ line: Growth.Line, _ sizes: [Int], _ x: Double, _ y: Double) -> String {
    let figures = Array(line.arbor.values) + Array(line.peer.values)
    let most = max(figures.max() ?? 1, 1e-9) * 1.08
    let logs = sizes.map { log10(Double(max($0, 1))) }
    let (low, high) = (logs.min() ?? 0, logs.max() ?? 1)
    func horizontal(_ size: Int) -> Double {
      let share = high > low ? (log10(Double(max(size, 1))) - low) / (high - low) : 0.5
      return x + left + share * (width - left - right)
    }
    func vertical(_ figure: Double) -> Double {
      y + height - bottom - figure / most * (height - top - bottom)
    }
    var parts = [text(x + left, y + 18, line.name, size: 12)]
    for share in [0, 0.5, 1] {
      let at = vertical(most / 1.08 * share)
      parts.append(
        "<line x1=\"\(n(x + left))\" y1=\"\(n(at))\" x2=\"\(n(x + width - right))\" "
          + "y2=\"\(n(at))\" stroke=\"#e2e8f0\"/>")
      let label = share == 0 ? "0" : Report.amount(most / 1.08 * share, line.unit)
      parts.append(text(x + left - 4, at + 3, label, size: 9, anchor: "end"))
    }
    for size in sizes {
      parts.append(
        text(
          horizontal(size), y + height - bottom + 14, GrowthReport.count(size), size: 9,
          anchor: "middle"))
    }
    for (values, color) in [(line.peer, Self.peerColor), (line.arbor, Self.arborColor)] {
      let points = sizes.compactMap { size in
        values[size].map { (horizontal(size), vertical($0)) }
      }
      let path = points.map { "\(n($0.0)),\(n($0.1))" }.joined(separator: " ")
      parts.append(
        "<polyline points=\"\(path)\" fill=\"none\" stroke=\"\(color)\" stroke-width=\"2\"/>")
      for point in points {
        parts.append(
          "<circle cx=\"\(n(point.0))\" cy=\"\(n(point.1))\" r=\"2.5\" fill=\"\(color)\"/>")
      }
    }
    return parts.joined(separator: "\n")
  }

  private func text(
    _ x: Double, _ y: Double, _ text: String, size: Int, weight: String = "normal",
    anchor: String = "start"
  ) -> String {
    "<text x=\"\(n(x))\" y=\"\(n(y))\" font-size=\"\(size)\" font-weight=\"\(weight)\" "
      + "text-anchor=\"\(anchor)\" fill=\"#0f172a\">\(text)</text>"
  }

  private func n(_ number: Double) -> String { String(format: "%.1f", number) }
}
