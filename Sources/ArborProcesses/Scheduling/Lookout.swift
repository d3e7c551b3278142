/// Whether a worker that finds no work should go on looking for a moment before it sleeps. Pure.
///
/// It does so once some sleeps in a row have been so short that looking would have cost less, and
/// gives it up as soon as looking has been in vain a few times: an idle pool sleeps.
struct Lookout {
  /// How long it looks, in nanoseconds; a thread that is put to sleep and woken takes as long.
  static let length: UInt64 = 20_000
  /// A sleep that is no longer was not worth it.
  static let shortSleep: UInt64 = 60_000
  static let wanted = 3
  static let most = 6

  /// Short sleeps and successes, less what was in vain.
  private(set) var credit = 0

  var isWorthwhile: Bool { credit >= Lookout.wanted }

  mutating func slept(_ nanoseconds: UInt64) {
    credit = nanoseconds <= Lookout.shortSleep ? min(credit + 1, Lookout.most) : 0
  }

  mutating func ended(successfully: Bool) {
    credit = successfully ? min(credit + 1, Lookout.most) : credit - 2
  }
}
