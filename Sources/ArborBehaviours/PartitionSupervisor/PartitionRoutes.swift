import ArborPrimitives
import ArborProcesses

/// Which process serves which partition: written by the supervisor, read by whoever has a key, without
/// asking it. It ends with its supervisor.
///
/// OTP: the table that Elixir's `PartitionSupervisor` keeps.
final class PartitionRoutes: OwnedResource, Sendable {
  private struct State: Sendable {
    var count: Int
    var pids: [PID?]
  }

  private let state: Lock<State>

  init(_ count: Int) {
    state = Lock(State(count: count, pids: Array(repeating: nil, count: count)))
  }

  /// How many partitions there are at most.
  var limit: Int { state.withLock { $0.pids.count } }

  /// How many of them keys are spread over.
  var count: Int {
    get { state.withLock { $0.count } }
    set { state.withLock { $0.count = newValue } }
  }

  func set(_ partition: Int, to pid: PID?) { state.withLock { $0.pids[partition] = pid } }

  /// The process of a key; nil if there are no partitions.
  func pid(for key: some Hashable) -> PID? {
    let number = PartitionKey.number(of: key)
    return state.withLock { state in
      state.count == 0 ? nil : state.pids[Int(number % UInt64(state.count))]
    }
  }

  func ownerReleased(_ owner: PID, reason: ExitReason) {
    PartitionDirectory.of(owner.node).remove(owner)
  }
}

/// The routes of a node's partition supervisors.
final class PartitionDirectory: Sendable {
  private let routes = Lock<[PID: PartitionRoutes]>([:])

  static func of(_ node: Node) -> PartitionDirectory {
    node.part(PartitionDirectory.self) { _ in PartitionDirectory() }
  }

  /// Publishes the routes of a supervisor until its end.
  func add(_ new: PartitionRoutes, of supervisor: ProcessCore) {
    routes.withLock { $0[supervisor.pid] = new }
    if !supervisor.adopt(new) { remove(supervisor.pid) }
  }

  func remove(_ supervisor: PID) { _ = routes.withLock { $0.removeValue(forKey: supervisor) } }

  func routes(of supervisor: PID) -> PartitionRoutes? { routes.withLock { $0[supervisor] } }
}

enum PartitionKey {
  /// A number that a key always has: for numbers and texts in every run, for others, whose hash Swift
  /// seeds anew for each, in this one.
  static func number(of key: some Hashable) -> UInt64 {
    switch key {
    case let key as Int: UInt64(key.magnitude)
    case let key as any BinaryInteger: magnitude(of: key)
    case let key as String: hash(of: key.utf8)
    default: UInt64(truncatingIfNeeded: key.hashValue)
    }
  }

  private static func magnitude(of number: some BinaryInteger) -> UInt64 {
    UInt64(truncatingIfNeeded: number.magnitude)
  }

  /// FNV-1a, and the high bits, which are the better ones, mixed into the low.
  private static func hash(of bytes: some Sequence<UInt8>) -> UInt64 {
    var hash: UInt64 = 0xcbf2_9ce4_8422_2325
    for byte in bytes { hash = (hash ^ UInt64(byte)) &* 0x0100_0000_01b3 }
    return hash ^ (hash &>> 32)
  }
}
