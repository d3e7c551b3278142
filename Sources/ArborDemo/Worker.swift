import Arbor
import Foundation

/// A file that is no text.
struct NotText: Error, CustomStringConvertible {
  let position: Int
  var description: String { "not valid UTF-8 at byte \(position)" }
}

/// Reads one file at a time, counts its words, and tells the index.
actor Worker: GenServer {
  enum Cast: Sendable {
    case index(Document)
  }

  let process = ProcessContext()
  private let crawler = ServerRef<Crawler>(named: Crawler.name)
  private let index = ServerRef<Index>(named: Index.name)

  init() { crawler.ready(process.pid) }

  func handleCast(_ cast: Cast) async throws {
    switch cast {
    case .index(let document): try await index(document)
    }
  }

  private func index(_ document: Document) async throws {
    // Not `withSpan`: if this worker dies on the way the span is still open, and is closed by the
    // SpanManager, with what the worker died of.
    let span = Trace.startSpan("index", ["file": document.name])
    let bytes: [UInt8]
    do {
      bytes = try Trace.withSpan("read") {
        [UInt8](try Data(contentsOf: URL(filePath: document.path)))
      }
    } catch {
      // No reason to die: the file is skipped.
      Trace.endSpan(span)
      return crawler.unreadable(document, why: "cannot be read", by: pid)
    }
    let words = try Trace.withSpan("split", ["bytes": bytes.count]) { try Self.words(in: bytes) }
    let counts = Trace.withSpan("count", ["words": words.count]) {
      Dictionary(words.map { ($0, 1) }, uniquingKeysWith: +)
    }
    try await index.add(counts, of: document)
    Trace.endSpan(span)
    crawler.indexed(document, by: pid)
  }

  /// The words of a text in lower case; let it crash if it is none.
  private static func words(in bytes: [UInt8]) throws(NotText) -> [String] {
    guard let text = String(validating: bytes, as: UTF8.self) else {
      throw NotText(position: firstBadByte(of: bytes))
    }
    return text.lowercased().split { !$0.isLetter }.map(String.init)
  }

  private static func firstBadByte(of bytes: [UInt8]) -> Int {
    var decoder = UTF8()
    var rest = bytes.makeIterator()
    var position = 0
    while case .scalarValue(let scalar) = decoder.decode(&rest) {
      position += UTF8.width(scalar)
    }
    return position
  }
}
