import ArborPrimitives
import ArborProcesses

extension Registry {
  /// Runs a function while nobody else runs one under the same key, in any process.
  ///
  ///     try await rooms.lock(7) {
  ///       if rooms.pid(for: 7) == nil { _ = try await Room.start(named: rooms.via(7)) { Room() } }
  ///     }
  ///
  /// Those who wait get their turn in the order in which they came. If the process that holds the lock ends,
  /// the next one has it. Locks have nothing to do with entries, nor with whether the registry runs.
  ///
  /// - Parameters:
  ///   - timeout: how long to wait for one's turn; nil, the default, is without end.
  ///   - body: runs in the caller.
  /// - Returns: what `body` returns.
  /// - Throws: ``RegistryError``: `timeout`, `cancelled`, `alreadyHeld` if the process's own task holds the
  ///   lock, `badarg` for a negative timeout; or what `body` throws.
  ///
  /// OTP: Elixir's `Registry.lock/3`.
  public func lock<Result>(
    _ key: Key, timeout: Duration? = nil, _ body: () async throws -> Result
  ) async throws -> Result {
    if let timeout, timeout < .zero { throw RegistryError.badarg(name) }
    let ticket = LockTicket(key, in: locks)
    try await locks.acquire(ticket, timeout: timeout?.wholeNanoseconds, on: pid?.node ?? .current)
    defer { locks.giveBack(ticket) }
    return try await body()
  }
}

/// Who holds or waits for a lock.
final class LockTicket<Key: Hashable & Sendable>: OwnedResource {
  let key: Key
  let owner = ProcessCore.current
  let isOwnTask = ProcessCore.current?.isOwnTask == true
  let turn = EventWait()
  private let locks: RegistryLocks<Key>

  init(_ key: Key, in locks: RegistryLocks<Key>) {
    self.key = key
    self.locks = locks
  }

  func ownerReleased(_ owner: PID, reason: ExitReason) { locks.release(self) }
}

/// The locks of a registry: one for each key that somebody holds.
package final class RegistryLocks<Key: Hashable & Sendable>: Sendable {
  private let machine = Lock(LockMachine<Key, LockTicket<Key>>())

  func acquire(
    _ ticket: LockTicket<Key>, timeout: UInt64?, on node: Node
  ) async throws(RegistryError) {
    if let owner = ticket.owner, !owner.adopt(ticket) { throw .cancelled }
    let (isFirst, holder) = machine.withLock { machine in
      (machine.enter(ticket, for: ticket.key), machine.holder(of: ticket.key))
    }
    if isFirst { return }
    if let holder, ticket.isOwnTask, holder.isOwnTask, holder.owner === ticket.owner {
      giveBack(ticket)
      throw .alreadyHeld(key: "\(ticket.key)")
    }
    guard let interruption = await ticket.turn.wait(timeout: timeout, on: node) else { return }
    // Its turn may have come just now: then it goes to the next.
    giveBack(ticket)
    throw interruption == .timeout ? .timeout : .cancelled
  }

  func giveBack(_ ticket: LockTicket<Key>) {
    release(ticket)
    ticket.owner?.disown(ticket)
  }

  func release(_ ticket: LockTicket<Key>) {
    machine.withLock { $0.leave(ticket, for: ticket.key) }?.turn.signal()
  }

  /// How many locks are held.
  package var count: Int { machine.withLock { $0.count } }
}

/// Whose turn it is, as a pure state machine: of each key a queue, whose first holds the lock.
package struct LockMachine<Key: Hashable & Sendable, Ticket: AnyObject & Sendable>: Sendable {
  private var queues: [Key: [Ticket]] = [:]

  package init() {}

  package var count: Int { queues.count }

  package func holder(of key: Key) -> Ticket? { queues[key]?.first }

  /// - Returns: true if the ticket holds the lock at once.
  package mutating func enter(_ ticket: Ticket, for key: Key) -> Bool {
    queues[key, default: []].append(ticket)
    return queues[key]?.count == 1
  }

  /// Takes a ticket out, wherever it stands; nothing happens if it does nowhere.
  ///
  /// - Returns: who holds the lock from now on, if that changed.
  package mutating func leave(_ ticket: Ticket, for key: Key) -> Ticket? {
    guard var queue = queues[key], let index = queue.firstIndex(where: { $0 === ticket }) else {
      return nil
    }
    queue.remove(at: index)
    queues[key] = queue.isEmpty ? nil : queue
    return index == 0 ? queue.first : nil
  }
}
