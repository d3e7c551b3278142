import Testing

/// A whole program out of one or more blocks of a page.
struct PageProgram: Sendable, CustomTestStringConvertible {
  /// The text, with directives that make the compiler name the page's own lines.
  private(set) var source: String
  let path: String
  let line: Int
  /// What the page shows that it prints; nil if it shows nothing.
  private(set) var expected: ExpectedOutput?
  private(set) var notRun = false
  private(set) var prints = false
  private(set) var isLibrary = false

  var testDescription: String { "\(path):\(line)" }

  /// The program is run if the page shows what it prints.
  var isRun: Bool { expected != nil && !notRun }

  fileprivate init(_ block: MarkdownPage.Block, of path: String) {
    source = ""
    self.path = path
    line = block.line
    append(block)
  }

  fileprivate mutating func append(_ block: MarkdownPage.Block) {
    source += "#sourceLocation(file: \"\(path)\", line: \(block.line))\n"
    source += block.lines.joined(separator: "\n") + "\n"
    prints = prints || block.lines.contains { $0.contains("print(") }
    isLibrary =
      isLibrary || block.lines.contains { $0.hasPrefix("@main") || $0.hasPrefix("import Testing") }
    notRun = notRun || block.note?.hasPrefix("not run:") == true
  }

  fileprivate mutating func expect(_ block: MarkdownPage.Block) {
    var output = expected ?? ExpectedOutput()
    output.add(block)
    expected = output
  }
}

/// What is wrong with a page itself.
struct PageFault: Error, Equatable, CustomStringConvertible {
  let path: String
  let line: Int
  let what: String
  var description: String { "\(path):\(line): \(what)" }
}

extension MarkdownPage {
  /// The page's programs, by the rules at the head of `DocumentationTests.swift`.
  func programs() throws(PageFault) -> [PageProgram] {
    var programs: [PageProgram] = []
    var showsOutput = false
    for block in blocks {
      func fault(_ what: String) -> PageFault {
        PageFault(path: path, line: block.line, what: what)
      }
      switch block.language {
      case "swift":
        for marker in ["not compiled", "not run"] where block.note?.hasPrefix(marker) == true {
          guard let note = block.note, note.hasPrefix(marker + ": "), note.count > marker.count + 2
          else { throw fault("say why: <!-- \(marker): why -->") }
        }
        showsOutput = false
        if block.note?.hasPrefix("not compiled:") == true { continue }
        if block.lines.contains(where: { $0.hasPrefix("import ") }) {
          programs.append(PageProgram(block, of: path))
        } else if programs.isEmpty {
          throw fault("the first Swift block of a page begins a program, so it imports Arbor")
        } else {
          programs[programs.count - 1].append(block)
        }
        showsOutput = true
      case "text", "console":
        // A shell session is not what the program above it prints.
        guard showsOutput, block.lines.first?.hasPrefix("$ ") != true,
          block.note?.hasPrefix("not output") != true
        else { continue }
        programs[programs.count - 1].expect(block)
        showsOutput = false
      default: continue
      }
    }
    for program in programs where program.prints && program.expected == nil {
      guard program.notRun || program.isLibrary else {
        throw PageFault(
          path: path, line: program.line,
          what: "the program prints, so show what, in a ```text block below it, or say "
            + "<!-- not run: why --> above it")
      }
    }
    return programs
  }
}
