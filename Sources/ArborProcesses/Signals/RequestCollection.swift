import ArborPrimitives

/// Requests in flight, each under a label, whose answers are taken in the order in which they come.
///
///     let requests = RequestCollection<String, Int>()
///     for name in ["apples", "pears"] { requests.add(stock[name].sendRequest { .count($0) }, label: name) }
///     while let response = try await requests.receiveResponse(timeout: .seconds(1)) {
///       print(response.label, try response.result.get())
///     }
///
/// OTP: the `request_id_collection()` of `gen_server:reqids_new/0`.
public final class RequestCollection<Label: Sendable, Reply: Sendable>: Sendable {
  /// The answer to one of the requests.
  public struct Response: Sendable {
    public let label: Label
    public let result: Result<Reply, CallError>
  }

  private struct State: Sendable {
    var lastKey = 0
    var requests: [Int: (request: PendingRequest<Reply>, label: Label)] = [:]
  }
  private let state = Lock(State())
  private let inbox = ResponseInbox()

  /// An empty collection.
  public init() {}

  /// Puts a request in. From now on its answer comes here; it is to be waited for here alone.
  ///
  /// OTP: `gen_server:reqids_add/3`.
  public func add(_ request: PendingRequest<Reply>, label: Label) {
    let key = state.withLock { state in
      state.lastKey += 1
      state.requests[state.lastKey] = (request, label)
      return state.lastKey
    }
    request.redirect(to: inbox, as: key)
  }

  /// How many requests are in it.
  ///
  /// OTP: `gen_server:reqids_size/1`.
  public var count: Int { state.withLock { $0.requests.count } }
  public var isEmpty: Bool { count == 0 }

  /// The requests in it, oldest first.
  ///
  /// OTP: `gen_server:reqids_to_list/1`.
  public var requests: [(request: PendingRequest<Reply>, label: Label)] {
    state.withLock { $0.requests }.sorted { $0.key < $1.key }.map(\.value)
  }

  /// Waits for the next answer and takes it out. If none comes in time all requests are given up, and
  /// the collection is empty.
  ///
  /// - Parameter timeout: how long to wait; nil, the default, without end.
  /// - Returns: nil if there is no request in it.
  /// - Throws: ``CallError``: `timeout`, `cancelled`, `badarg`. What a request failed with is in its
  ///   response.
  ///
  /// OTP: `gen_server:receive_response/3`.
  public func receiveResponse(timeout: Duration? = nil) async throws(CallError) -> Response? {
    do {
      return try await waitResponse(timeout: timeout)
    } catch {
      abandon()
      throw error
    }
  }

  /// Waits for the next answer and takes it out. If none comes in time all requests stay in flight.
  ///
  /// Parameters, result and errors as in ``receiveResponse(timeout:)``.
  ///
  /// OTP: `gen_server:wait_response/3`.
  public func waitResponse(timeout: Duration? = nil) async throws(CallError) -> Response? {
    while true {
      if let response = checkResponse() { return response }
      if isEmpty { return nil }
      try await inbox.wait(
        timeout: timeout, for: { self.inbox.hasArrivals || self.isEmpty }, of: nil)
    }
  }

  /// Takes out the next answer, if one has come.
  ///
  /// OTP: `gen_server:check_response/3`.
  public func checkResponse() -> Response? {
    while let key = inbox.next() {
      // One that is not there was told twice.
      guard let (request, label) = state.withLock({ $0.requests.removeValue(forKey: key) }),
        let result = request.checkResponse()
      else { continue }
      return Response(label: label, result: result)
    }
    return nil
  }

  /// Gives all requests up.
  public func abandon() {
    let requests = state.withLock { state in
      defer { state.requests = [:] }
      return Array(state.requests.values)
    }
    for (request, _) in requests { request.abandon() }
  }
}
