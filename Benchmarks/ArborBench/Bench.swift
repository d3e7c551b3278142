/// One row: a name that Arbor and its peer share, and what runs a round of it.
struct Bench: Sendable {
  let name: String
  /// How many operations a round has when it is run by hand; the harness says its own count.
  let operations: Int
  /// Runs a round of that many operations and returns what one of them cost.
  let run: @Sendable (Int) async throws -> Double

  init(_ name: String, _ operations: Int, _ run: @escaping @Sendable (Int) async throws -> Double) {
    self.name = name
    self.operations = operations
    self.run = run
  }

  /// The rows of the comparison, and their floors.
  static let rows =
    messages + lifecycle + tables + mixes + tracing + rawMessages + rawLifecycle + rawTables
    + rawMixes + rawTracing

  static func named(_ name: String) -> Bench? { (rows + growth).first { $0.name == name } }
}

/// A round that went wrong: an answer that is not what the work must give.
struct WrongAnswer: Error {
  let text: String
  init(_ text: String) { self.text = text }
}
