import Foundation

/// A program that runs rounds on request: it reads `NAME OPERATIONS` lines and answers each with
/// `NAME FIGURE`. Lines that begin with `#` are for people.
final class Contestant {
  enum Failure: Error {
    case unknownRow
    case ended(status: Int32)
    case silent(seconds: Int)
    case unreadable(String)

    var text: String {
      switch self {
      case .unknownRow: "not there yet"
      case .ended(let status): "ended with status \(status)"
      case .silent(let seconds): "no answer in \(seconds) s"
      case .unreadable(let line): "answered \"\(line)\""
      }
    }
  }

  private let process = Process()
  private let requests = Pipe()
  private let answers = Pipe()
  private var buffer: [UInt8] = []
  private static let patience = 120

  init(_ path: String, _ arguments: [String]) throws {
    process.executableURL = URL(fileURLWithPath: path)
    process.arguments = arguments
    process.standardInput = requests
    process.standardOutput = answers
    try process.run()
  }

  /// One round. The program is killed if it says nothing for two minutes.
  func round(_ name: String, operations: Int) throws(Failure) -> Double {
    let request = Data("\(name) \(operations)\n".utf8)
    do {
      try requests.fileHandleForWriting.write(contentsOf: request)
    } catch {
      throw end()
    }
    while true {
      let line = try nextLine()
      if line.hasPrefix("#") { continue }
      let words = line.split(separator: " ")
      if words.count == 2, words[0] == name {
        if words[1] == "unknown" { throw .unknownRow }
        if let figure = Double(words[1]) { return figure }
      }
      throw .unreadable(line)
    }
  }

  /// Ends the program by closing what it reads from.
  func finish() {
    try? requests.fileHandleForWriting.close()
    process.waitUntilExit()
  }

  private func nextLine() throws(Failure) -> String {
    let descriptor = answers.fileHandleForReading.fileDescriptor
    while true {
      if let newline = buffer.firstIndex(of: 10) {
        let line = String(decoding: buffer[..<newline], as: UTF8.self)
        buffer.removeSubrange(...newline)
        return line
      }
      var waiting = pollfd(fd: descriptor, events: Int16(POLLIN), revents: 0)
      guard poll(&waiting, 1, Int32(Self.patience * 1000)) > 0 else {
        kill(process.processIdentifier, SIGKILL)
        process.waitUntilExit()
        throw .silent(seconds: Self.patience)
      }
      var chunk = [UInt8](repeating: 0, count: 4096)
      let count = read(descriptor, &chunk, chunk.count)
      guard count > 0 else { throw end() }
      buffer += chunk[..<count]
    }
  }

  private func end() -> Failure {
    process.waitUntilExit()
    return .ended(status: process.terminationStatus)
  }
}
