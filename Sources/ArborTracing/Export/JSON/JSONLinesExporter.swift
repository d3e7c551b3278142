import ArborPrimitives

#if canImport(Glibc)
import Glibc
#elseif canImport(Musl)
import Musl
#elseif canImport(Darwin)
import Darwin
#endif

/// Writes spans to a file or to standard output, as lines of JSON that OpenTelemetry's collector reads.
///
///     Child("spans") {
///       try BatchSpanProcessor(exporter: JSONLinesExporter(path: "spans.jsonl", service: "shop"))
///     }
///
/// A line is a batch: an `ExportTraceServiceRequest` of OTLP in its JSON encoding. A file is appended to.
/// Each write waits for the system, as writing to a file does.
///
/// The smallest whole exporter, to read before writing another.
public final class JSONLinesExporter: SpanExporter {
  private let service: String
  private let path: String
  private let file: Lock<Int32>
  private let isOwn: Bool

  /// Opens a file to append to, and makes it if it is not there.
  ///
  /// - Parameters:
  ///   - path: of the file.
  ///   - service: what the program is called, as `service.name`.
  /// - Throws: ``SpanExportError/system(_:path:message:)`` if it cannot be opened.
  public init(path: String, service: String) throws(SpanExportError) {
    let file = open(path, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0o644)
    if file < 0 { throw Self.failure("open", path) }
    self.file = Lock(file)
    self.path = path
    self.service = service
    isOwn = true
  }

  /// Writes to standard output.
  public init(service: String) {
    file = Lock(STDOUT_FILENO)
    path = "standard output"
    self.service = service
    isOwn = false
  }

  deinit { closeFile() }

  /// - Throws: ``SpanExportError/system(_:path:message:)``, `write` if the file cannot be written to.
  public func export(_ batch: SpanBatch) async throws {
    let line = Array((batch.json(service: service) + "\n").utf8)
    // Under the lock: a write that takes long, and is given up, must not come in between another's.
    try file.withLock { file throws(SpanExportError) in
      var rest = line[...]
      while !rest.isEmpty {
        let count = rest.withUnsafeBytes { write(file, $0.baseAddress, $0.count) }
        if count >= 0 {
          rest = rest.dropFirst(count)
        } else if errno != EINTR {
          throw Self.failure("write", path)
        }
      }
    }
  }

  public func shutdown() async { closeFile() }

  private func closeFile() {
    file.withLock { file in
      if isOwn, file >= 0 { _ = close(file) }
      file = -1
    }
  }

  private static func failure(_ call: String, _ path: String) -> SpanExportError {
    .system(call, path: path, message: String(cString: strerror(errno)))
  }
}
