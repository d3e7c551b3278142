import ArborProcesses
import ArborTables
import Testing

/// The kinds of tables, for tests of what they have in common.
enum Kind: String, CaseIterable, CustomTestStringConvertible {
  case set
  case orderedSet
  case bag
  case duplicateBag

  static let sets: [Kind] = [.set, .orderedSet]
  static let bags: [Kind] = [.bag, .duplicateBag]

  var testDescription: String { rawValue }
  var isBag: Bool { Kind.bags.contains(self) }

  func of<Key: Hashable & Comparable & Sendable, Value: Equatable & Sendable>()
    -> TableKind<Key, Value>
  {
    switch self {
    case .set: .set
    case .orderedSet: .orderedSet
    case .bag: .bag
    case .duplicateBag: .duplicateBag
    }
  }
}

/// A key whose operators are its own, so that its tables cannot take them for harmless.
struct OwnKey: Hashable, Comparable, Sendable, Codable {
  var number: Int
  init(_ number: Int) { self.number = number }
  static func == (left: OwnKey, right: OwnKey) -> Bool { left.number == right.number }
  static func < (left: OwnKey, right: OwnKey) -> Bool { left.number < right.number }
  func hash(into hasher: inout Hasher) { hasher.combine(number % 5) }
}

extension Table {
  /// The rows as text, in an order of their own, to compare by.
  func sortedRows() throws -> [String] { try rows().map { "\($0.key):\($0.value)" }.sorted() }
}

/// Waits until another process says that it has come so far.
func awaitMessage<Message: Sendable & Equatable>(
  _ message: Message, in context: ProcessContext
) async throws {
  _ = try await context.receive(Message.self, where: { $0 == message })
}
