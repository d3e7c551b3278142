/// What the command line asks for.
struct Options {
  var isQuick = false
  var jsonPath: String?
  var only: [String] = []
  /// Where to draw the figures at many sizes; nil for the comparison of rows.
  var growthPath: String?
  var benchPath = ""
  var peerPath: String?

  static let usage = """
    usage: Benchmarks/compare [--quick] [--only ROW,...] [--json FILE] [--growth FILE] [--no-build]

    Measures Arbor beside the BEAM, and Swift's own hop as a floor (`raw`).
      --quick      fewer and shorter rounds: within a minute, once built
      --only       these rows, by name
      --json FILE  also writes the figures to FILE
      --growth FILE
                   instead: the figures beside 1 to 1 000 000 processes, with mailboxes 10 to
                   1 000 000 deep, and of as many servers, as tables, and drawn to FILE, an SVG
      --no-build   takes what was built last
    """

  /// - Throws: ``UsageError`` for what it does not know.
  init(_ arguments: [String]) throws {
    var rest = arguments[...]
    func value(of option: String) throws -> String {
      guard let value = rest.popFirst() else { throw UsageError("\(option) needs a value") }
      return value
    }
    while let argument = rest.popFirst() {
      switch argument {
      case "--help": throw UsageError("Arbor beside the BEAM")
      case "--quick": isQuick = true
      case "--json": jsonPath = try value(of: argument)
      case "--only": only += try value(of: argument).split(separator: ",").map(String.init)
      case "--growth": growthPath = try value(of: argument)
      case "--bench": benchPath = try value(of: argument)
      case "--peer": peerPath = try value(of: argument)
      default: throw UsageError("unknown option \(argument)")
      }
    }
    for name in only where !Row.all.contains(where: { $0.name == name }) {
      let known = Row.all.map(\.name).joined(separator: ", ")
      throw UsageError("no row is called \(name); there are \(known)")
    }
  }

  var rows: [Row] {
    only.isEmpty ? Row.all : Row.all.filter { only.contains($0.name) }
  }
}

struct UsageError: Error {
  let text: String
  init(_ text: String) { self.text = text }
}
