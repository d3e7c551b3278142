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
    if let path = options.growthPath { return growth(options, path) }
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

  private static func growth(_ options: Options, _ path: String) {
    let growth = Growth(options: options)
    let tables = growth.measure { table in
      print(GrowthReport.table(table.heading, table.sizes, table.lines) + "\n")
      fflush(nil)
    }
    for remark in growth.remarks { print("missing: \(remark)") }
    do {
      try Data(GrowthPlot().svg(tables).utf8).write(to: URL(fileURLWithPath: path))
    } catch {
      say("the plot could not be written to \(path): \(error)")
      exit(1)
    }
    exit(growth.remarks.isEmpty ? 0 : 1)
  }

  /// Looks at the machine for a moment. Not at the load average: that still remembers the build.
  private static func warnIfBusy() {
    print("\(ProcessInfo.processInfo.activeProcessorCount) cores")
    guard let before = processorTimes() else { return }
    usleep(500_000)
    guard let after = processorTimes(), after.total > before.total else { return }
    let busy = 1 - Double(after.idle - before.idle) / Double(after.total - before.total)
    if busy > 0.1 {
      let share = String(format: "%.0f %%", busy * 100)
      print("warning: something else takes \(share) of the machine; the figures will be off")
    }
  }

  /// The processors' ticks since the start, where the system has a `/proc/stat`.
  private static func processorTimes() -> (idle: Int, total: Int)? {
    guard let text = try? String(contentsOfFile: "/proc/stat", encoding: .utf8),
      let line = text.split(separator: "\n").first
    else { return nil }
    let ticks = line.split(separator: " ").compactMap { Int($0) }
    return ticks.count > 3 ? (ticks[3], ticks.reduce(0, +)) : nil
  }

  private static func say(_ text: String) {
    FileHandle.standardError.write(Data((text + "\n").utf8))
  }
}
