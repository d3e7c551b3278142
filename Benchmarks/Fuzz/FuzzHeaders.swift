// The W3C headers under libFuzzer; see Benchmarks/fuzz-headers, which builds it together with the files
// that it tries. No target of the package: a program with libFuzzer's own `main` is not one of SwiftPM's.

/// Each line of the input is a header: the first a `traceparent`, then `tracestate` and `baggage` in turn.
@_cdecl("LLVMFuzzerTestOneInput")
public func fuzzHeaders(_ bytes: UnsafePointer<UInt8>?, _ count: Int) -> CInt {
  let input = UnsafeBufferPointer(start: bytes, count: count)
  let lines = input.split(separator: UInt8(ascii: "\n"), omittingEmptySubsequences: false)
  let headers = lines.enumerated().map { index, line in
    let name = index == 0 ? "TraceParent" : index % 2 == 1 ? "tracestate" : "BAGGAGE"
    return (name, String(decoding: line, as: UTF8.self))
  }
  do {
    try HeaderRules.check(TraceContext(headers: headers))
    // Once more without the first, behind a parent that is valid: only then is the rest looked at.
    let valid = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01"
    try HeaderRules.check(TraceContext(headers: [("traceparent", valid)] + headers.dropFirst()))
  } catch {
    fatalError("\(error)")
  }
  return 0
}
