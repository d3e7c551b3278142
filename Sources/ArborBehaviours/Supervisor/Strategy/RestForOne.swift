/// The child that ended and those that were started after it: for children that need those before
/// them.
///
/// OTP: `rest_for_one`.
enum RestForOne: RestartStrategy {
  static func restarted(byEndOf failed: Int, among count: Int) -> Range<Int> { failed..<count }
}
