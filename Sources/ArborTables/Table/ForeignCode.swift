import ArborProcesses

#if canImport(Glibc)
import Glibc
#elseif canImport(Darwin)
import Darwin
#endif

/// Types whose operators are the standard library's or this package's own: they use no table.
enum TrustedTypes {
  static func contains<Subject>(_ type: Subject.Type) -> Bool {
    trusted.contains(ObjectIdentifier(type))
  }

  private static let trusted: Set<ObjectIdentifier> = [
    ObjectIdentifier(Int.self), ObjectIdentifier(Int8.self), ObjectIdentifier(Int16.self),
    ObjectIdentifier(Int32.self), ObjectIdentifier(Int64.self), ObjectIdentifier(UInt.self),
    ObjectIdentifier(UInt8.self), ObjectIdentifier(UInt16.self), ObjectIdentifier(UInt32.self),
    ObjectIdentifier(UInt64.self), ObjectIdentifier(Double.self), ObjectIdentifier(Float.self),
    ObjectIdentifier(Bool.self), ObjectIdentifier(String.self), ObjectIdentifier(Substring.self),
    ObjectIdentifier(Character.self), ObjectIdentifier(Unicode.Scalar.self),
    ObjectIdentifier(StaticString.self), ObjectIdentifier(ObjectIdentifier.self),
    ObjectIdentifier([UInt8].self), ObjectIdentifier([Int].self), ObjectIdentifier([String].self),
    ObjectIdentifier(PID.self), ObjectIdentifier(ProcessName.self),
    ObjectIdentifier(MonitorRef.self),
  ]
}

/// Marks a thread that is inside a table whose rows have a user's operators.
///
/// Such a table's lock is held while the operator runs. If the operator used a table of that sort
/// the thread could wait for itself, or two for each other; so that use is refused.
enum ForeignCode {
  private static let key: pthread_key_t = {
    var key = pthread_key_t()
    pthread_key_create(&key, nil)
    return key
  }()

  /// False if the thread is inside such a table already.
  static func enter() -> Bool {
    guard pthread_getspecific(key) == nil else { return false }
    pthread_setspecific(key, UnsafeRawPointer(bitPattern: 1))
    return true
  }

  static func leave() { pthread_setspecific(key, nil) }
}
