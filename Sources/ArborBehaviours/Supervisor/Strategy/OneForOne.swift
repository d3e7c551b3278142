/// The child that ended, and no other: for children that do not need each other.
///
/// OTP: `one_for_one`.
enum OneForOne: RestartStrategy {
  static func restarted(byEndOf failed: Int, among count: Int) -> Range<Int> {
    failed..<failed + 1
  }
}
