import Foundation

/// Bytes that the C allocator has handed out and not got back, its own headers included.
///
/// glibc tells by `malloc_info`, an XML text. The last `system current`, `fast`, `rest` and `mmap` are
/// the sums over all arenas: what was taken from the system, less what lies free in it.
func allocatedBytes() throws -> Int {
  typealias MallocInfo = @convention(c) (CInt, UnsafeMutablePointer<FILE>?) -> CInt
  guard let symbol = dlsym(nil, "malloc_info") else {
    throw WrongAnswer("only glibc tells how much is allocated")
  }
  let mallocInfo = unsafeBitCast(symbol, to: MallocInfo.self)
  var text: UnsafeMutablePointer<CChar>?
  var size = 0
  let stream = open_memstream(&text, &size)
  let status = mallocInfo(0, stream)
  fclose(stream)
  defer { free(text) }
  guard status == 0, let text else { throw WrongAnswer("malloc_info failed") }

  let xml = String(cString: text)
  func lastSize(of element: String) -> Int {
    guard let start = xml.range(of: element, options: .backwards),
      let size = xml[start.upperBound...].range(of: "size=\"")
    else { return 0 }
    return Int(xml[size.upperBound...].prefix { $0.isNumber }) ?? 0
  }
  return lastSize(of: "<system type=\"current\"") + lastSize(of: "<total type=\"mmap\"")
    - lastSize(of: "<total type=\"fast\"") - lastSize(of: "<total type=\"rest\"")
}
