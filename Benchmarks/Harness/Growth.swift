import Foundation

/// The figures at many sizes: with more and more processes around, with more and more mail, and
/// with servers by the million.
final class Growth {
  /// A row at one size after the other.
  struct Line {
    let name: String
    let unit: String
    /// By size; a figure is nil where it could not be had.
    var arbor: [Int: Double] = [:]
    var peer: [Int: Double] = [:]
  }

  let options: Options
  private(set) var remarks: [String] = []

  init(options: Options) { self.options = options }

  /// What is measured beside a crowd of idle processes, and how often in one round.
  private static let crowded = [
    ("call", 20_000), ("cast", 100_000), ("ping-pong", 50_000), ("spawn-monitor-down", 10_000),
    ("start-server", 5_000), ("kill-down", 5_000), ("lookup", 200_000), ("insert", 200_000),
    ("update-counter", 200_000), ("span-child", 5_000), ("timer-add-cancel", 50_000),
  ]
  private static let deep = ["call-deep", "receive-deep", "skip-deep", "kill-deep"]
  private static let standing = ["servers-start", "servers-bytes", "servers-call", "servers-stop"]

  var crowds: [Int] { options.isQuick ? [1, 100, 10_000] : [1, 100, 10_000, 1_000_000] }
  var depths: [Int] { options.isQuick ? [10, 10_000] : [10, 10_000, 1_000_000] }
  private let rounds = 3

  typealias Table = (heading: String, sizes: [Int], lines: [Line])

  /// Everything, as three tables: each is what its lines are by, its sizes, and its lines.
  ///
  /// - Parameter report: is given each as soon as it is there.
  func measure(_ report: (Table) -> Void) -> [Table] {
    let many = crowds.filter { $0 > 1 }
    let parts: [() -> Table] = [
      { ("servers", many, self.many(many)) },
      { ("messages in the mailbox", self.depths, self.under(self.depths)) },
      { ("idle processes around", self.crowds, self.beside(self.crowds)) },
    ]
    return parts.map { part in
      let table = part()
      report(table)
      return table
    }
  }

  private func beside(_ crowds: [Int]) -> [Line] {
    var lines = [Line(name: "process-bytes", unit: "bytes")]
    lines += Self.crowded.map { Line(name: $0.0, unit: "ns") }
    for crowd in crowds {
      play(&lines) { side, lines, figure in
        // The bytes of one are those of nothing else only where there are many.
        let bytes = try side.round("crowd", operations: crowd)
        if crowd > 1 { lines[0][keyPath: figure][crowd] = bytes }
        for (index, row) in Self.crowded.enumerated() {
          _ = try side.round(row.0, operations: row.1)
          var figures: [Double] = []
          for _ in 0..<rounds { figures.append(try side.round(row.0, operations: row.1)) }
          lines[index + 1][keyPath: figure][crowd] = median(figures)
        }
      }
    }
    return lines
  }

  private func under(_ depths: [Int]) -> [Line] {
    var lines = Self.deep.map { Line(name: $0, unit: "ns") }
    for depth in depths {
      play(&lines) { side, lines, figure in
        for (index, name) in Self.deep.enumerated() {
          _ = try side.round(name, operations: min(depth, 10_000))
          var figures: [Double] = []
          for _ in 0..<rounds { figures.append(try side.round(name, operations: depth)) }
          lines[index][keyPath: figure][depth] = median(figures)
        }
      }
    }
    return lines
  }

  private func many(_ counts: [Int]) -> [Line] {
    var lines = Self.standing.map { Line(name: $0, unit: $0.hasSuffix("bytes") ? "bytes" : "ns") }
    for count in counts {
      play(&lines) { side, lines, figure in
        for (index, name) in Self.standing.enumerated() {
          lines[index][keyPath: figure][count] = try side.round(name, operations: count)
        }
      }
    }
    return lines
  }

  /// Has each side do the same, in a fresh program.
  private func play(
    _ lines: inout [Line],
    _ work: (Contestant, inout [Line], WritableKeyPath<Line, [Int: Double]>) throws -> Void
  ) {
    var sides = [(options.benchPath, \Line.arbor)]
    if let peerPath = options.peerPath { sides.append((peerPath, \Line.peer)) }
    for (path, figure) in sides {
      do {
        let side = try Contestant(path, ["--serve"])
        defer { side.finish() }
        try work(side, &lines, figure)
      } catch {
        remarks.append("\(path): \((error as? Contestant.Failure)?.text ?? "\(error)")")
      }
    }
  }
}
