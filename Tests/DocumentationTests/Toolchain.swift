import Foundation

#if canImport(Glibc)
import Glibc
#elseif canImport(Musl)
import Musl
#elseif canImport(Darwin)
import Darwin
#endif

/// The compiler that built these tests, and the modules it built for them.
struct Toolchain {
  struct Failure: Error, CustomStringConvertible { let description: String }

  private let compiler: URL
  private let modules: URL
  /// The object files of the library targets.
  private let objects: [String]

  init() throws {
    let image = try Self.ownImage()
    var directory = image.deletingLastPathComponent()
    while !Self.exists(directory.appending(path: "Modules/Arbor.swiftmodule")) {
      guard directory.pathComponents.count > 1 else {
        throw Failure(description: "no built Arbor module was found above \(image.path)")
      }
      directory.deleteLastPathComponent()
    }
    modules = directory.appending(path: "Modules")
    compiler = Self.compiler()
    // The list the tests themselves were linked by: a folder may hold objects of files that are gone.
    let list = directory.appending(path: "arborPackageTests.product/Objects.LinkFileList")
    objects = try String(contentsOf: list, encoding: .utf8).split(separator: "\n")
      .map { $0.trimmingCharacters(in: CharacterSet(charactersIn: "'\"")) }
      .filter {
        let folder = URL(filePath: $0).deletingLastPathComponent().lastPathComponent
        return folder.hasPrefix("Arbor") && !folder.hasSuffix("Tests.build")
          && folder != "ArborDemo.build"
      }
  }

  /// What the package itself is compiled with, besides the language mode.
  static let strict = [
    "ExistentialAny", "MemberImportVisibility", "InternalImportsByDefault",
    "NonisolatedNonsendingByDefault",
  ].flatMap { ["-enable-upcoming-feature", $0] }

  /// Compiles the program as its reader would, in language mode 6, and once more with the package's
  /// own settings; then runs it if the page shows what it prints.
  func check(_ program: PageProgram) async throws {
    let folder = FileManager.default.temporaryDirectory
      .appending(path: "arbor-pages-\(UUID().uuidString)")
    try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
    defer { try? FileManager.default.removeItem(at: folder) }
    let source = folder.appending(path: program.isLibrary ? "Page.swift" : "main.swift")
    try program.source.write(to: source, atomically: true, encoding: .utf8)

    let flags =
      ["-module-name", "Page", "-swift-version", "6", "-warnings-as-errors", "-I", modules.path]
      + (program.isLibrary ? ["-parse-as-library"] : [])
    try await compile(flags + Self.strict + ["-typecheck", source.path], in: folder)
    guard program.isRun else {
      return try await compile(flags + ["-typecheck", source.path], in: folder)
    }
    let object = folder.appending(path: "page.o").path
    let executable = folder.appending(path: "page")
    try await compile(flags + ["-emit-object", source.path, "-o", object], in: folder)
    try await compile([object] + objects + ["-o", executable.path], in: folder)
    let ended = try await run(executable, [], in: folder)
    guard ended.status == 0 else {
      throw Failure(description: "ended with \(ended.status): \(ended.errors)")
    }
    guard let expected = program.expected, expected.matches(ended.output) else {
      throw Failure(
        description: "the page shows\n\(program.expected?.lines.joined(separator: "\n") ?? "")\n"
          + "but the program printed\n\(ended.output)")
    }
  }

  private func compile(_ arguments: [String], in folder: URL) async throws {
    let ended = try await run(compiler, arguments, in: folder)
    guard ended.status == 0 else { throw Failure(description: ended.errors + ended.output) }
  }

  private struct Ended {
    let status: Int32
    let output: String
    let errors: String
  }

  /// Runs a program to its end, at most a minute: this is no measurement, only a page whose example
  /// never ends must not hang the tests.
  private func run(_ executable: URL, _ arguments: [String], in folder: URL) async throws -> Ended {
    // Files, not pipes: nobody has to read while it runs.
    let (output, errors) = (folder.appending(path: "out"), folder.appending(path: "err"))
    for file in [output, errors] { try Data().write(to: file) }
    let process = Process()
    process.executableURL = executable
    process.arguments = arguments
    process.currentDirectoryURL = folder
    process.standardInput = FileHandle.nullDevice
    process.standardOutput = try FileHandle(forWritingTo: output)
    process.standardError = try FileHandle(forWritingTo: errors)
    let ends = AsyncStream<Void> { ends in process.terminationHandler = { _ in ends.finish() } }
    try process.run()
    let id = process.processIdentifier
    let deadline = Task {
      try await Task.sleep(for: .seconds(600))
      kill(id, SIGKILL)
    }
    for await _ in ends {}
    deadline.cancel()
    return Ended(
      status: process.terminationStatus,
      output: try String(contentsOf: output, encoding: .utf8),
      errors: try String(contentsOf: errors, encoding: .utf8))
  }

  /// The file this code was loaded from: the test bundle.
  private static func ownImage() throws -> URL {
    #if os(Linux)
    return URL(
      filePath: try FileManager.default.destinationOfSymbolicLink(atPath: "/proc/self/exe"))
    #else
    var info = Dl_info()
    guard dladdr(#dsohandle, &info) != 0, let name = info.dli_fname else {
      throw Failure(description: "the test bundle's own file is not known")
    }
    return URL(filePath: String(cString: name))
    #endif
  }

  /// `swiftc` beside the runtime this process has loaded, or else the one in the PATH.
  private static func compiler() -> URL {
    let path = ProcessInfo.processInfo.environment["PATH"] ?? ""
    var candidates = path.split(separator: ":").map { URL(filePath: "\($0)/swiftc") }
    #if os(Linux)
    // usr/lib/swift/linux/libswiftCore.so -> usr/bin/swiftc
    let maps = (try? String(contentsOfFile: "/proc/self/maps", encoding: .utf8)) ?? ""
    let core = maps.split(separator: "\n").first { $0.hasSuffix("/libswiftCore.so") }
    if let core, let start = core.firstIndex(of: "/") {
      var usr = URL(filePath: String(core[start...]))
      for _ in 1...4 { usr.deleteLastPathComponent() }
      candidates.insert(usr.appending(path: "bin/swiftc"), at: 0)
    }
    #endif
    return candidates.first(where: exists) ?? URL(filePath: "/usr/bin/swiftc")
  }

  private static func exists(_ file: URL) -> Bool {
    FileManager.default.fileExists(atPath: file.path)
  }
}
