/// The spans that wait to be exported, and what became of those before. Pure.
struct SpanQueueMachine: Sendable {
  /// Whom to tell of a span that has come.
  enum Wake: Sendable, Equatable {
    /// Nobody: more are awaited, or it is known already.
    case nobody
    /// The first to wait: the time until the next batch begins.
    case first
    /// A batch is together.
    case batch
  }

  private let capacity: Int
  private let batchSize: Int
  private var spans: [TraceSpan] = []
  /// Those before it have been taken.
  private var head = 0
  private(set) var statistics = ExportStatistics()

  init(capacity: Int, batchSize: Int) {
    self.capacity = capacity
    self.batchSize = batchSize
  }

  /// How many were ever taken into the queue. Those that have left it are this many less what is
  /// queued or exporting: the queue is first in, first out.
  var taken: Int { statistics.ended - statistics.dropped }
  var settled: Int { statistics.exported + statistics.failed }

  var isEmpty: Bool { statistics.queued == 0 }
  var hasBatch: Bool { statistics.queued >= batchSize }

  mutating func append(_ span: TraceSpan) -> Wake {
    if statistics.queued >= capacity {
      statistics.dropped += 1
      return .nobody
    }
    spans.append(span)
    statistics.queued += 1
    if statistics.queued == batchSize { return .batch }
    return statistics.queued == 1 ? .first : .nobody
  }

  /// The next batch, which is exporting from here on; empty if none waits.
  mutating func takeBatch() -> [TraceSpan] {
    let end = min(head + batchSize, spans.count)
    let batch = Array(spans[head..<end])
    head = end
    // What was taken is let go of once it is the greater part, so that each span moves once at most.
    if head * 2 >= spans.count {
      spans.removeFirst(head)
      head = 0
    }
    statistics.queued -= batch.count
    statistics.exporting += batch.count
    return batch
  }

  /// The end of an export. Also of one that nobody saw end: its processor was killed.
  mutating func finish(hasFailed: Bool) {
    if hasFailed {
      statistics.failed += statistics.exporting
    } else {
      statistics.exported += statistics.exporting
    }
    statistics.exporting = 0
  }
}
