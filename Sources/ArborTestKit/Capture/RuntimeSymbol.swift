#if canImport(Glibc)
import Glibc
#elseif canImport(Musl)
import Musl
#elseif canImport(Darwin)
import Darwin
#endif

/// Names of the Swift runtime that no module declares.
enum RuntimeSymbol {
  /// The address of a variable.
  static func find<Value>(_ name: String, as type: Value.Type) -> UnsafeMutablePointer<Value>? {
    address(name)?.assumingMemoryBound(to: Value.self)
  }

  static func address(_ name: String) -> UnsafeMutableRawPointer? {
    #if canImport(Darwin)
    dlsym(UnsafeMutableRawPointer(bitPattern: -2), name)
    #else
    dlsym(nil, name)
    #endif
  }
}

/// Which task a job is of, for the trace.
enum JobIdentity {
  private typealias JobID = @convention(c) (UnsafeRawPointer) -> UInt64
  private typealias JobFlags = @convention(c) (UnsafeRawPointer) -> UInt

  private static let id = RuntimeSymbol.address("swift_task_getJobTaskId").map {
    unsafeBitCast($0, to: JobID.self)
  }
  private static let flags = RuntimeSymbol.address("swift_task_getJobFlags").map {
    unsafeBitCast($0, to: JobFlags.self)
  }

  /// The runtime's number of the task; nil if the job is a turn of a plain actor, which is no task's.
  static func taskID(of job: UnownedJob) -> UInt64? {
    guard let id, let flags else { return nil }
    let job = unsafeBitCast(job, to: UnsafeRawPointer.self)
    // The kind of a job is the low byte of its flags, and that of a task is 0.
    return flags(job) & 0xff == 0 ? id(job) : nil
  }
}
