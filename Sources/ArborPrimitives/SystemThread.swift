#if canImport(Glibc)
import Glibc
#elseif canImport(Musl)
import Musl
#elseif canImport(Darwin)
import Darwin
#endif

/// Threads of the operating system, for those parts that must have one of their own.
package enum SystemThread {
  /// Starts a thread that nobody joins: it ends when `body` returns.
  ///
  /// - Parameters:
  ///   - name: what tools show; systems cut it after 15 bytes.
  ///   - stackSize: in bytes; 8 MB is what a main thread has.
  /// - Returns: false if the system has no thread to give; `body` is then let go, not run.
  package static func start(
    named name: String, stackSize: Int = 8 << 20, _ body: @escaping @Sendable () -> Void
  ) -> Bool {
    var attributes = pthread_attr_t()
    pthread_attr_init(&attributes)
    defer { pthread_attr_destroy(&attributes) }
    pthread_attr_setstacksize(&attributes, stackSize)
    #if canImport(Darwin)
    pthread_attr_setdetachstate(&attributes, PTHREAD_CREATE_DETACHED)
    var thread: pthread_t?
    #else
    pthread_attr_setdetachstate(&attributes, Int32(PTHREAD_CREATE_DETACHED))
    var thread = pthread_t()
    #endif
    let start = Unmanaged.passRetained(Start(name: name, body: body))
    let result = pthread_create(&thread, &attributes, runStart, start.toOpaque())
    if result != 0 { start.release() }
    return result == 0
  }

  /// True on the thread that the program began with. Asked of the system once for each thread.
  package static var isMain: Bool {
    #if canImport(Darwin)
    return pthread_main_np() != 0
    #else
    if let known = pthread_getspecific(mainKey) { return UInt(bitPattern: known) == 1 }
    // "PID/task/TID": the two are the same for the first thread.
    var path = [CChar](repeating: 0, count: 64)
    let count = readlink("/proc/thread-self", &path, path.count)
    let parts = path.prefix(max(0, count)).split(separator: CChar(UInt8(ascii: "/")))
    let isMain = parts.count != 3 || parts[0] == parts[2]
    pthread_setspecific(mainKey, UnsafeRawPointer(bitPattern: isMain ? 1 : 2))
    return isMain
    #endif
  }

  #if !canImport(Darwin)
  private static let mainKey: pthread_key_t = {
    var key = pthread_key_t()
    let result = pthread_key_create(&key, nil)
    precondition(result == 0, "The system has no thread-specific key left.")
    return key
  }()
  #endif

  /// How many processors are online, at least 1.
  package static var processorCount: Int {
    max(1, Int(sysconf(Int32(_SC_NPROCESSORS_ONLN))))
  }

  fileprivate final class Start {
    let name: String
    let body: @Sendable () -> Void

    init(name: String, body: @escaping @Sendable () -> Void) {
      self.name = name
      self.body = body
    }

    func run() {
      let shortened = String(name.prefix(15))
      #if canImport(Darwin)
      pthread_setname_np(shortened)
      #else
      // The module map leaves out pthread_setname_np, a GNU extension.
      if let comm = fopen("/proc/thread-self/comm", "w") {
        fputs(shortened, comm)
        fclose(comm)
      }
      #endif
      body()
    }
  }
}

#if canImport(Darwin)
private func runStart(_ argument: UnsafeMutableRawPointer) -> UnsafeMutableRawPointer? {
  Unmanaged<SystemThread.Start>.fromOpaque(argument).takeRetainedValue().run()
  return nil
}
#else
private func runStart(_ argument: UnsafeMutableRawPointer?) -> UnsafeMutableRawPointer? {
  guard let argument else { return nil }
  Unmanaged<SystemThread.Start>.fromOpaque(argument).takeRetainedValue().run()
  return nil
}
#endif
