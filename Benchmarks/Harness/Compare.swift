import Foundation

/// Plays all rows and reports them; see `Benchmarks/compare`, which builds and starts it.
@main
enum Compare {
  static func main() {
    // Otherwise a contestant that dies would take this program along when it is next asked.
    signal(SIGPIPE, SIG_IGN)
    let options: Options
    do {
      options = try Options(Array(CommandLine.arguments.dropFirst()))
    } catch {
      say("\((error as? UsageError)?.text ?? "\(error)")\n\(Options.usage)")
      exit(2)
    }

    warnIfBusy()
    print(Report.header)
    var results: [RowResult] = []
    for row in options.rows {
      let result = Match(options: options).play(row)
      results.append(result)
      print(Report.line(result))
      fflush(nil)
    }
    print("\n* meets the goal, ** the later one; raw is Swift's own actors, tasks and locks")
    if let flatness = Report.flatness(results) { print(flatness) }
    let remarks = results.flatMap(\.remarks)
    for remark in remarks { print("missing: \(remark)") }

    if let path = options.jsonPath {
      do {
        try Report.json(results).write(to: URL(fileURLWithPath: path))
      } catch {
        say("the figures could not be written to \(path): \(error)")
        exit(1)
      }
    }
    exit(remarks.isEmpty ? 0 : 1)
  }

  private static func warnIfBusy() {
    var load = [0.0, 0.0, 0.0]
    let cores = ProcessInfo.processInfo.activeProcessorCount
    guard getloadavg(&load, 3) > 0 else { return }
    print(String(format: "%d cores, load %.2f", cores, load[0]))
    if load[0] > Double(cores) / 2 {
      print("warning: the machine is busy with something else; the figures will be off")
    }
  }

  private static func say(_ text: String) {
    FileHandle.standardError.write(Data((text + "\n").utf8))
  }
}
