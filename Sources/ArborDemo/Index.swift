import Arbor

/// Owns the table of words; everybody may read it, without asking.
actor Index: GenServer {
  static let name: ProcessName = "index"

  enum Call: Sendable {
    case add([String: Int], of: Document, From<Void>)
    case table(From<Table<String, Int>>)
  }

  let process = ProcessContext()
  private let table: Table<String, Int>
  private var indexed: Set<Document> = []

  init() throws { table = try Table(.set) }

  func handleCall(_ call: Call) throws {
    switch call {
    case .add(let counts, of: let document, let from):
      try Trace.withSpan("merge", ["words": counts.count]) { try add(counts, of: document) }
      from.reply()
    case .table(let from): from.reply(table)
    }
  }

  /// Once for each file: a worker that was killed between this and its report has it done again.
  private func add(_ counts: [String: Int], of document: Document) throws {
    guard indexed.insert(document).inserted else { return }
    for (word, count) in counts {
      try table.insert(word, (try table.lookup(word) ?? 0) + count)
    }
  }
}

extension ServerRef<Index> {
  func add(_ counts: [String: Int], of document: Document) async throws(CallError) {
    try await call { .add(counts, of: document, $0) }
  }
  var table: Table<String, Int> {
    get async throws(CallError) { try await call(Index.Call.table) }
  }
}
