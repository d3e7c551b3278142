import ArborTracing
import Foundation
import Testing

/// The cases of the W3C's own suite for Baggage, by their names there.
@Suite struct BaggageConformanceTests {
  private func shown(_ header: String) -> [String] {
    Baggage(header: header).entries.map { entry in
      ([entry.key, entry.value] + entry.properties.map { "\($0.key):\($0.value ?? "-")" })
        .joined(separator: "|")
    }
  }

  private static let odd = "\t \"\';=asdf!@#$%^&*()"
  private static let oddEncoded = "%09%20%22%27%3B%3Dasdf%21%40%23%24%25%5E%26%2A%28%29"

  @Test("what is well formed is read")
  func parse() {
    // test_parse_simple, test_parse_multiple_equals, test_ctor_default
    #expect(shown("SomeKey=SomeValue") == ["SomeKey|SomeValue"])
    #expect(shown("SomeKey=SomeValue=equals") == ["SomeKey|SomeValue=equals"])
    #expect(shown("") == [] && Baggage().isEmpty)
    #expect(shown("SomeKey=") == ["SomeKey|"])
    // test_parse_multiple, test_parse_multiple_kv_property
    let two = ["SomeKey|SomeValue|SomeProp:-", "SomeKey2|SomeValue2|ValueProp:PropVal"]
    #expect(shown("SomeKey=SomeValue;SomeProp,SomeKey2=SomeValue2;ValueProp=PropVal") == two)
    // test_parse_multiple_ows, test_parse_multi_property_ows
    let blanks =
      "SomeKey \t = \t SomeValue \t ; \t SomeProp \t , \t SomeKey2 \t = \t SomeValue2 \t ; \t ValueProp \t = \t PropVal"
    #expect(shown(blanks) == two)
    // test_parse_multiple_properties_same_name
    #expect(
      shown("SomeKey=SomeValue;SomeProp;SomeProp=PropValue;SomeProp=AnotherPropValue")
        == ["SomeKey|SomeValue|SomeProp:-|SomeProp:PropValue|SomeProp:AnotherPropValue"])
    // test_parse_property_without_value_no_percent_decoding
    #expect(
      shown("SomeKey=SomeValue;ValueProp%20%09%20%3D%20%09%20PropVal")
        == ["SomeKey|SomeValue|ValueProp%20%09%20%3D%20%09%20PropVal:-"])
  }

  @Test("values are percent-encoded where they must be, and decoded")
  func percent() throws {
    // test_parse_percent_encoded, test_parse_percent_encoded_ows, test_parse_percent_encoded_property
    #expect(shown("SomeKey=\(Self.oddEncoded)") == ["SomeKey|\(Self.odd)"])
    #expect(shown("SomeKey \t = \t \(Self.oddEncoded) \t ") == ["SomeKey|\(Self.odd)"])
    #expect(
      shown("SomeKey=SomeValue;SomePropKey=\(Self.oddEncoded)")
        == ["SomeKey|SomeValue|SomePropKey:\(Self.odd)"])
    var baggage = Baggage()
    try baggage.set("k", to: Self.odd, properties: [.init("p", "a;b"), .init("q")])
    #expect("\(baggage)" == "k=%09%20%22'%3B=asdf!@#$%25^&*();p=a%3Bb;q")
    #expect(Baggage(header: "\(baggage)") == baggage)
    // The standard's own examples.
    #expect(
      shown("userId=Am%C3%A9lie,serverNode=DF%2028") == ["userId|Amélie", "serverNode|DF 28"])
    let same: Baggage = ["userId": "Amélie", "serverNode": "DF 28"]
    #expect("\(same)" == "userId=Am%C3%A9lie,serverNode=DF%2028")
    // What is no UTF-8, and what is no encoding.
    #expect(
      shown("k=a%FFb,l=%4,m=%zz,n=%,o=%e4") == [
        "k|a\u{fffd}b", "l|%4", "m|%zz", "n|%", "o|\u{fffd}",
      ])
  }

  @Test("a member that is malformed is left out, and only that one")
  func malformed() {
    for bad in [
      "nothing", "=value", "a b=1", "k=a b", "k=\"q\"", "k=\\", "k=ä", "ä=1", "k=1;", "k=1;a b",
      "k=1;p=\"",
      "k=\u{0}", "k=1\r\nx: 2", ";", " ", "(k)=1",
    ] {
      #expect(shown("first=1,\(bad),last=2") == ["first|1", "last|2"], "\(bad)")
    }
    #expect(shown("k=1,other=2,k=3") == ["k|3", "other|2"])
  }

  @Test("64 members and 8192 bytes go through, one more does not")
  func limits() throws {
    // test_serialize_at_least_64
    let header = (0..<64).map { "key\($0)=value" }.joined(separator: ",")
    #expect("\(Baggage(header: header))" == header)
    var full = Baggage(header: header + ",key64=value")
    #expect("\(full)" == header)
    #expect(throws: PropagationError.tooMany(limit: 64)) { try full.set("key64", to: "value") }
    try full.set("key0", to: "other")  // in the place of one that is there
    #expect(full["key0"] == "other" && full.entries.count == 64)
    // test_serialize_long_entry
    let long = "a=" + String(repeating: "0123456789", count: 819)
    #expect("\(Baggage(header: long))" == long && long.utf8.count == 8192)
    #expect("\(Baggage(header: long + "0"))" == "")
    // Whole members, or none of them.
    #expect("\(Baggage(header: "c=1," + long + ",b=2"))" == "c=1,b=2")
    var big = Baggage(header: long)
    #expect(throws: PropagationError.tooLong(limit: 8192)) { try big.set("b", to: "") }
    #expect(throws: PropagationError.tooLong(limit: 8192)) {
      try big.set("a", to: String(repeating: "é", count: 1366))
    }
    #expect("\(big)" == long)
    big.remove("a")
    try big.set("b", to: String(repeating: "é", count: 1365))
    #expect("\(big)".utf8.count == 8192)
  }

  @Test("of what is merged the new has precedence, and the oldest falls out")
  func merge() {
    var baggage: Baggage = ["a": "1", "b": "2"]
    #expect(baggage.merge(["b": "3", "c": "4"]) == 0)
    #expect(baggage["a"] == "1" && baggage["b"] == "3" && baggage["c"] == "4")
    #expect("\(baggage)".utf8.count == "\(Baggage(header: "\(baggage)"))".utf8.count)
    var full = Baggage(header: (0..<64).map { "key\($0)=v" }.joined(separator: ","))
    #expect(full.merge(["new": "1", "key5": "2"]) == 1)
    #expect(full.entries.count == 64 && full["key0"] == nil && full["key1"] == "v")
    #expect(full["new"] == "1" && full["key5"] == "2")
  }

  @Test("a key that is no token is refused")
  func keys() throws {
    var baggage = Baggage()
    for bad in ["", "a b", "a=b", "ä", "a,b", "a\r\n", "(a)"] {
      #expect(throws: PropagationError.invalidKey(bad)) { try baggage.set(bad, to: "1") }
      #expect(throws: PropagationError.invalidKey(bad)) { _ = try Baggage.Property(bad) }
    }
    #expect(baggage.isEmpty)
    try baggage.set("!#$%&'*+-.^_`|~09azAZ", to: "")
    #expect(Baggage(header: "\(baggage)") == baggage)
  }

  #if !TSAN
  @Test("a literal that the standard does not allow is a mistake in the program")
  func literal() async {
    await #expect(processExitsWith: .failure) {
      // No backtrace of what is expected: it would take seconds.
      for trap in [SIGILL, SIGTRAP] { signal(trap, SIG_DFL) }
      let _: Baggage = ["not a token": "1"]
    }
  }
  #endif
}
