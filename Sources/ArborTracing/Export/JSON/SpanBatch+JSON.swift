// OTLP in its JSON encoding: ids as hexadecimal digits, 64-bit numbers as text, enumerations as numbers.

extension SpanBatch {
  func json(service: String) -> String {
    let resource = JSON.object([
      ("attributes", JSON.attributes(["service.name": service]))
    ])
    let scope = JSON.object([
      ("scope", JSON.object([("name", JSON.string("arbor"))])),
      ("spans", JSON.array(spans.map(json(of:)))),
    ])
    return JSON.object([
      (
        "resourceSpans",
        JSON.array([
          JSON.object([("resource", resource), ("scopeSpans", JSON.array([scope]))])
        ])
      )
    ])
  }

  private func json(of span: TraceSpan) -> String {
    var members = [
      ("traceId", JSON.string("\(span.traceID)")), ("spanId", JSON.string("\(span.id)")),
    ]
    if let parentID = span.parentID { members.append(("parentSpanId", JSON.string("\(parentID)"))) }
    members += [
      ("name", JSON.string(span.name)), ("kind", "\(span.kind.number)"),
      ("startTimeUnixNano", json(of: span.startTime)),
      ("endTimeUnixNano", json(of: span.endTime ?? span.startTime)),
    ]
    var attributes = span.metadata
    attributes["arbor.process"] = .int(Int(clamping: span.processID))
    members.append(("attributes", JSON.attributes(attributes)))
    if span.cut.attributes > 0 {
      members.append(("droppedAttributesCount", "\(span.cut.attributes)"))
    }
    if !span.events.isEmpty {
      members.append(("events", JSON.array(span.events.map(json(of:)))))
    }
    if span.cut.events > 0 { members.append(("droppedEventsCount", "\(span.cut.events)")) }
    if !span.links.isEmpty { members.append(("links", JSON.array(span.links.map(json(of:))))) }
    if span.cut.links > 0 { members.append(("droppedLinksCount", "\(span.cut.links)")) }
    members.append(("status", json(of: span.status)))
    return JSON.object(members)
  }

  private func json(of time: UInt64) -> String { JSON.string("\(wallTime(of: time))") }

  private func json(of event: TraceSpan.Event) -> String {
    JSON.object([
      ("timeUnixNano", json(of: event.time)), ("name", JSON.string(event.name)),
      ("attributes", JSON.attributes(event.attributes)),
    ])
  }

  private func json(of link: TraceSpan.Link) -> String {
    JSON.object([
      ("traceId", JSON.string("\(link.traceID)")), ("spanId", JSON.string("\(link.spanID)")),
      ("attributes", JSON.attributes(link.attributes)),
    ])
  }

  private func json(of status: TraceSpan.Status) -> String {
    switch status {
    case .open: JSON.object([])
    case .ok: JSON.object([("code", "1")])
    case .error(let text): JSON.object([("code", "2"), ("message", JSON.string(text))])
    }
  }
}

extension TraceSpan.Kind {
  fileprivate var number: Int {
    switch self {
    case .internal: 1
    case .server: 2
    case .client: 3
    case .producer: 4
    case .consumer: 5
    }
  }
}

private enum JSON {
  static func object(_ members: [(String, String)]) -> String {
    "{" + members.map { "\(string($0)):\($1)" }.joined(separator: ",") + "}"
  }

  static func array(_ elements: [String]) -> String {
    "[" + elements.joined(separator: ",") + "]"
  }

  static func string(_ text: String) -> String {
    var quoted = "\""
    for scalar in text.unicodeScalars {
      switch scalar {
      case "\"": quoted += "\\\""
      case "\\": quoted += "\\\\"
      case "\u{0}"..<"\u{20}":
        let digits = String(scalar.value, radix: 16)
        quoted += "\\u" + String(repeating: "0", count: 4 - digits.count) + digits
      default: quoted.unicodeScalars.append(scalar)
      }
    }
    return quoted + "\""
  }

  static func attributes(_ attributes: Attributes) -> String {
    array(attributes.map { object([("key", string($0.name)), ("value", value($0.value))]) })
  }

  private static func value(_ value: AttributeValue) -> String {
    switch value {
    case .string(let value): object([("stringValue", string(value))])
    case .int(let value): object([("intValue", string("\(value)"))])
    case .double(let value): object([("doubleValue", number(value))])
    case .bool(let value): object([("boolValue", "\(value)")])
    case .strings(let values): list(values.map { .string($0) })
    case .ints(let values): list(values.map { .int($0) })
    case .doubles(let values): list(values.map { .double($0) })
    case .bools(let values): list(values.map { .bool($0) })
    }
  }

  private static func list(_ values: [AttributeValue]) -> String {
    object([("arrayValue", object([("values", array(values.map(value)))]))])
  }

  /// JSON has no numbers that are not finite; OTLP has them as text.
  private static func number(_ value: Double) -> String {
    if value.isNaN { return string("NaN") }
    if value.isInfinite { return string(value < 0 ? "-Infinity" : "Infinity") }
    return "\(value)"
  }
}
