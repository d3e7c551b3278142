import Foundation

/// Runs one row on all sides: a warm-up, then rounds in turn, so that whatever else the machine
/// does falls on all of them alike.
struct Match {
  let options: Options

  func play(_ row: Row) -> RowResult {
    var result = RowResult(row: row)
    var sides: [Side] = []
    func enter(_ path: String, _ request: String, _ figure: WritableKeyPath<RowResult, Double?>) {
      do {
        let arguments = ["--serve"]
        sides.append(
          Side(contestant: try Contestant(path, arguments), request: request, figure: figure))
      } catch {
        result.remarks.append("\(row.name): \(path) could not be started: \(error)")
      }
    }
    if let peerPath = options.peerPath { enter(peerPath, row.name, \.peer) }
    enter(options.benchPath, row.name, \.arbor)
    if row.hasFloor { enter(options.benchPath, "raw:" + row.name, \.floor) }

    let operations = row.operations(quick: options.isQuick)
    // Where a round takes seconds a quick run has no time for one that does not count.
    let first = options.isQuick && row.isSlow ? 1 : 0
    for round in first...rounds(of: row) {
      // Every other round in the reverse order: none always follows the same other one.
      let order = round.isMultiple(of: 2) ? Array(sides.indices) : sides.indices.reversed()
      for index in order where sides[index].isIn {
        // An emulator's or a pool's idle threads look for work for a while before they sleep.
        usleep(5_000)
        do {
          let figure = try sides[index].contestant.round(
            sides[index].request, operations: operations)
          if round > 0 { sides[index].figures.append(figure) }
        } catch {
          sides[index].isIn = false
          result.remarks.append("\(sides[index].request): \(error.text)")
        }
      }
    }
    for side in sides {
      if side.isIn { side.contestant.finish() }
      result[keyPath: side.figure] = median(side.figures)
    }
    return result
  }

  private func rounds(of row: Row) -> Int {
    switch (options.isQuick, row.isSlow) {
    case (true, true): 1
    case (true, false): 5
    case (false, true): 3
    case (false, false): 15
    }
  }

  private struct Side {
    let contestant: Contestant
    let request: String
    let figure: WritableKeyPath<RowResult, Double?>
    var figures: [Double] = []
    var isIn = true
  }
}
