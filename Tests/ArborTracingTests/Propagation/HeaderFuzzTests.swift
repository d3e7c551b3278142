import ArborPrimitives
import ArborTracing
import Testing

/// Headers out of pieces that mean something, and noise between them: nothing traps, and what was
/// read can be written and read again.
@Suite struct HeaderFuzzTests {
  private static let pieces = [
    "00", "01", "ff", "-", "--", "12345678901234567890123456789012", "1234567890123456", ",", ";",
    "=",
    "%", "%41", "%C3", "%A9", "é", " ", "\t", "\r\n", "\u{0}", "@", "foo", "bar", "foo=1", "FOO",
    "\"", "\\",
    "00-12345678901234567890123456789012-1234567890123456-01", String(repeating: "x", count: 300),
    String(repeating: "k=v,", count: 40), "😀", "\u{301}",
  ]

  private static func text(_ random: inout SeededGenerator) -> String {
    (0..<Int.random(in: 0..<12, using: &random)).map { _ in
      pieces[Int.random(in: 0..<pieces.count, using: &random)]
    }.joined()
  }

  @Test("whatever the headers are", arguments: 0..<20 as Range<UInt64>)
  func anything(seed: UInt64) throws {
    var random = SeededGenerator(seed: seed)
    for _ in 0..<500 {
      var headers = ["traceparent", "tracestate", "tracestate", "baggage", "baggage"].map {
        ($0, Self.text(&random))
      }
      // Half of them with a parent, for without one the state is not looked at.
      if Bool.random(using: &random) { headers[0].1 = Self.pieces[26] }
      let context = TraceContext(headers: headers)
      try HeaderRules.check(context)
    }
  }
}
