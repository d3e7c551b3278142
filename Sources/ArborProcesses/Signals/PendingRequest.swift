import ArborPrimitives

/// A request whose answer somebody else waits for: the sender goes on, and asks for it later.
///
///     let request = counter.sendRequest { .value($0) }
///     …
///     let value = try await request.receiveResponse(timeout: .seconds(1))
///
/// Copies are the same request. One that everybody lets go of is forgotten; the server answers in vain.
///
/// OTP: the `request_id()` of `gen_server:send_request/2`.
public struct PendingRequest<Reply: Sendable>: Sendable {
  private enum State: Sendable {
    case sent(CallWait<Reply>, ResponseListener)
    /// It could not be sent.
    case failed(CallError)
  }
  private let state: State

  /// A request to a process; it is not sent yet.
  package init(to server: ProcessCore) {
    let wait = CallWait<Reply>(server: server)
    let listener = ResponseListener(wait)
    _ = wait.arm(.listener(listener))
    state = .sent(wait, listener)
  }

  package init(failed error: CallError) { state = .failed(error) }

  /// Sends it.
  package func send<Request: Sendable>(_ request: (From<Reply>) -> Request) {
    guard case .sent(let wait, _) = state else { return }
    wait.server.submit(request, as: wait, Ambient.current)
  }

  /// Waits for the answer, and gives the request up if it does not come in time: one that comes later
  /// is dropped.
  ///
  /// - Parameter timeout: how long to wait; nil, the default, without end.
  /// - Throws: ``CallError``, as a call does.
  ///
  /// OTP: `gen_server:receive_response/2`.
  public func receiveResponse(timeout: Duration? = nil) async throws(CallError) -> Reply {
    do {
      return try await waitResponse(timeout: timeout)
    } catch {
      abandon()
      throw error
    }
  }

  /// Waits for the answer; if it does not come in time the request stays in flight, and may be waited
  /// for again.
  ///
  /// - Parameter timeout: how long to wait; zero looks whether it has come; nil, the default, waits
  ///   without end.
  /// - Throws: ``CallError``, as a call does; `timeout` and `cancelled` leave the request in flight.
  ///
  /// OTP: `gen_server:wait_response/2`.
  public func waitResponse(timeout: Duration? = nil) async throws(CallError) -> Reply {
    switch state {
    case .failed(let error): throw error
    case .sent(let wait, let listener):
      try await listener.inbox.wait(timeout: timeout, for: { wait.hasEnded }, of: wait.server)
      return try wait.get()
    }
  }

  /// The answer, if it has come; nil if it has not.
  ///
  /// OTP: `gen_server:check_response/2`.
  public func checkResponse() -> Result<Reply, CallError>? {
    switch state {
    case .failed(let error): .failure(error)
    case .sent(let wait, _): wait.hasEnded ? wait.outcome : nil
    }
  }

  /// Gives the request up: an answer that comes later is dropped.
  ///
  /// OTP: `gen_server:receive_response/2` with a timeout of zero.
  public func abandon() {
    if case .sent(let wait, _) = state { wait.fail(.cancelled) }
  }

  /// From now on its answer is told to a collection.
  func redirect(to inbox: ResponseInbox, as key: Int) {
    switch state {
    case .failed: inbox.arrive(key)
    case .sent(_, let listener): listener.redirect(to: inbox, as: key)
    }
  }
}

extension PendingRequest: CustomStringConvertible {
  public var description: String {
    switch state {
    case .failed(let error): "a request that failed: \(error)"
    case .sent(let wait, _): "a request to \(wait.server.pid)"
    }
  }
}

/// Hears of the answer to one request and says so to whom it concerns.
@usableFromInline
package final class ResponseListener: Sendable {
  private let call: AnyCallWait
  private let place: Lock<(inbox: ResponseInbox, key: Int)>

  init(_ call: AnyCallWait) {
    self.call = call
    place = Lock((ResponseInbox(), 0))
  }

  var inbox: ResponseInbox { place.withLock { $0.inbox } }

  /// The answer has come, or the call has failed.
  func hear() {
    call.server.machine.withLock { $0.calls.remove(call) }
    let (inbox, key) = place.withLock { $0 }
    inbox.arrive(key)
  }

  /// From now on another is told, at once if the answer is there.
  func redirect(to inbox: ResponseInbox, as key: Int) {
    place.withLock { $0 = (inbox, key) }
    // Heard between the two lines or before: the new one may be told twice.
    if call.hasEnded { inbox.arrive(key) }
  }
}

/// Where the answers to several requests come in, in their order.
package final class ResponseInbox: Sendable {
  private struct State: Sendable {
    var arrived: [Int] = []
    var waiting: [ResponseWait] = []
  }
  private let state = Lock(State())

  init() {}

  func arrive(_ key: Int) {
    let waiting = state.withLock { state in
      state.arrived.append(key)
      defer { state.waiting = [] }
      return state.waiting
    }
    for wait in waiting { wait.end {} }
  }

  var hasArrivals: Bool { state.withLock { !$0.arrived.isEmpty } }

  /// The first answer that has not been asked for.
  func next() -> Int? {
    state.withLock { $0.arrived.isEmpty ? nil : $0.arrived.removeFirst() }
  }

  /// Waits until something has arrived, and `isDone` says that it is what was waited for.
  ///
  /// - Parameter server: whom a wait for is in vain if it is the caller.
  func wait(
    timeout: Duration?, for isDone: @Sendable () -> Bool, of server: ProcessCore?
  ) async throws(CallError) {
    if let timeout, timeout < .zero { throw .badarg }
    let caller = ProcessCore.current
    let own = caller?.isOwnTask == true ? caller : nil
    let node = Node.current
    let deadline = timeout.map { node.clock.now().addingClamped($0.wholeNanoseconds) }
    while !isDone() {
      if caller?.isFenced == true { throw .cancelled }
      if own != nil, own === server { throw .callingSelf }
      if let deadline, node.clock.now() >= deadline { throw .timeout }
      let wait = ResponseWait()
      if let own {
        guard own.enter(wait, until: deadline ?? .max) else { throw .cancelled }
      } else if let deadline {
        wait.clock = node.clock
        node.clock.schedule(wait, at: deadline)
      }
      state.withLock { $0.waiting.append(wait) }
      // Arrived before it was entered.
      if isDone() { wait.end {} }
      if let own { await own.parking.park() } else { await wait.suspend() }
      wait.clock?.cancel(wait)
      state.withLock { state in state.waiting.removeAll { $0 === wait } }
      switch wait.interruption {
      case nil: break
      case .timeout:
        if isDone() { return }
        throw .timeout
      case .exiting, .cancelled: throw .cancelled
      }
    }
  }
}

/// A wait for any of several answers.
final class ResponseWait: Wait, @unchecked Sendable {
  // Unchecked: as `Wait`.
  private(set) var interruption: Interruption?

  override func interrupt(_ interruption: Interruption) {
    end { self.interruption = interruption }
  }
}
