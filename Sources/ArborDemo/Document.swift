import Foundation

/// A text file to index.
struct Document: Sendable, Hashable {
  let path: String
  /// The path below the folder, for people.
  let name: String

  /// Files whose names end so are taken for text; so are those without an ending.
  private static let endings: Set<String> = ["", "md", "swift", "txt", "text"]

  /// The text files in a folder and below it, but for hidden ones, in the order of their names.
  static func all(in folder: String) throws(Complaint) -> [Document] {
    var isFolder = ObjCBool(false)
    guard FileManager.default.fileExists(atPath: folder, isDirectory: &isFolder) else {
      throw Complaint("there is no folder \(folder)")
    }
    guard isFolder.boolValue else { throw Complaint("\(folder) is not a folder") }
    guard FileManager.default.isReadableFile(atPath: folder) else {
      throw Complaint("the folder \(folder) cannot be read")
    }
    let root = URL(fileURLWithPath: folder).standardizedFileURL
    let files = FileManager.default.enumerator(
      at: root, includingPropertiesForKeys: [.isRegularFileKey], options: [.skipsHiddenFiles])
    var documents: [Document] = []
    while let file = files?.nextObject() as? URL {
      guard endings.contains(file.pathExtension),
        (try? file.resourceValues(forKeys: [.isRegularFileKey]))?.isRegularFile == true
      else { continue }
      let path = file.standardizedFileURL.path
      documents.append(Document(path: path, name: String(path.dropFirst(root.path.count + 1))))
    }
    return documents.sorted { $0.name < $1.name }
  }
}
