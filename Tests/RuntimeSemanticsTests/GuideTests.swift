import Foundation
import Testing

/// The guide and the tests name the same guarantees.
@Suite struct GuideTests {
  private static let folder = URL(filePath: #filePath).deletingLastPathComponent()

  private static func text(_ url: URL) throws -> String {
    try String(contentsOf: url, encoding: .utf8)
  }

  @Test("every guarantee of the guide has a test by its id, and every test its guarantee")
  func complete() throws {
    let root = Self.folder.deletingLastPathComponent().deletingLastPathComponent()
    let guide = try Self.text(root.appending(path: "Guides/RuntimeSemantics.md"))
    let promised = guide.matches(of: /\*\*([A-Z]+-[0-9]+)\*\*/).map { String($0.1) }
    #expect(Set(promised).count == promised.count, "an id is given twice")

    let files = try FileManager.default.contentsOfDirectory(
      at: Self.folder, includingPropertiesForKeys: nil)
    var tested: [String] = []
    for file in files where file.pathExtension == "swift" {
      let source = try Self.text(file)
      tested += source.matches(of: /@Test\(\s*"([A-Z]+-[0-9]+)[: "]/).map { String($0.1) }
    }
    #expect(Set(promised).subtracting(tested).sorted() == [], "promised, but not tested")
    #expect(Set(tested).subtracting(promised).sorted() == [], "tested, but not promised")
    #expect(promised.count > 40)
  }
}
