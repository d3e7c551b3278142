import Synchronization

/// A reference that is replaced now and then, and read without a lock.
///
/// All objects that it ever referred to are kept as long as it is, so that no reader can be left with one
/// that is gone. For what changes seldom: what a restarted process puts in its predecessor's place.
package final class LatestObject<Object: AnyObject & Sendable>: Sendable {
  private let latest = Atomic<Unmanaged<Object>?>(nil)
  private let kept = Lock<[Object]>([])

  package init() {}

  /// The latest object; nil if there was none yet.
  package var object: Object? {
    // Safe, because `kept` holds it.
    latest.load(ordering: .acquiring)?.takeUnretainedValue()
  }

  /// Puts what `make` makes of the latest object in its place, if it makes something; one at a time.
  package func replace<Failure: Error>(
    _ make: (Object?) throws(Failure) -> Object
  ) throws(Failure) -> Object {
    try kept.withLock { kept throws(Failure) in
      let object = try make(kept.last)
      kept.append(object)
      latest.store(Unmanaged.passUnretained(object), ordering: .releasing)
      return object
    }
  }
}
