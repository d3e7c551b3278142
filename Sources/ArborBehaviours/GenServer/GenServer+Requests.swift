public import ArborProcesses

extension ServerRef {
  /// Sends a request and goes on; the answer is asked for later, or taken with others' out of a
  /// ``ArborProcesses/RequestCollection``.
  ///
  ///     let request = counter.sendRequest { .value($0) }
  ///     let value = try await request.receiveResponse()
  ///
  /// It never fails: that there is no such server is the answer then.
  ///
  /// OTP: `gen_server:send_request/2`.
  public func sendRequest<Reply: Sendable>(
    _ request: (From<Reply>) -> Server.Call
  ) -> PendingRequest<Reply> {
    if ProcessCore.current?.isFenced == true { return PendingRequest(failed: .cancelled) }
    do throws(CallError) {
      let pending = PendingRequest<Reply>(to: try resolve())
      if let observer = Server.messageTracing.post?.observer {
        observer.casting(Server.self) { pending.send(request) }
      } else {
        pending.send(request)
      }
      return pending
    } catch {
      return PendingRequest(failed: error)
    }
  }

  /// Sends a request and puts it into a collection.
  ///
  /// OTP: `gen_server:send_request/4`.
  public func sendRequest<Label: Sendable, Reply: Sendable>(
    label: Label, into requests: RequestCollection<Label, Reply>,
    _ request: (From<Reply>) -> Server.Call
  ) {
    requests.add(sendRequest(request), label: label)
  }
}

/// Who answered a request to many, and who did not; in the order in which they were asked.
///
/// OTP: the replies and bad nodes of `gen_server:multi_call/2,3,4`.
public struct MultiCallResult<Server: GenServer, Reply: Sendable>: Sendable {
  public let replies: [(server: ServerRef<Server>, reply: Reply)]
  /// Those who did not, and why: `noproc`, what they ended with, `timeout`.
  public let failures: [(server: ServerRef<Server>, error: CallError)]
}

extension GenServer {
  /// Asks many servers the same at once, and waits for them all.
  ///
  ///     let shards = names.map { ServerRef<Shard>(named: $0) }
  ///     let result = try await Shard.multiCall(shards, timeout: .seconds(1)) { .count($0) }
  ///     print(result.replies.map(\.reply).reduce(0, +), "from all but", result.failures.count)
  ///
  /// - Parameter timeout: how long to wait for the last; nil, the default, without end. Who is late has
  ///   failed, and an answer that still comes is dropped.
  /// - Throws: ``ArborProcesses/CallError``: `cancelled` if the caller is to end, `badarg` for a negative timeout.
  ///
  /// OTP: `gen_server:multi_call/2,3,4`.
  public static func multiCall<Reply: Sendable>(
    _ servers: [ServerRef<Self>], timeout: Duration? = nil, _ request: (From<Reply>) -> Call
  ) async throws(CallError) -> MultiCallResult<Self, Reply> {
    if let timeout, timeout < .zero { throw .badarg }
    let requests = RequestCollection<Int, Reply>()
    for (index, server) in servers.enumerated() {
      server.sendRequest(label: index, into: requests, request)
    }
    let clock = Node.current.clock
    let start = clock.now()
    var results = [Result<Reply, CallError>](repeating: .failure(.timeout), count: servers.count)
    do throws(CallError) {
      while true {
        let left = timeout.map { max($0 - .nanoseconds(clock.now() - start), .zero) }
        guard let response = try await requests.receiveResponse(timeout: left) else { break }
        results[response.label] = response.result
      }
    } catch {
      if error != .timeout { throw error }
    }
    var replies: [(server: ServerRef<Self>, reply: Reply)] = []
    var failures: [(server: ServerRef<Self>, error: CallError)] = []
    for (server, result) in zip(servers, results) {
      switch result {
      case .success(let reply): replies.append((server, reply))
      case .failure(let error): failures.append((server, error))
      }
    }
    return MultiCallResult(replies: replies, failures: failures)
  }

  /// Asks the servers that hold one name on several nodes.
  ///
  /// OTP: `gen_server:multi_call/3,4`.
  public static func multiCall<Reply: Sendable>(
    named name: ProcessName, on nodes: [Node], timeout: Duration? = nil,
    _ request: (From<Reply>) -> Call
  ) async throws(CallError) -> MultiCallResult<Self, Reply> {
    try await multiCall(nodes.map { ServerRef(named: name, on: $0) }, timeout: timeout, request)
  }

  /// Casts to many servers. Those who are not there do not hear it.
  ///
  /// OTP: `gen_server:abcast/2,3`.
  public static func abcast(_ servers: [ServerRef<Self>], _ request: Cast) {
    for server in servers { server.cast(request) }
  }

  /// Casts to the servers that hold one name on several nodes.
  ///
  /// OTP: `gen_server:abcast/3`.
  public static func abcast(named name: ProcessName, on nodes: [Node], _ request: Cast) {
    abcast(nodes.map { ServerRef(named: name, on: $0) }, request)
  }
}
