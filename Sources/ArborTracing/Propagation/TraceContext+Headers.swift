extension TraceContext {
  /// Reads the context out of the headers of a request: `traceparent`, `tracestate` and `baggage`,
  /// whatever the case of their names.
  ///
  ///     let context = TraceContext(headers: ["Traceparent": "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01"])
  ///
  /// Never fails: with a `traceparent` that is malformed, missing or there twice there is no parent,
  /// and what is opened under the context begins a new trace; a malformed `tracestate` is ignored;
  /// of `baggage`, what is malformed. Several headers of one of these two names are one list.
  ///
  /// - Parameter headers: names and values; a dictionary, or pairs.
  public init(headers: some Sequence<(key: String, value: String)>) {
    self.init(fields: headers.lazy.map { ($0.key, $0.value) })
  }

  /// As ``init(headers:)``, of pairs.
  public init(headers: some Sequence<(String, String)>) { self.init(fields: headers) }

  /// As ``init(headers:)``, of headers that each may have several values.
  public init(headers: [String: [String]]) {
    self.init(fields: headers.lazy.flatMap { name, values in values.lazy.map { (name, $0) } })
  }

  private init(fields: some Sequence<(String, String)>) {
    var parents: [String] = []
    var states: [String] = []
    var baggages: [String] = []
    for (name, value) in fields {
      if name.isHeaderName(Self.traceparent) {
        parents.append(value)
      } else if name.isHeaderName(Self.tracestate) {
        states.append(value)
      } else if name.isHeaderName(Self.baggage) {
        baggages.append(value)
      }
    }
    // Only with a valid parent is the state looked at.
    if parents.count == 1 { parent = Parent(traceparent: parents[0]) }
    parent?.state = TraceState(header: states.joined(separator: ",")) ?? TraceState()
    baggage = Baggage(header: baggages.joined(separator: ","))
  }

  private static let traceparent = "traceparent"
  private static let tracestate = "tracestate"
  private static let baggage = "baggage"

  /// The headers to send: names in lower case, none of them empty. No parent, no `traceparent`.
  public var headers: [(name: String, value: String)] {
    var headers: [(name: String, value: String)] = []
    if let parent {
      headers.append((Self.traceparent, parent.traceparent))
      if !parent.state.isEmpty { headers.append((Self.tracestate, "\(parent.state)")) }
    }
    if !baggage.isEmpty { headers.append((Self.baggage, "\(baggage)")) }
    return headers
  }

  /// Puts the context into the headers of a request.
  ///
  /// Afterwards they say what the context says and nothing else: what there was of the three headers,
  /// whatever the case of its name, is gone.
  public func inject(into headers: inout [String: String]) {
    for name in headers.keys where Self.isOurs(name) { headers[name] = nil }
    for (name, value) in self.headers { headers[name] = value }
  }

  /// As ``inject(into:)-([String:String])``, into pairs.
  public func inject(into headers: inout [(String, String)]) {
    headers.removeAll { Self.isOurs($0.0) }
    for (name, value) in self.headers { headers.append((name, value)) }
  }

  /// As ``inject(into:)-([String:String])``, into headers that each may have several values.
  public func inject(into headers: inout [String: [String]]) {
    for name in headers.keys where Self.isOurs(name) { headers[name] = nil }
    for (name, value) in self.headers { headers[name] = [value] }
  }

  private static func isOurs(_ name: String) -> Bool {
    [traceparent, tracestate, baggage].contains { name.isHeaderName($0) }
  }
}
