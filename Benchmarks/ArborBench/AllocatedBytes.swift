#if canImport(Glibc)
import Glibc
#endif

/// Bytes that the C allocator has handed out and not got back, its own headers included.
func allocatedBytes() throws -> Int {
  #if canImport(Glibc)
  let info = mallinfo2()
  return Int(info.uordblks) + Int(info.hblkhd)
  #else
  throw WrongAnswer("only glibc tells how much is allocated")
  #endif
}
