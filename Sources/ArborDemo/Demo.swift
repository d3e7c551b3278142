import Arbor
import Foundation

/// `swift run demo [FOLDER] [--kill N] [--seed S]`: a supervised document indexer, traced across its
/// actors, that goes on when its workers die.
@main
struct Demo {
  /// Off the main actor, so that the main process runs on the node's threads.
  @concurrent
  static func main() async {
    let options: Options
    let documents: [Document]
    do {
      options = try Options(Array(CommandLine.arguments.dropFirst()))
      documents = try Document.all(in: options.folder)
    } catch {
      FileHandle.standardError.write(Data("demo: \(error)\n".utf8))
      exit(2)
    }
    do {
      try await withProcess { context in
        try await index(documents, options, context)
      }
      try await SpanManager.settle()
      print("open spans: \(SpanManager.openSpans().count), rows: \(SpanManager.rowCount())")
    } catch {
      FileHandle.standardError.write(Data("demo: \(error)\n".utf8))
      exit(1)
    }
  }

  private static func index(
    _ documents: [Document], _ options: Options, _ context: ProcessContext
  ) async throws {
    print("indexing \(documents.count) files of \(options.folder)")
    let recorder = try SpanRecorder()
    let tree = try await startTree(documents, kills: options.kills)
    if options.kills > 0 {
      print("killing \(options.kills) workers at random moments, seed \(options.seed)")
      try await kill(options.kills, seed: options.seed, context)
    }
    let outcome = try await ServerRef<Crawler>(named: Crawler.name).outcome
    try await SpanManager.settle()

    Report.printWords(try await ServerRef<Index>(named: Index.name).table)
    Report.printOutcome(outcome)
    print("\nthe supervision tree:\n\(try await tree.rendered())")
    Report.printTrace(recorder)
    recorder.stop()
    try await tree.stop(.shutdown)
    print()
  }

  /// The tree: whoever keeps something stands before those that need it.
  private static func startTree(
    _ documents: [Document], kills: Int
  ) async throws -> ServerRef<Supervisor> {
    // A worker dies once for each file that is not text, and once for each kill; more than that
    // would be a fault of the demo's.
    let deaths = documents.count + kills
    return try await Supervisor.start(.oneForOne, named: "indexer") {
      Child("index", named: Index.name) { try Index() }
      Child("crawler", named: Crawler.name) { Crawler(documents) }
      Child("workers") {
        try await Supervisor(.oneForOne, maxRestarts: deaths, within: .seconds(60)) {
          for number in 1...4 { Child("worker \(number)") { Worker() } }
        }
      }
    }
  }

  /// Kills workers, whichever it hits, until it has killed that many.
  private static func kill(
    _ kills: Int, seed: UInt64, _ context: ProcessContext
  ) async throws {
    var random = Random(seed: seed)
    let workers = try await ServerRef<Supervisor>(named: "indexer").children
      .first { $0.id == "workers" }?.pid
    guard let workers = workers.map(ServerRef<Supervisor>.init) else { return }
    for _ in 0..<kills {
      try await context.sleep(for: .microseconds(random.next(below: 3_000)))
      let living = try await workers.children.compactMap(\.pid)
      guard !living.isEmpty else { continue }
      let victim = living[random.next(below: living.count)]
      let ref = context.monitor(victim)
      victim.sendExit(.kill)
      // One after the other, so that each kill meets a worker that lives.
      _ = try await context.receive(Down.self, where: { $0.ref == ref })
    }
  }
}
