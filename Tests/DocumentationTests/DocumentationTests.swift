import Foundation
import Testing

// Every Swift block of README.md and Guides/**/*.md is compiled, and run where it prints.
//
// The rules, for who writes a page:
// - A ```swift block with an `import` begins a program. The blocks without one that follow on the
//   page go on with it, as if they stood in the same `main.swift`, so top-level `try await` works.
//   A program with `@main` or `import Testing` is compiled as a library file.
// - A program is compiled in language mode 6 without warnings, with and without the upcoming features
//   that Package.swift turns on. Messages name the page's own lines.
// - A ```text or ```console block behind a Swift block is what the program has printed by then; all
//   such blocks together are its whole output. A program that prints must show it. A block whose
//   first line begins with `$ ` is a shell session, and one under `<!-- not output -->` is neither.
// - In an output `...` stands for anything within its line. A comment directly above the block,
//   `<!-- varying: pids durations ids order -->`, names what differs from run to run.
// - `<!-- not run: why -->` above a Swift block keeps its program from being run;
//   `<!-- not compiled: why -->` is for what is no program text at all.

/// The package's folder, from where this file lies in it.
private let root = URL(filePath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
  .deletingLastPathComponent()

private func page(_ path: String) throws -> MarkdownPage {
  MarkdownPage(
    path: path, text: try String(contentsOf: root.appending(path: path), encoding: .utf8))
}

/// README.md, the guides, and a page of our own that shows that all this works.
private let pagePaths: [String] = {
  let files = FileManager.default
  let guides = files.enumerator(atPath: root.appending(path: "Guides").path)?
    .compactMap { $0 as? String }.filter { $0.hasSuffix(".md") }.map { "Guides/\($0)" }.sorted()
  let readme = files.fileExists(atPath: root.appending(path: "README.md").path) ? ["README.md"] : []
  return readme + (guides ?? []) + ["Tests/DocumentationTests/Fixtures/Page.md"]
}()

#if TSAN
private let isPlainBuild = false
#else
private let isPlainBuild = true
#endif

/// Serialised: each case keeps the compiler busy.
@Suite(
  .serialized,
  .enabled(if: isPlainBuild, "the pages' programs are checked by the suite without a sanitizer"))
struct DocumentationTests {
  @Test("every page keeps the rules", arguments: pagePaths)
  func rules(path: String) throws {
    _ = try page(path).programs()
  }

  @Test(
    "every program compiles, and prints what its page shows",
    arguments: pagePaths.flatMap { (try? page($0).programs()) ?? [] })
  func program(_ program: PageProgram) async throws {
    try await Toolchain().check(program)
  }
}
