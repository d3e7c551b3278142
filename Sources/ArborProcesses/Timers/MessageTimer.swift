package import ArborPrimitives
import Synchronization

/// A message on its way to a time: the entry in the clock, and in the list of its destination,
/// which takes its timers along when it ends.
package class MessageTimer: TimerEntry, @unchecked Sendable {
  // Unchecked: `due` is only touched by the one who schedules, who is its maker or, later, its own
  // `fire`; the links belong to the destination and are touched under its lock.
  package enum Destination: Sendable {
    case process(ProcessCore)
    case name(ProcessName, Node)
  }

  final let destination: Destination
  private final let interval: UInt64?
  private final var due: UInt64
  private final let isCancelled = Atomic(false)

  fileprivate final var nextOfProcess: MessageTimer?
  fileprivate final unowned(unsafe) var previousOfProcess: MessageTimer?
  fileprivate final var isListed = false

  init(_ destination: Destination, due: UInt64, interval: UInt64?) {
    self.destination = destination
    self.due = due
    self.interval = interval
    super.init()
  }

  /// Makes what is sent: anew each time, as a mail can stand in one mailbox only.
  func makeMail() -> Mail { fatalError("a timer without a message") }

  private final var clock: any NodeClock {
    switch destination {
    case .process(let core): core.node.clock
    case .name(_, let node): node.clock
    }
  }

  final func start() {
    if case .process(let core) = destination, !core.machine.withLock({ $0.insert(self) }) {
      isCancelled.store(true, ordering: .sequentiallyConsistent)
      return
    }
    schedule()
  }

  private final func schedule() {
    let clock = clock
    clock.schedule(self, at: due)
    // Cancelled between two of its messages, or its destination ended while it was being set:
    // nobody saw it in the clock.
    if isCancelled.load(ordering: .sequentiallyConsistent) { clock.cancel(self) }
  }

  final func cancel() -> UInt64? {
    isCancelled.store(true, ordering: .sequentiallyConsistent)
    guard let left = clock.cancel(self) else { return nil }
    if case .process(let core) = destination { core.machine.withLock { $0.timers.remove(self) } }
    return left
  }

  final var remaining: UInt64? {
    isCancelled.load(ordering: .sequentiallyConsistent) ? nil : clock.remaining(self)
  }

  /// The destination is gone, and has forgotten the timer.
  final func abandon() {
    isCancelled.store(true, ordering: .sequentiallyConsistent)
    clock.cancel(self)
  }

  override package final func fire() {
    let repeats = interval != nil && !isCancelled.load(ordering: .sequentiallyConsistent)
    switch destination {
    case .process(let core):
      let mail = makeMail()
      let delivery = core.machine.withLock { machine in
        if !repeats { machine.timers.remove(self) }
        return machine.deliver(mail)
      }
      if core.settle(delivery) == nil { core.noteReceive(mail) }
    case .name(let name, let node): node.names.find(name)?.deliver(makeMail())
    }
    guard repeats, let interval else { return }
    due = due.addingClamped(interval)
    schedule()
  }
}

/// A timer with its message.
final class ValueTimer<Value: Sendable>: MessageTimer, @unchecked Sendable {
  // Unchecked: as `MessageTimer`; the rest never changes.
  private let value: Value
  private let context: Ambient?

  init(
    _ value: Value, context: Ambient?, to destination: Destination, due: UInt64, interval: UInt64?
  ) {
    self.value = value
    self.context = context
    super.init(destination, due: due, interval: interval)
  }

  override func makeMail() -> Mail { Mail.make(.message, value, context: context) }
}

/// The timers whose destination one process is: a list through the timers themselves, so that one
/// that fires or is cancelled leaves it in a few writes, however many there are.
package struct TimerList: @unchecked Sendable {
  // Unchecked: guarded as a whole by the lock of the process it belongs to.
  private var head: MessageTimer?

  mutating func insert(_ timer: MessageTimer) {
    timer.nextOfProcess = head
    head?.previousOfProcess = timer
    head = timer
    timer.isListed = true
  }

  mutating func remove(_ timer: MessageTimer) {
    guard timer.isListed else { return }
    timer.isListed = false
    let next = timer.nextOfProcess
    timer.nextOfProcess = nil
    next?.previousOfProcess = timer.previousOfProcess
    if let previous = timer.previousOfProcess {
      previous.nextOfProcess = next
    } else {
      head = next
    }
    timer.previousOfProcess = nil
  }

  mutating func takeAll() -> [MessageTimer] {
    var all: [MessageTimer] = []
    while let timer = head {
      remove(timer)
      all.append(timer)
    }
    return all
  }
}

extension ProcessMachine {
  /// - Returns: false if the process has ended or is ending: it gets no more mail.
  mutating func insert(_ timer: MessageTimer) -> Bool {
    guard case .running = status, hasMailbox else { return false }
    timers.insert(timer)
    return true
  }
}

extension ProcessCore {
  func startTimer<Message: Sendable>(
    _ message: Message, to destination: MessageTimer.Destination, after time: Duration,
    every interval: Duration?
  ) -> TimerRef {
    let clock =
      switch destination {
      case .process(let core): core.node.clock
      case .name(_, let node): node.clock
      }
    let timer = ValueTimer(
      message, context: Ambient.current?.envelope, to: destination,
      due: clock.now().addingClamped(time.wholeNanoseconds), interval: interval?.wholeNanoseconds)
    // What a process that is exiting sets never fires.
    if isFenced { timer.abandon() } else { timer.start() }
    return TimerRef(timer)
  }
}
