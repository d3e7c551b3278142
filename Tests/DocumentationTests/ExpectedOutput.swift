/// What a page says a program prints, and which of it differs from run to run.
struct ExpectedOutput: Sendable {
  /// What a `<!-- varying: ... -->` comment may name.
  enum Varying: String, CaseIterable, Sendable {
    case pids, durations, ids, order
  }

  private(set) var lines: [String] = []
  private(set) var varying: Set<Varying> = []

  mutating func add(_ block: MarkdownPage.Block) {
    lines += block.lines
    guard let note = block.note, note.hasPrefix("varying:") else { return }
    for word in note.dropFirst("varying:".count).split(whereSeparator: { " ,".contains($0) }) {
      guard let kind = Varying(rawValue: String(word)) else {
        // Never equal to anything, so that a misspelt word is found.
        lines.append("<!-- varying: \(word) is none of \(Varying.allCases.map(\.rawValue)) -->")
        continue
      }
      varying.insert(kind)
    }
  }

  /// Whether the program printed this; `...` stands for anything within a line.
  func matches(_ output: String) -> Bool {
    let want = normalised(lines)
    let got = normalised(
      output.split(separator: "\n", omittingEmptySubsequences: false).map(String.init))
    return want.count == got.count
      && zip(want, got).allSatisfy { Self.matches(line: $1, pattern: $0) }
  }

  /// Without what varies, blanks at the ends of lines, and empty lines at the end.
  private func normalised(_ lines: [String]) -> [String] {
    var lines = lines.map { line in
      var line = line
      while line.last?.isWhitespace == true { line.removeLast() }
      if varying.contains(.pids) { line.replace(/#PID<[0-9.]+>/, with: "<pid>") }
      if varying.contains(.ids) {
        line.replace(/\b[0-9a-f]{16}(?:[0-9a-f]{16})?\b/, with: "<id>")
      }
      if varying.contains(.durations) {
        line.replace(#/ *\b[0-9]+(?:\.[0-9]+)? ?(?:ns|us|µs|ms|s|seconds)\b/#, with: " <duration>")
      }
      return line
    }
    while lines.last?.isEmpty == true { lines.removeLast() }
    return varying.contains(.order) ? lines.sorted() : lines
  }

  private static func matches(line: String, pattern: String) -> Bool {
    let pieces = pattern.split(separator: "...", omittingEmptySubsequences: false)
    guard pieces.count > 1 else { return line == pattern }
    guard line.hasPrefix(pieces[0]) else { return false }
    var rest = line.dropFirst(pieces[0].count)
    for piece in pieces.dropFirst().dropLast() where !piece.isEmpty {
      guard let found = rest.firstRange(of: piece) else { return false }
      rest = rest[found.upperBound...]
    }
    return rest.hasSuffix(pieces[pieces.count - 1])
  }
}
