/// All of them: for children of which none can go on without the others.
///
/// OTP: `one_for_all`.
enum OneForAll: RestartStrategy {
  static func restarted(byEndOf failed: Int, among count: Int) -> Range<Int> { 0..<count }
}
