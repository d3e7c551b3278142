import ArborPrimitives
public import Synchronization

extension Node {
  /// Tells what processes of this node send, receive and hear.
  ///
  ///     let trace = node.trace(.new, .all, limit: 1000) { event in print(event) }
  ///
  /// The handler runs in whatever code the event is of, at once, so let it be short. What it sends
  /// itself is not traced. Events of one process come in its order, those of different processes in
  /// no certain one.
  ///
  /// - Parameters:
  ///   - scope: which processes; others than this node's are left out.
  ///   - events: what of them.
  ///   - limit: the number of events after which it ends.
  ///   - perSecond: how many events to tell in one second; the others are counted only.
  ///   - owner: the process whose end ends it; the calling process if not said, and code outside any
  ///     process has it end by its limit only.
  /// - Returns: the trace, to stop it. It goes on if nobody holds it.
  ///
  /// OTP: `erlang:trace/3`, `recon_trace:calls/3`.
  @discardableResult
  public func trace(
    _ scope: MessageTrace.Scope, _ events: MessageTrace.Events = .all, limit: Int = 1000,
    perSecond: Int = 1000, owner: PID? = nil,
    _ handler: @escaping @Sendable (MessageTrace.Event) -> Void
  ) -> MessageTrace {
    let scope: TraceScope =
      switch scope {
      case .processes(let pids): .processes(Set(pids.lazy.filter { $0.node === self }.map(\.id)))
      case .new: .after(latestID)
      case .all: .all
      }
    let owner = owner?.core ?? ProcessCore.current
    let trace = MessageTrace(
      messageTraces, scope, events.intersection(.all),
      TraceMeter(limit: max(0, limit), perSecond: max(0, perSecond)), owner: owner, handler)
    guard trace.isOn else { return trace }
    messageTraces.add(trace)
    if let owner, !owner.adopt(trace) { trace.stop() }
    return trace
  }

  var messageTraces: MessageTraces { part(MessageTraces.self) { MessageTraces($0) } }
}

/// The traces of a node that are on, and the flags of its processes that say so.
final class MessageTraces: Sendable {
  // Not owned: the node holds this.
  private unowned let node: Node
  private let traces = Lock<[MessageTrace]>([])

  /// True in a trace's handler: what it does is not traced, or there would be no end.
  @TaskLocal private static var isTelling = false

  init(_ node: Node) { self.node = node }

  func add(_ trace: MessageTrace) {
    traces.withLock { traces in
      traces.append(trace)
      refreshAll(traces)
    }
  }

  func remove(_ trace: MessageTrace) {
    let removed = traces.withLock { traces -> MessageTrace? in
      guard let index = traces.firstIndex(where: { $0 === trace }) else { return nil }
      let removed = traces.remove(at: index)
      refreshAll(traces)
      return removed
    }
    _ = removed
  }

  /// Sets the flags of a process that was started while something was traced.
  func refresh(_ core: ProcessCore) {
    traces.withLock { refresh(core, $0) }
  }

  // New processes first: one that is started meanwhile either is in the table by now or sees it.
  private func refreshAll(_ traces: [MessageTrace]) {
    if !traces.isEmpty { FenceGauge.shared.askSenders() }
    let new = traces.lazy.filter(\.scope.coversNew).reduce(0) { $0 | $1.events.rawValue }
    node.newWatch.bitwiseAnd(Watch.timing, ordering: .sequentiallyConsistent)
    node.newWatch.bitwiseOr(new, ordering: .sequentiallyConsistent)
    for core in node.processes.all { refresh(core, traces) }
  }

  private func refresh(_ core: ProcessCore, _ traces: [MessageTrace]) {
    let bits = traces.lazy.filter { $0.scope.covers(core) }.reduce(0) { $0 | $1.events.rawValue }
    core.watch.bitwiseAnd(Watch.timing, ordering: .relaxed)
    core.watch.bitwiseOr(bits, ordering: .relaxed)
  }

  func tell(_ kind: MessageTrace.Events, of core: ProcessCore, _ what: MessageTrace.Event.What) {
    if MessageTraces.isTelling { return }
    let concerned = traces.withLock { traces in
      traces.filter { $0.events.contains(kind) && $0.scope.covers(core) }
    }
    guard !concerned.isEmpty else { return }
    let event = MessageTrace.Event(pid: core.pid, what: what, time: node.clock.now())
    MessageTraces.$isTelling.withValue(true) {
      for trace in concerned { trace.tell(event) }
    }
  }
}

extension ProcessCore {
  /// Sets the flags that its node has for new processes.
  func watchAsNew() {
    watch.store(node.newWatch.load(ordering: .relaxed) & Watch.timing, ordering: .relaxed)
    node.messageTraces.refresh(self)
  }

  @inline(__always) private func isTraced(_ kind: MessageTrace.Events) -> Bool {
    watch.load(ordering: .relaxed) & kind.rawValue != 0
  }

  @inlinable
  @inline(__always)
  package func noteSend(_ mail: borrowing Mail?, to receiver: ProcessCore) {
    if watch.load(ordering: .relaxed) & Watch.send != 0, let mail = copy mail {
      tellSend(mail, to: receiver)
    }
  }

  @usableFromInline
  func tellSend(_ mail: Mail, to receiver: ProcessCore) {
    tell(.send, .send(mail.payload, to: receiver.pid))
  }

  @inline(__always) func noteReceive(_ mail: Mail) {
    if watch.load(ordering: .relaxed) & Watch.arrival != 0 { tellArrival(mail) }
  }

  @inline(__always) func noteLink(_ what: @autoclosure () -> MessageTrace.Event.What) {
    if isTraced(.link) { tell(.link, what()) }
  }

  @inline(__always) func noteExit(_ reason: ExitReason) {
    if isTraced(.exit) { tell(.exit, .exit(reason)) }
  }

  private func tell(_ kind: MessageTrace.Events, _ what: MessageTrace.Event.What) {
    node.messageTraces.tell(kind, of: self, what)
  }

  private func tellArrival(_ mail: Mail) {
    switch mail.kind {
    case .down:
      if let down = mail.value(as: Down.self) { tell(.down, .down(down)) }
    case .message, .call, .cast, .exit: tell(.receive, .receive(mail.payload))
    case .timeout, .system, .step: break
    }
  }
}
