// Under the fuzzer the files that it tries are compiled into one module with this one.
#if canImport(ArborTracing)
import ArborTracing
#endif

/// What holds for every context, wherever its headers came from.
enum HeaderRules {
  struct Broken: Error {
    let rule: String
    let headers: [(name: String, value: String)]
  }

  static func check(_ context: TraceContext) throws(Broken) {
    let headers = context.headers
    func require(_ isKept: Bool, _ rule: String) throws(Broken) {
      if !isKept { throw Broken(rule: rule, headers: headers) }
    }
    try require(
      TraceContext(headers: headers.map { ($0.name, $0.value) }) == context,
      "read again, it is the same")
    for (name, value) in headers {
      try require(
        !value.isEmpty && value.utf8.allSatisfy { (0x20...0x7e).contains($0) },
        "\(name) is printable ASCII, and not empty")
      switch name {
      case "traceparent": try require(value.utf8.count == 55, "a traceparent has 55 characters")
      case "tracestate":
        try require(value.split(separator: ",").count <= 32, "a tracestate has at most 32 members")
      default:
        try require(value.split(separator: ",").count <= 64, "baggage has at most 64 members")
        try require(value.utf8.count <= 8192, "baggage has at most 8192 bytes")
      }
    }
    var copy = ["Baggage": "old", "TRACESTATE": "old", "accept": "text/plain"]
    context.inject(into: &copy)
    try require(copy.count == headers.count + 1, "what is injected replaces what was there")
    try require(TraceContext(headers: copy) == context, "a dictionary carries it")
  }
}
