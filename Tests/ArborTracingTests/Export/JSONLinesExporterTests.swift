import ArborBehaviours
import ArborProcesses
import Foundation
import Testing

@testable import ArborTracing

@Suite final class JSONLinesExporterTests {
  let node = Node(workers: 2)
  let path = NSTemporaryDirectory() + "arbor-spans-" + UUID().uuidString
  deinit {
    node.shutdown()
    try? FileManager.default.removeItem(atPath: path)
  }

  private func lines() throws -> [[String: Any]] {
    try String(contentsOfFile: path, encoding: .utf8).split(separator: "\n").map { line in
      try #require(try JSONSerialization.jsonObject(with: Data(line.utf8)) as? [String: Any])
    }
  }

  /// What stands at the end of a path of keys and indices.
  private func value(_ json: Any?, _ path: String) -> Any? {
    path.split(separator: ".").reduce(json) { value, step in
      Int(step).flatMap { (value as? [Any])?[$0] } ?? (value as? [String: Any])?[String(step)]
    }
  }

  @Test("a line is a batch, as the JSON encoding of OTLP has it")
  func line() async throws {
    let processor = try await BatchSpanProcessor.start(on: node) { [path] in
      try BatchSpanProcessor(exporter: JSONLinesExporter(path: path, service: "shop \"1\""))
    }
    struct Boom: Error, CustomStringConvertible { let description = "a\n\u{1}\\b" }
    let before = UInt64(Date().timeIntervalSince1970 * 1e9)
    await withProcess(on: node) { _ in
      try? Trace.withSpan("outer", ["i": 7, "d": 0.5, "b": true, "s": "é", "l": ["x", "y"]]) {
        Trace.withSpan("inner", ["nan": Double.nan]) {}
        throw Boom()
      }
    }
    try await processor.stop()
    let json = try #require(try lines().first)
    #expect(value(json, "resourceSpans.0.resource.attributes.0.key") as? String == "service.name")
    #expect(
      value(json, "resourceSpans.0.resource.attributes.0.value.stringValue") as? String
        == "shop \"1\"")
    let spans = value(json, "resourceSpans.0.scopeSpans.0.spans")
    let (inner, outer) = (value(spans, "0"), value(spans, "1"))
    #expect(value(inner, "name") as? String == "inner")
    #expect(value(inner, "parentSpanId") as? String == value(outer, "spanId") as? String)
    #expect(
      (value(outer, "traceId") as? String)?.count == 32 && value(outer, "parentSpanId") == nil)
    #expect(value(outer, "kind") as? Int == 1 && value(outer, "status.code") as? Int == 2)
    #expect(value(outer, "status.message") as? String == "a\n\u{1}\\b")
    #expect(value(inner, "status.code") as? Int == 1)
    #expect(value(inner, "attributes.0.value.doubleValue") as? String == "NaN")
    #expect(value(outer, "attributes.0.value.intValue") as? String == "7")
    #expect(value(outer, "attributes.1.value.doubleValue") as? Double == 0.5)
    #expect(value(outer, "attributes.2.value.boolValue") as? Bool == true)
    #expect(value(outer, "attributes.3.value.stringValue") as? String == "é")
    #expect(value(outer, "attributes.4.value.arrayValue.values.1.stringValue") as? String == "y")
    let start = try #require((value(outer, "startTimeUnixNano") as? String).flatMap(UInt64.init))
    let end = try #require((value(outer, "endTimeUnixNano") as? String).flatMap(UInt64.init))
    #expect(start >= before - 1_000_000_000 && end >= start && end < before + 60_000_000_000)
  }

  @Test("a file is appended to; one that cannot be opened, or written to, says why")
  func files() async throws {
    for _ in 0..<2 {
      let exporter = try JSONLinesExporter(path: path, service: "a")
      try await exporter.export(SpanBatch(spans: [], wallOffset: 0))
      await exporter.shutdown()
      await #expect(throws: SpanExportError.self) {
        try await exporter.export(SpanBatch(spans: [], wallOffset: 0))
      }
    }
    #expect(try lines().count == 2)
    #expect(
      throws: SpanExportError.system(
        "open", path: "/no/such/file", message: "No such file or directory")
    ) {
      _ = try JSONLinesExporter(path: "/no/such/file", service: "a")
    }
  }
}
