import ArborPrimitives
import Synchronization

/// Mail that has been handled and is empty, for the next messages that are sent.
///
/// Most of what a short message costs is its memory, all the more where sender and receiver are on two
/// cores: then the allocator has them wait for one another. So each worker keeps some, which nobody else
/// touches. One that has too many, as a receiver's has, gives all to the pool, from which a sender's worker
/// gets them at once. A thread that is no worker makes its mail and lets go of it.
struct SpareMail: ~Copyable {
  private var top: Mail?
  private var count = 0

  /// As many are kept, or handed over.
  static let limit = 64

  var isFull: Bool { count >= Self.limit }

  /// Takes a mail that is empty out of a variable that alone has held it.
  @inline(__always) mutating func push(_ mail: inout Mail?) {
    guard let spare = mail.map(Unmanaged.passUnretained) else { return }
    spare._withUnsafeGuaranteedRef { $0.next = top.take() }
    top = mail.take()
    count += 1
  }

  @inline(__always) mutating func pop() -> Mail? {
    guard let mail = top.take() else { return nil }
    top = mail.next.take()
    count -= 1
    return mail
  }

  /// Leaves it empty, and hands over what there was.
  mutating func takeAll() -> SpareMailStack {
    defer { (top, count) = (nil, 0) }
    return SpareMailStack(top, count)
  }

  mutating func fill(_ stack: SpareMailStack) { (top, count) = (stack.top, stack.count) }
}

/// What is handed over: mails linked one to the other.
struct SpareMailStack: Sendable {
  fileprivate let top: Mail?
  fileprivate let count: Int

  fileprivate init(_ top: Mail?, _ count: Int) {
    self.top = top
    self.count = count
  }
}

/// The spare mail that workers of a pool have handed over and others not yet taken.
final class SpareMailDepot: Sendable {
  private let stacks = Lock<[SpareMailStack]>([])
  /// How many there are, for those who would only look.
  private let count = Atomic(0)

  /// More are let go of.
  static let limit = 8

  init() {}

  var hasRoom: Bool { count.load(ordering: .relaxed) < Self.limit }

  func put(_ stack: SpareMailStack) {
    stacks.withLock { stacks in
      if stacks.count < Self.limit { stacks.append(stack) }
      count.store(stacks.count, ordering: .relaxed)
    }
  }

  func take() -> SpareMailStack? {
    if count.load(ordering: .relaxed) == 0 { return nil }
    return stacks.withLock { stacks in
      defer { count.store(stacks.count, ordering: .relaxed) }
      return stacks.popLast()
    }
  }
}

extension PoolWorker {
  func takeSpareMail() -> Mail? {
    if let mail = spareMail.pop() { return mail }
    guard let stack = core.spareMail.take() else { return nil }
    spareMail.fill(stack)
    return spareMail.pop()
  }

  func keep(_ mail: inout Mail?) {
    if spareMail.isFull {
      // Nobody takes any: the senders are no workers of this pool.
      guard core.spareMail.hasRoom else { return }
      core.spareMail.put(spareMail.takeAll())
    }
    spareMail.push(&mail)
  }
}

extension ProcessCore {
  /// A mail for a message to this process: a spare one, if the calling thread has any.
  @inlinable
  @inline(__always)
  package func makeMail<Value: Sendable>(
    _ kind: Mail.Kind, _ value: Value, context: Ambient?
  ) -> Mail {
    let mail = takeSpareMail() ?? Mail()
    mail.fill(kind, value, context)
    return mail
  }

  @usableFromInline
  func takeSpareMail() -> Mail? {
    node.currentWorker?._withUnsafeGuaranteedRef { $0.takeSpareMail() }
  }

  /// Lets go of a mail that this process has handled: it is emptied for another message, if nobody else
  /// knows of it.
  ///
  /// - Parameter type: what is likely inside.
  @inlinable
  @inline(__always)
  package func recycle<Value>(_ mail: consuming Mail, as type: Value.Type) {
    var last: Mail? = consume mail
    guard isKnownUniquelyReferenced(&last) else { return }
    if last.unsafelyUnwrapped.type == type { last.unsafelyUnwrapped.clear(as: type) }
    keep(&last)
  }

  @usableFromInline
  func keep(_ mail: inout Mail?) {
    guard let spare = mail.map(Unmanaged.passUnretained), let worker = node.currentWorker else {
      return
    }
    let isShown = spare._withUnsafeGuaranteedRef { spare in
      // Before the worker's own mail is touched: this may run code that sends.
      spare.empty()
      return spare.isShown
    }
    if !isShown { worker._withUnsafeGuaranteedRef { $0.keep(&mail) } }
  }
}
