#if canImport(Glibc)
import Glibc
#elseif canImport(Musl)
import Musl
#elseif canImport(Darwin)
import Darwin
#endif

/// The few calls of the system that files of tables need.
enum PosixFile {
  static func message(of code: Int32) -> String { String(cString: strerror(code)) }

  static func read(_ path: String) throws(TableFileError) -> [UInt8] {
    let file = try open(path, O_RDONLY)
    defer { _ = close(file) }
    var bytes: [UInt8] = []
    var buffer = [UInt8](repeating: 0, count: 1 << 16)
    while true {
      let count = buffer.withUnsafeMutableBytes { systemRead(file, $0.baseAddress, $0.count) }
      if count == 0 { return bytes }
      if count < 0 {
        if errno == EINTR { continue }
        throw .system("read", path: path, code: errno)
      }
      bytes.append(contentsOf: buffer[..<count])
    }
  }

  /// Writes a file beside `path` and puts it in its place once it is whole and on the disk. If
  /// anything fails, what stood there stays.
  static func replace(
    _ path: String, suffix: String, _ write: ((ArraySlice<UInt8>) throws -> Void) throws -> Void
  ) throws {
    let side = "\(path).\(suffix)"
    let file = try open(side, O_WRONLY | O_CREAT | O_EXCL)
    var isOpen = true
    do {
      try write { bytes in try append(bytes, to: file, side) }
      if fsync(file) != 0 { throw TableFileError.system("fsync", path: side, code: errno) }
      isOpen = false
      if close(file) != 0 { throw TableFileError.system("close", path: side, code: errno) }
      if rename(side, path) != 0 { throw TableFileError.system("rename", path: side, code: errno) }
    } catch {
      if isOpen { _ = close(file) }
      _ = unlink(side)
      throw error
    }
    try syncFolder(of: path)
  }

  private static func open(_ path: String, _ flags: Int32) throws(TableFileError) -> Int32 {
    let file = systemOpen(path, flags | O_CLOEXEC)
    if file < 0 { throw .system("open", path: path, code: errno) }
    return file
  }

  private static func append(
    _ bytes: ArraySlice<UInt8>, to file: Int32, _ path: String
  ) throws(TableFileError) {
    var rest = bytes
    while !rest.isEmpty {
      let count = rest.withUnsafeBytes { systemWrite(file, $0.baseAddress, $0.count) }
      if count < 0 {
        if errno == EINTR { continue }
        throw .system("write", path: path, code: errno)
      }
      rest = rest.dropFirst(count)
    }
  }

  /// The new name, too, has to be on the disk.
  private static func syncFolder(of path: String) throws(TableFileError) {
    let folder = path.lastIndex(of: "/").map { $0 == path.startIndex ? "/" : path[..<$0] } ?? "."
    let file = try open(String(folder), O_RDONLY)
    defer { _ = close(file) }
    // Some file systems cannot sync a folder, and say so with EINVAL.
    if fsync(file) != 0, errno != EINVAL {
      throw .system("fsync", path: String(folder), code: errno)
    }
  }
}

// Inside `PosixFile` its own `open` and `read` hide the system's.
private func systemOpen(_ path: String, _ flags: Int32) -> Int32 { open(path, flags, 0o644) }
private func systemRead(_ file: Int32, _ buffer: UnsafeMutableRawPointer?, _ count: Int) -> Int {
  read(file, buffer, count)
}
private func systemWrite(_ file: Int32, _ buffer: UnsafeRawPointer?, _ count: Int) -> Int {
  write(file, buffer, count)
}
