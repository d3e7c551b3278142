package import ArborPrimitives

/// What few processes have, in an object of its own, so that the others pay for it with one word: made
/// when it is first needed.
package final class Backstage: @unchecked Sendable {
  // Unchecked: what is not in a lock of its own is touched only under that of the process's machine.

  // What its loop needs for its duties; see ``Duties``.
  let agenda = Lock(ServerAgenda())
  let debug = Lock(DebugMachine())
  /// Held while somebody looks on.
  let hold = Lock<GaugeHold?>(nil)

  package var aliases = SmallMap<MonitorRef, AliasLife>()
  package var resources = SmallMap<ObjectIdentifier, any OwnedResource>()
  /// What it was started to do, in words; of a server its type says it.
  package var initialCall: String?
  package var label: String?
  package var heardExit: HeardExit?
  /// When which message was first known to be handled, by the number of messages handled before.
  var currentSeen: (number: Int, time: UInt64) = (0, 0)
  /// True while the process was told to handle nothing.
  package var isSuspended = false
  /// True while it hibernates.
  package var isAsleep = false
}

extension ProcessMachine {
  package mutating func madeBackstage() -> Backstage {
    if let backstage { return backstage }
    let made = Backstage()
    backstage = made
    return made
  }
}

/// Keeps the ``FenceGauge`` raised.
final class GaugeHold: Sendable {
  init() { FenceGauge.shared.raise() }
  deinit { FenceGauge.shared.lower() }
}
