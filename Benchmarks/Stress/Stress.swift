import Arbor
import Foundation

/// Runs that try, at random and for a while, what must never go wrong.
///
///     swift run -c release stress tracing [--minutes M | --seconds S] [--seed N]
///
/// The last line says whether all was well; so does the exit status: 0, 1 if something was not, 2 for a
/// command line that makes no sense.
@main
enum Stress {
  // Off the main actor, so that it runs on the node's threads.
  @concurrent
  static func main() async {
    do {
      let options = try Options(Array(CommandLine.arguments.dropFirst()))
      print("stress \(options.run) for \(options.duration), --seed \(options.seed)")
      let isWell = try await TracingStress(options).run()
      exit(isWell ? 0 : 1)
    } catch let complaint as Complaint {
      complain("\(complaint)")
      exit(2)
    } catch {
      complain("\(error)")
      exit(1)
    }
  }

  private static func complain(_ text: String) {
    FileHandle.standardError.write(Data("stress: \(text)\n".utf8))
  }
}
