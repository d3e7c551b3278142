import Arbor

/// What the demo prints of its run.
enum Report {
  static func printWords(_ table: Table<String, Int>) {
    var words: [(word: String, count: Int)] = []
    try? table.visit { words.append(($0, $1)) }
    words.sort { ($1.count, $0.word) < ($0.count, $1.word) }
    print("\nthe ten most frequent of \(words.count) words:")
    for (word, count) in words.prefix(10) {
      print("  \(String(repeating: " ", count: max(0, 6 - "\(count)".count)))\(count)  \(word)")
    }
  }

  static func printOutcome(_ outcome: Outcome) {
    print("\nindexed \(outcome.indexed) files, \(outcome.failed.count) failed")
    for failure in outcome.failed.sorted(by: { $0.document.name < $1.document.name }) {
      print("  \(failure.document.name): \(failure.why)")
    }
    if outcome.retried > 0 {
      print("  \(outcome.retried) files were begun again after their worker was killed")
    }
  }

  /// One trace: that of a worker that died, if one did, else of one that did not.
  static func printTrace(_ recorder: SpanRecorder) {
    let whole = recorder.records.first { $0.reason != nil } ?? recorder.records.last
    guard let whole else { return }
    print("\none trace:\n\(Trace.rendered(recorder.spans(of: whole.span.traceID)))")
  }
}
