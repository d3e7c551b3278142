import ArborPrimitives

extension ProcessCore {
  /// Hands a resource to the process, which will release it at its end.
  ///
  /// - Returns: false if the process is exiting already; then it will hear of nothing.
  package func adopt(_ resource: any OwnedResource) -> Bool {
    machine.withLock { machine in
      guard machine.status == .running else { return false }
      machine.madeBackstage().resources[ObjectIdentifier(resource)] = resource
      return true
    }
  }

  /// Takes a resource back; nothing happens if the process does not hold it.
  package func disown(_ resource: any OwnedResource) {
    // Let go of after the lock, should this be the last reference.
    let released = machine.withLock {
      $0.backstage?.resources.removeValue(forKey: ObjectIdentifier(resource))
    }
    _ = released
  }
}
