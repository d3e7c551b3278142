public import ArborProcesses
public import ArborTables

/// Why a registry refused something. Nothing was changed then.
///
/// OTP: the errors that Elixir's `Registry` returns and raises.
public enum RegistryError: Error, Sendable, Equatable {
  /// The registry is not running: not yet, or its supervisor is just starting it again.
  case notRunning(String)
  /// Another process, or the caller itself, is registered under the key, which is unique.
  case alreadyRegistered(key: String, by: PID)
  /// Who registers is a process, and there is none.
  case notInProcess
  /// The process has been told to exit, or the waiting task was cancelled.
  case cancelled
  /// Only a registry of unique keys can do that.
  case notUnique(String)
  /// The lock was not free in time.
  case timeout
  /// The caller holds the lock already, and would wait for itself.
  case alreadyHeld(key: String)
  /// The registry was made with fewer than one partition.
  case badarg(String)
  /// Its table refused it: a key's own `==` used a table.
  case refused(TableError)
}

extension RegistryError: CustomStringConvertible {
  public var description: String {
    switch self {
    case .notRunning(let registry): "\(registry) is not running; start it before those who use it"
    case .alreadyRegistered(let key, let pid): "\(key) is registered by \(pid)"
    case .notInProcess: "a process registers itself: do it in one, or inside `withProcess { }`"
    case .cancelled: "the caller was cancelled, or is exiting"
    case .notUnique(let registry): "\(registry) has several entries under a key"
    case .timeout: "the lock was not free in time"
    case .alreadyHeld(let key): "the caller holds the lock of \(key) already"
    case .badarg(let registry): "\(registry) needs at least one partition, and no negative timeout"
    case .refused(let error): "\(error)"
    }
  }
}
