import Testing

/// Runs a test twice: with servers that answer in their own turn, and with servers that answer on
/// their callers' stacks.
struct BothModes: SuiteTrait, TestTrait, TestScoping {
  /// What ``Script/answersInPlace`` says. A process inherits it from its starter.
  @TaskLocal static var answersInPlace = false

  var isRecursive: Bool { true }

  @concurrent func provideScope(
    for test: Test, testCase: Test.Case?,
    performing function: @concurrent @Sendable () async throws -> Void
  ) async throws {
    try await function()
    try await BothModes.$answersInPlace.withValue(true) { try await function() }
  }
}

extension Trait where Self == BothModes {
  static var bothModes: BothModes { BothModes() }
}
