#if canImport(Glibc)
import Glibc
#endif

/// Makes `ContinuousClock` and `SuspendingClock` show virtual time on a simulation's thread.
///
/// `Task.sleep(for:)` reads its clock, adds its duration, and hands on the sum. By then some time has
/// passed, never the same, so that no two runs of a seed would be alike: the one way to be exact is
/// that the clock stands still. And code that measures how long something took shall see the time
/// that its timers see.
///
/// The two clocks have no seam of their own. They read the machine's with `clock_gettime`, and a shared
/// library calls a function of another one through a slot that the loader fills: this fills the
/// Swift library's anew. Nobody else's reading of any clock changes. Where there is no such slot
/// (the Swift library is linked statically) those clocks stay real, and sleeps are rounded up to
/// milliseconds.
enum SwiftClocks {
  #if canImport(Glibc)
  private typealias GetTime = @convention(c) (clockid_t, UnsafeMutablePointer<timespec>) -> CInt

  /// Whether they do. Asking makes them.
  static let areVirtual: Bool = {
    // Read once, so that the loader fills the slot now and not over what is put there.
    _ = ContinuousClock.now
    guard
      let slot = ImportSlot.find("clock_gettime", in: "libswift_Concurrency.so"),
      ImportSlot.makeWritable(slot)
    else { return false }
    slot.pointee = unsafeBitCast(readClock, to: UnsafeRawPointer.self)
    return true
  }()

  private static let readClock: GetTime = { clock, time in
    guard let simulation = SimulationThread.current?.storage else {
      return clock_gettime(clock, time)
    }
    let now = simulation.now
    time.pointee = timespec(
      tv_sec: Int(now / 1_000_000_000), tv_nsec: Int(now % 1_000_000_000))
    return 0
  }
  #else
  static let areVirtual = false
  #endif
}

#if canImport(Glibc)

/// The place in a loaded library that holds the address of a function it calls in another.
private enum ImportSlot {
  typealias Slot = UnsafeMutablePointer<UnsafeRawPointer>

  /// Walks the library's list of such places. Its entries are those of the ELF format for 64 bits.
  static func find(_ function: String, in library: String) -> Slot? {
    guard let handle = dlopen(library, RTLD_NOLOAD | RTLD_LAZY) else { return nil }
    defer { dlclose(handle) }
    let map = handle.assumingMemoryBound(to: link_map.self).pointee
    var entries: [Int: UInt] = [:]
    var entry = UnsafeRawPointer(map.l_ld).assumingMemoryBound(to: Elf64_Dyn.self)
    while entry.pointee.d_tag != DT_NULL {
      entries[Int(entry.pointee.d_tag)] = UInt(entry.pointee.d_un.d_ptr)
      entry += 1
    }
    guard
      let relocations = entries[Int(DT_JMPREL)].flatMap(UnsafeRawPointer.init(bitPattern:)),
      let size = entries[Int(DT_PLTRELSZ)],
      let symbols = entries[Int(DT_SYMTAB)].flatMap(UnsafeRawPointer.init(bitPattern:)),
      let names = entries[Int(DT_STRTAB)].flatMap(UnsafeRawPointer.init(bitPattern:))
    else { return nil }
    let relocation = relocations.assumingMemoryBound(to: Elf64_Rela.self)
    let symbol = symbols.assumingMemoryBound(to: Elf64_Sym.self)
    for index in 0..<Int(size) / MemoryLayout<Elf64_Rela>.stride {
      let name = symbol[Int(relocation[index].r_info >> 32)].st_name
      if strcmp((names + Int(name)).assumingMemoryBound(to: CChar.self), function) == 0 {
        return Slot(bitPattern: UInt(map.l_addr) + UInt(relocation[index].r_offset))
      }
    }
    return nil
  }

  /// The loader may have made it read-only.
  static func makeWritable(_ slot: Slot) -> Bool {
    let pageSize = UInt(sysconf(Int32(_SC_PAGESIZE)))
    let page = UnsafeMutableRawPointer(bitPattern: UInt(bitPattern: slot) & ~(pageSize - 1))
    return mprotect(page, Int(pageSize), PROT_READ | PROT_WRITE) == 0
  }
}
#endif
