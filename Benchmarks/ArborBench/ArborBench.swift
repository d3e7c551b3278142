import Foundation

/// Arbor's side of the benchmarks, and the raw floors beside it.
///
///     ArborBench --serve                 reads "NAME OPERATIONS" lines, answers each "NAME FIGURE"
///     ArborBench [--rounds N] [ROW...]   runs rows by hand: all, if none is named
///     ArborBench --one-worker ROW OPERATIONS
///                                        runs one round of that many, for those who count instructions
///
/// A figure is the nanoseconds of one operation in one round; of `server-bytes` it is bytes.
@main
enum ArborBench {
  // Not async: valgrind does not survive a task on the main thread.
  static func main() {
    let end = DispatchSemaphore(value: 0)
    Task.detached {
      await run()
      end.signal()
    }
    end.wait()
  }

  private static func run() async {
    var arguments = Array(CommandLine.arguments.dropFirst())
    if arguments.first == "--one-worker" { return await runOnce(arguments.dropFirst()) }
    if arguments == ["--serve"] { return await serve() }
    var rounds = 5
    if arguments.first == "--rounds", arguments.count > 1, let count = Int(arguments[1]) {
      rounds = max(count, 1)
      arguments.removeFirst(2)
    }
    for bench in Bench.rows where arguments.isEmpty || arguments.contains(bench.name) {
      do {
        _ = try await bench.run(bench.operations)  // a warm-up, not counted
        var figures: [Double] = []
        for _ in 0..<rounds { figures.append(try await bench.run(bench.operations)) }
        report(bench.name, figures.sorted()[rounds / 2])
      } catch {
        say("\(bench.name) failed: \(error)")
      }
    }
  }

  private static func runOnce(_ arguments: some Collection<String>) async {
    guard arguments.count == 2, let name = arguments.first,
      let bench = Bench.named(name),
      let operations = arguments.dropFirst().first.flatMap({ Int($0) })
    else {
      say("usage: ArborBench --one-worker ROW OPERATIONS")
      exit(2)
    }
    do {
      report(name, try await bench.run(operations))
    } catch {
      say("# \(name) failed: \(error)")
      exit(1)
    }
  }

  private static func serve() async {
    while let line = readLine() {
      let words = line.split(separator: " ").map(String.init)
      guard words.count == 2, let operations = Int(words[1]),
        let bench = Bench.named(words[0])
      else {
        say("\(words.first ?? "?") unknown")
        continue
      }
      do {
        report(bench.name, try await bench.run(operations))
      } catch {
        say("# \(bench.name) failed: \(error)")
        exit(1)
      }
    }
  }

  private static func report(_ name: String, _ figure: Double) {
    say("\(name) \(String(format: "%.3f", figure))")
  }

  /// At once, for somebody waits for it.
  private static func say(_ line: String) {
    FileHandle.standardOutput.write(Data((line + "\n").utf8))
  }
}
