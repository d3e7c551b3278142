import ArborTracing
import Testing

private let trace = "12345678901234567890123456789012"
private let parent = "00-12345678901234567890123456789012-1234567890123456-01"

/// The cases of the W3C's own suite for Trace Context, by their names there.
@Suite struct TraceContextConformanceTests {
  /// Headers, and whether the trace they name goes on.
  struct Case: Sendable, CustomTestStringConvertible {
    let name: String
    let headers: [(String, String)]
    let isContinued: Bool

    init(_ name: String, _ headers: [(String, String)], _ isContinued: Bool) {
      self.name = name
      self.headers = headers
      self.isContinued = isContinued
    }

    /// One `traceparent`.
    init(_ name: String, _ traceparent: String, _ isContinued: Bool = false) {
      self.init(name, [("traceparent", traceparent)], isContinued)
    }

    var testDescription: String { "\(name) \(headers)" }
  }

  static let parents: [Case] = [
    Case("test_both_traceparent_and_tracestate_missing", [], false),
    Case("test_traceparent_included_tracestate_missing", parent, true),
    Case(
      "test_traceparent_duplicated",
      [
        ("traceparent", "00-12345678901234567890123456789011-1234567890123456-01"),
        ("traceparent", parent),
      ], false),
    Case("test_traceparent_header_name", [("trace-parent", parent)], false),
    Case("test_traceparent_header_name", [("trace.parent", parent)], false),
    Case("test_traceparent_header_name_valid_casing", [("TraceParent", parent)], true),
    Case("test_traceparent_header_name_valid_casing", [("TrAcEpArEnT", parent)], true),
    Case("test_traceparent_header_name_valid_casing", [("TRACEPARENT", parent)], true),
    Case("test_traceparent_version_0x00", parent + "."),
    Case("test_traceparent_version_0x00", parent + "-what-the-future-will-be-like"),
    Case("test_traceparent_version_0xcc", "cc-\(trace)-1234567890123456-01", true),
    Case(
      "test_traceparent_version_0xcc",
      "cc-\(trace)-1234567890123456-01-what-the-future-will-be-like", true),
    Case(
      "test_traceparent_version_0xcc",
      "cc-\(trace)-1234567890123456-01.what-the-future-will-not-be-like"),
    Case("test_traceparent_version_0xff", "ff-\(trace)-1234567890123456-01"),
    Case("test_traceparent_version_illegal_characters", ".0-\(trace)-1234567890123456-01"),
    Case("test_traceparent_version_illegal_characters", "0.-\(trace)-1234567890123456-01"),
    Case("test_traceparent_version_too_long", "000-\(trace)-1234567890123456-01"),
    Case("test_traceparent_version_too_long", "0000-\(trace)-1234567890123456-01"),
    Case("test_traceparent_version_too_short", "0-\(trace)-1234567890123456-01"),
    Case(
      "test_traceparent_trace_id_all_zero",
      "00-00000000000000000000000000000000-1234567890123456-01"),
    Case(
      "test_traceparent_trace_id_illegal_characters",
      "00-.2345678901234567890123456789012-1234567890123456-01"),
    Case(
      "test_traceparent_trace_id_illegal_characters",
      "00-1234567890123456789012345678901.-1234567890123456-01"),
    Case(
      "test_traceparent_trace_id_too_long",
      "00-123456789012345678901234567890123-1234567890123456-01"),
    Case(
      "test_traceparent_trace_id_too_short",
      "00-1234567890123456789012345678901-1234567890123456-01"),
    Case("test_traceparent_parent_id_all_zero", "00-\(trace)-0000000000000000-01"),
    Case("test_traceparent_parent_id_illegal_characters", "00-\(trace)-.234567890123456-01"),
    Case("test_traceparent_parent_id_illegal_characters", "00-\(trace)-123456789012345.-01"),
    Case("test_traceparent_parent_id_too_long", "00-\(trace)-12345678901234567-01"),
    Case("test_traceparent_parent_id_too_short", "00-\(trace)-123456789012345-01"),
    Case("test_traceparent_trace_flags_illegal_characters", "00-\(trace)-1234567890123456-.0"),
    Case("test_traceparent_trace_flags_illegal_characters", "00-\(trace)-1234567890123456-0."),
    Case("test_traceparent_trace_flags_too_long", "00-\(trace)-1234567890123456-001"),
    Case("test_traceparent_trace_flags_too_short", "00-\(trace)-1234567890123456-1"),
    Case("test_traceparent_ows_handling", " " + parent, true),
    Case("test_traceparent_ows_handling", "\t" + parent, true),
    Case("test_traceparent_ows_handling", parent + " ", true),
    Case("test_traceparent_ows_handling", parent + "\t", true),
    Case("test_traceparent_ows_handling", "\t " + parent + " \t", true),
    Case("upper-case digits", "00-ABCDEF78901234567890123456789012-1234567890123456-01"),
    Case("upper-case flags", "00-\(trace)-1234567890123456-0A"),
    Case(
      "a later version with the dash and nothing else", "01-\(trace)-1234567890123456-01-", true),
    Case("letters of other alphabets", "00-１2345678901234567890123456789012-1234567890123456-01"),
  ]

  @Test("a traceparent is taken exactly as it should be, or begins a new trace", arguments: parents)
  func traceparent(_ given: Case) {
    let context = TraceContext(headers: given.headers)
    #expect((context.traceID?.description == trace) == given.isContinued)
    #expect((context.parent != nil) == given.isContinued)
  }

  /// `tracestate` headers, and the one that goes on; nil if all are discarded.
  static let states: [(name: String, headers: [String], result: String?)] = [
    ("test_tracestate_included_traceparent_included", ["foo=1,bar=2"], "foo=1,bar=2"),
    ("test_tracestate_empty_header", [""], nil),
    ("test_tracestate_empty_header", ["foo=1", ""], "foo=1"),
    ("test_tracestate_empty_header", ["", "foo=1"], "foo=1"),
    (
      "test_tracestate_multiple_headers_different_keys",
      ["foo=1,bar=2", "rojo=1,congo=2", "baz=3"], "foo=1,bar=2,rojo=1,congo=2,baz=3"
    ),
    ("test_tracestate_duplicated_keys", ["foo=1,foo=1"], "foo=1"),
    ("test_tracestate_duplicated_keys", ["foo=1,foo=2"], "foo=1"),
    ("test_tracestate_duplicated_keys", ["foo=1", "foo=2"], "foo=1"),
    (
      "test_tracestate_all_allowed_characters",
      ["abcdefghijklmnopqrstuvwxyz0123456789_-*/@a-z0-9_-*/=\(allowed)"],
      "abcdefghijklmnopqrstuvwxyz0123456789_-*/@a-z0-9_-*/=\(allowed)"
    ),
    ("test_tracestate_ows_handling", ["foo=1 \t , \t bar=2, \t baz=3"], "foo=1,bar=2,baz=3"),
    ("test_tracestate_ows_handling", ["foo=1\t \t,\t \tbar=2,\t \tbaz=3"], "foo=1,bar=2,baz=3"),
    ("test_tracestate_ows_handling", ["\t foo=1 \t"], "foo=1"),
    ("test_tracestate_key_illegal_characters", ["foo =1"], nil),
    ("test_tracestate_key_illegal_characters", ["FOO=1"], nil),
    ("test_tracestate_key_illegal_characters", ["foo.bar=1"], nil),
    ("test_tracestate_key_illegal_vendor_format", ["foo@=1,bar=2"], "foo@=1,bar=2"),
    ("test_tracestate_key_illegal_vendor_format", ["@foo=1,bar=2"], nil),
    ("test_tracestate_key_illegal_vendor_format", ["foo@@bar=1,bar=2"], "foo@@bar=1,bar=2"),
    ("test_tracestate_key_illegal_vendor_format", ["foo@bar@baz=1,bar=2"], "foo@bar@baz=1,bar=2"),
    ("test_tracestate_member_count_limit", members(1...32), members(1...32).joined(separator: ",")),
    ("test_tracestate_member_count_limit", members(1...33), nil),
    (
      "test_tracestate_key_length_limit", ["foo=1", letters("z", 256) + "=1"],
      "foo=1,\(letters("z", 256))=1"
    ),
    ("test_tracestate_key_length_limit", ["foo=1", letters("z", 257) + "=1"], nil),
    ("test_tracestate_key_length_limit", [letters("t", 242) + "@v=1"], letters("t", 242) + "@v=1"),
    ("test_tracestate_value_illegal_characters", ["foo=bar=baz"], nil),
    ("test_tracestate_value_illegal_characters", ["foo=,bar=3"], nil),
    ("a value of 256 characters", ["foo=" + letters("x", 256)], "foo=" + letters("x", 256)),
    ("a value of 257 characters", ["foo=" + letters("x", 257)], nil),
    ("blanks before a value are its own", ["foo=  1,bar=2"], "foo=  1,bar=2"),
    ("a member without a value", ["foobarbaz"], nil),
    ("letters that are not ASCII", ["foo=ä"], nil),
    ("a line end", ["foo=1\r\nevil: 2"], nil),
  ]

  private static let allowed = String(
    decoding: (0x20...0x7e).filter { $0 != 0x2c && $0 != 0x3d }, as: UTF8.self)

  private static func members(_ range: ClosedRange<Int>) -> [String] {
    range.map { "bar\($0)=\($0)" }
  }

  private static func letters(_ letter: Character, _ count: Int) -> String {
    String(repeating: letter, count: count)
  }

  @Test("a tracestate is taken as a whole or not at all, and never disturbs the parent")
  func tracestate() {
    for (name, headers, result) in Self.states {
      let context = TraceContext(
        headers: [("traceparent", parent)] + headers.map { ("TraceState", $0) })
      #expect(context.traceID?.description == trace, "\(name)")
      #expect(context.parent?.state.description == result ?? "", "\(name) \(headers)")
      // With none to send, there is no empty header.
      #expect(context.headers.count == (result == nil ? 1 : 2), "\(name)")
    }
  }

  @Test("test_tracestate_included_traceparent_missing: then it is discarded")
  func stateAlone() {
    #expect(TraceContext(headers: [("tracestate", "foo=1")]).isEmpty)
    #expect(TraceContext(headers: [("tracestate", "foo=1"), ("traceparent", "nonsense")]).isEmpty)
    for name in ["trace-state", "trace.state"] {
      let context = TraceContext(headers: [("traceparent", parent), (name, "foo=1")])
      #expect(context.parent?.state.isEmpty == true)
    }
  }

  @Test("test_propagates_random_flag: of the flags, the two that are known")
  func flags() throws {
    func resent(_ flags: String) throws -> String {
      let context = TraceContext(headers: [("traceparent", "00-\(trace)-1234567890123456-\(flags)")]
      )
      return String(try #require(context.headers.first).value.suffix(3))
    }
    #expect(try resent("00") == "-00")
    #expect(try resent("01") == "-01")
    #expect(try resent("02") == "-02")
    #expect(try resent("03") == "-03")
    #expect(try resent("ff") == "-03")
    #expect(try resent("fc") == "-00")
  }

  @Test("an entry that is set goes to the front, and pushes the last one out")
  func mutation() throws {
    var state = try #require(TraceState(header: "bar=0"))
    try state.set("foo", to: "1")
    try state.set("bar", to: "2")
    try state.set("baz", to: "3")
    #expect(state.description == "baz=3,bar=2,foo=1")
    for key in ["special@vendor", "special@", "special@@vendor", "1special"] {
      try state.set(key, to: "abracadabra")
      #expect(state.entries.first?.key == key)
      state.remove(key)
    }
    for key in ["@vendor", "special.vendor", Self.letters("z", 257), "FOO", "", "a b"] {
      #expect(throws: PropagationError.invalidKey(key)) { try state.set(key, to: "1") }
    }
    for value in ["", "bar=baz", "a,b", "ends ", Self.letters("x", 257), "tab\t", "ä"] {
      #expect(throws: PropagationError.invalidValue(value)) { try state.set("foo", to: value) }
    }
    #expect(state.description == "baz=3,bar=2,foo=1")
    for number in 0..<40 { try state.set("k\(number)", to: "v") }
    #expect(state.entries.count == 32 && state.entries[0].key == "k39" && state["k7"] == nil)
    #expect(TraceState(header: "\(state)") == state)
  }

  @Test("ids are read as they are written")
  func ids() throws {
    let text = "0af7651916cd43dd8448eb211c80319c"
    #expect(try #require(TraceID(text)).description == text)
    #expect(try #require(SpanID("00f067aa0ba902b7")).description == "00f067aa0ba902b7")
    for bad in ["", String(text.dropLast()), text + "0", text.uppercased(), Self.letters("0", 32)] {
      #expect(TraceID(bad) == nil)
    }
    for bad in ["", "f067aa0ba902b7", "00f067aa0ba902b70", "00F067AA0BA902B7", "0000000000000000"] {
      #expect(SpanID(bad) == nil)
    }
    #expect(TraceContext.Parent(traceID: TraceID(high: 0, low: 0), spanID: SpanID(1)) == nil)
    #expect(TraceContext.Parent(traceID: TraceID(high: 0, low: 1), spanID: SpanID(0)) == nil)
  }
}
