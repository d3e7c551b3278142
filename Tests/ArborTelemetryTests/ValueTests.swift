import ArborTelemetry
import Testing

@Suite struct TelemetryValuesTests {
  @Test("values keep their order, and of two by one name the last wins in the first's place")
  func order() {
    var values: TelemetryValues = ["b": 1, "a": "x", "b": 2]
    #expect(values.description == "[b: 2, a: x]")
    values["c"] = 3.5
    values["a"] = nil
    values["missing"] = nil
    #expect(values.names == ["b", "c"])
    #expect(values.merging(["c": 4, "d": 5]).description == "[b: 2, c: 4, d: 5]")
    #expect(TelemetryValues().description == "[:]")
  }

  @Test("a typed read wants the exact type")
  func typed() {
    let values: TelemetryValues = ["count": 2]
    #expect(values["count", as: Int.self] == 2)
    #expect(values["count", as: String.self] == nil)
    #expect(values["other", as: Int.self] == nil)
  }
}

@Suite struct TelemetryEventTests {
  @Test("names are equal by their parts, not by their joined form")
  func equality() {
    #expect(TelemetryEvent("a", "b") == TelemetryEvent("a", "b"))
    #expect(TelemetryEvent("a", "b") != TelemetryEvent("a.b"))
    #expect(TelemetryEvent("ab", "c") != TelemetryEvent("a", "bc"))
    #expect(Set([TelemetryEvent("a", "b"), TelemetryEvent("a").appending("b")]).count == 1)
    #expect(TelemetryEvent("foundation", "span", "start").description == "foundation.span.start")
  }
}
