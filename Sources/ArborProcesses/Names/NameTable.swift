import ArborPrimitives

/// Why a name cannot be registered, or a message to one cannot be sent.
///
/// OTP: `badarg` of `erlang:register/2` and of `Name ! Message`.
public enum NameError: Error, Sendable, Equatable {
  /// Another process holds the name.
  case taken(ProcessName, by: PID)
  /// The process has ended, or is ending.
  case notAlive(PID)
  /// Nobody holds the name.
  case unregistered(ProcessName)
  /// The name is a key of a registry that is not running.
  case notRunning(ProcessName)
  /// The name is a key of a registry in which one key may have several holders.
  case notUnique(ProcessName)
  /// The name is a key of a registry whose entries have a value, and says none.
  case noValue(ProcessName)
}

extension NameError: CustomStringConvertible {
  public var description: String {
    switch self {
    case .taken(let name, let pid): "the name \"\(name)\" is held by \(pid); choose another"
    case .notAlive(let pid): "\(pid) has ended and cannot be given a name"
    case .unregistered(let name): "no process is registered as \"\(name)\""
    case .notRunning(let name): "the registry of \(name) is not running; start it before its users"
    case .notUnique(let name): "\(name) names nobody: keys of its registry may have several holders"
    case .noValue(let name): "\(name) is to be registered with a value: say via(key, value:)"
    }
  }
}

/// The names of a node's processes.
package final class NameTable: Sendable {
  private let holders = Lock<[ProcessName: ProcessCore]>([:])

  func register(_ name: ProcessName, for core: ProcessCore) throws(NameError) {
    if case .via(let source) = name.source { return try source.register(core, as: name) }
    let holder = holders.withLock { holders -> ProcessCore? in
      // One that is gone holds nothing, also where its release and this crossed.
      if let holder = holders[name], !holder.isReleased { return holder }
      holders[name] = core
      return nil
    }
    if let holder { throw .taken(name, by: holder.pid) }
    // The process keeps its names, so that its release needs no search. If it has ended meanwhile
    // its release has not seen this one.
    let isKept = core.machine.withLock { machine in
      guard machine.status == .running else { return false }
      machine.names.append(name)
      return true
    }
    if !isKept {
      release(name, of: core)
      throw .notAlive(core.pid)
    }
  }

  /// - Returns: false if nobody held the name.
  func unregister(_ name: ProcessName) -> Bool {
    if case .via(let source) = name.source { return source.unregister() }
    guard let core = holders.withLock({ $0.removeValue(forKey: name) }) else { return false }
    core.machine.withLock { machine in machine.names.removeAll { $0 == name } }
    return true
  }

  func release(_ name: ProcessName, of core: ProcessCore) {
    holders.withLock { holders in
      if holders[name] === core { holders[name] = nil }
    }
  }

  /// The process that holds the name, if it is alive.
  package func find(_ name: ProcessName) -> ProcessCore? {
    if case .via(let source) = name.source { return source.find() }
    guard let core = holders.withLock({ $0[name] }), core.isAlive else { return nil }
    return core
  }

  var all: [ProcessName: ProcessCore] { holders.withLock { $0 } }
}
