/// The medians of one row, as far as they could be had.
struct RowResult {
  let row: Row
  var arbor: Double?
  var peer: Double?
  var floor: Double?
  /// Why a figure is missing, to be told below the table.
  var remarks: [String] = []

  var ratio: Double? {
    guard let arbor, let peer, peer > 0 else { return nil }
    return arbor / peer
  }
}

func median(_ figures: [Double]) -> Double? {
  guard !figures.isEmpty else { return nil }
  let sorted = figures.sorted()
  let middle = sorted.count / 2
  return sorted.count.isMultiple(of: 2) ? (sorted[middle - 1] + sorted[middle]) / 2 : sorted[middle]
}
